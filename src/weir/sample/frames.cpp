// SPDX-License-Identifier: MIT
#include "weir/sample/frames.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "weir/base/file.h"

namespace weir::sample {
namespace {

using std::chrono::nanoseconds;

constexpr const char* kLockFile = "sampler.lock";
/// How often an attached process looks whether there is a new frame.
constexpr std::chrono::milliseconds kListen{50};
/// Without a frame for that many ticks the sampler may be gone without a word. After more of them it is
/// there, but stopped or stuck.
constexpr int kSilentTicks = 3, kGivenUpTicks = 8;

/// The lock, if nobody has it; an invalid Fd otherwise.
Result<Fd> try_lock(const Fd& run_dir) {
  Fd file(::openat(run_dir.get(), kLockFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640));
  if (!file.valid()) return std::unexpected(errno_error(errno, kLockFile, "open"));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK || errno == EINTR) return Fd();
  return std::unexpected(errno_error(errno, kLockFile, "lock"));
}

/// The first time after `now` on the grid of `tick` that began at `last`.
nanoseconds after(nanoseconds last, nanoseconds tick, nanoseconds now) {
  return last + tick > now ? last + tick : now + tick - (now - last) % tick;
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::samples:
      return "samples";
    case Role::attached:
      return "attached";
    case Role::alone:
      return "alone";
  }
  return "?";
}

Result<Frames> Frames::open(cgroup::Dir& root, const HostPaths& paths, const Clock& clock,
                            FramesOptions options) {
  WEIR_TRY(Roster roster, Roster::open(root, paths, options.include, clock));
  Frames frames(root, paths, clock, options, std::move(roster));
  if (auto run_dir = open_private_directory(paths.run_dir, 0755)) frames.run_dir_ = std::move(*run_dir);
  frames.update_roster();
  WEIR_CHECK(frames.take_role());
  return frames;
}

Result<void> Frames::take_role() {
  if (run_dir_.valid()) {
    if (auto lock = try_lock(run_dir_); lock && lock->valid()) {
      lock_ = std::move(*lock);
      role_ = Role::samples;
      reader_.reset();
      if (auto board = Board::create(run_dir_))
        board_.emplace(std::move(*board));
      else
        notes_.push_back(fmt::format("others cannot see these frames: {}", board.error().message()));
      return begin_sampling();
    }
  }
  if (role_ == Role::attached) return {};
  role_ = Role::attached;
  heard_ = clock_.monotonic();
  if (auto reader = BoardReader::open(paths_.run_dir)) {
    reader_.emplace(std::move(*reader));
    return {};
  } else if (run_dir_.valid() && reader.error().kind != ErrorKind::refused) {
    return {};  // its sampler is about to make it
  }
  role_ = Role::alone;
  return begin_sampling();
}

Result<void> Frames::begin_sampling() {
  WEIR_TRY(Sampler sampler, Sampler::open(root_, paths_.proc, clock_));
  sampler_.emplace(std::move(sampler));
  for (const auto& [path, subject] : roster_.known()) take_in(subject);
  full_at_ = fast_at_ = again_ = clock_.monotonic();
  return {};
}

void Frames::take_in(const Subject& subject) {
  if (auto added = sampler_->add(subject.container); !added && added.error().kind == ErrorKind::failed)
    notes_.push_back(fmt::format("{} is not sampled: {}", subject.container.name, added.error().message()));
}

void Frames::update_roster() {
  const std::size_t unwatched = roster_.unwatched();
  for (RosterChange& change : roster_.update()) {
    if (sampler_ && change.kind == RosterChange::Kind::ended)
      sampler_->remove(change.subject.cgroup_id);
    else if (sampler_)
      take_in(change.subject);
    changes_.push_back(std::move(change));
  }
  if (roster_.unwatched() > unwatched)
    notes_.push_back(fmt::format("{} places cannot be watched for containers (fs.inotify.max_user_watches)",
                                 roster_.unwatched()));
}

const Frame* Frames::sample() {
  const nanoseconds now = clock_.monotonic();
  const bool full = now >= full_at_;
  const bool fast = options_.fast_tick.count() > 0 && now >= fast_at_;
  const Frame* frame = nullptr;
  if (full || fast) {
    frame = &sampler_->read(full ? all_sources() : fast_sources());
    if (full) full_at_ = after(full_at_, options_.tick, now);
    if (options_.fast_tick.count() > 0) fast_at_ = after(fast_at_, options_.fast_tick, now);
    if (board_)
      if (auto published = board_->publish(*frame); !published) {
        notes_.push_back(fmt::format("others cannot see these frames: {}", published.error().message()));
        board_.reset();
      }
  }
  again_ = options_.fast_tick.count() > 0 ? std::min(full_at_, fast_at_) : full_at_;
  return frame;
}

Result<const Frame*> Frames::attach() {
  const nanoseconds now = clock_.monotonic();
  again_ = now + kListen;
  if (!reader_)
    if (auto reader = BoardReader::open(paths_.run_dir)) reader_.emplace(std::move(*reader));
  if (reader_) {
    auto read = reader_->read();
    if (read && *read) {
      frame_ = std::move(*read);
      heard_ = now;
      return &*frame_;
    }
    if (!read) reader_.reset();
  }
  // Ended with or without a word: whoever gets the lock goes on.
  if (!reader_ || now - heard_ > kSilentTicks * options_.tick) WEIR_CHECK(take_role());
  if (role_ == Role::attached && now - heard_ > kGivenUpTicks * options_.tick) {
    notes_.emplace_back(
        "the process that samples is silent (stopped?); this one samples for itself until it speaks");
    role_ = Role::alone;
    WEIR_CHECK(begin_sampling());
  }
  return role_ == Role::attached ? nullptr : sample();
}

/// Alone because the one that samples was silent: until it speaks again, or is gone.
Result<void> Frames::leave_silence() {
  if (auto read = reader_->read(); read && *read) {
    sampler_.reset();
    role_ = Role::attached;
    heard_ = clock_.monotonic();
  } else if (auto lock = try_lock(run_dir_); lock && lock->valid()) {
    lock->reset();
    return take_role();
  }
  return {};
}

Result<const Frame*> Frames::next() {
  update_roster();
  if (role_ == Role::alone && reader_ && run_dir_.valid()) WEIR_CHECK(leave_silence());
  if (role_ == Role::attached) return attach();
  return sample();
}

}  // namespace weir::sample
