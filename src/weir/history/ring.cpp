// SPDX-License-Identifier: MIT
#include "weir/history/ring.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "weir/base/file.h"
#include "weir/base/text.h"
#include "weir/base/units.h"

namespace weir::history {
namespace {

/// One that is begun again and again makes small segments; they are counted as well.
constexpr std::size_t kMostSegments = 4096;
constexpr std::uint64_t kLargestSegment = std::uint64_t{4} << 20;
constexpr std::uint64_t kSegmentsInRing = 16;
constexpr const char* kLock = "lock";
constexpr const char* kNewJournal = "journal.new";

}  // namespace

Result<Ring> Ring::open(const std::string& path, std::uint64_t most_bytes) {
  if (most_bytes < kLeastRing)
    return std::unexpected(make_error(ErrorKind::invalid, path, "needs room for a history",
                                      fmt::format("at least {}", format_bytes(Bytes(kLeastRing)))));
  WEIR_TRY(Fd directory, open_private_directory(path, 0750));
  Fd lock(::openat(directory.get(), kLock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640));
  if (!lock.valid()) return std::unexpected(errno_error(errno, path, "open its lock"));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return std::unexpected(make_error(ErrorKind::refused, path, "is recorded to by another weir",
                                      "record to another place: --record-dir DIR"));
  Ring ring(std::move(directory), std::move(lock), most_bytes);
  WEIR_TRY(const std::vector<SegmentFile> segments, list_segments(ring.directory()));
  ring.segments_.assign(segments.begin(), segments.end());
  for (const SegmentFile& each : segments) ring.bytes_ += each.size;
  if (!segments.empty()) ring.next_ = segments.back().number + 1;
  return ring;
}

bool Ring::is_at_segment_end() const {
  return !current_ || current_->size() >= std::min(kLargestSegment, most_bytes_ / kSegmentsInRing);
}

Result<void> Ring::make_room(std::uint64_t bytes) {
  while (!segments_.empty() && (this->bytes() + bytes > most_bytes_ || segments_.size() > kMostSegments)) {
    if (current_ && segments_.size() == 1) break;  // never the one that is appended to
    if (::unlinkat(directory_.get(), segments_.front().name().c_str(), 0) != 0 && errno != ENOENT)
      return std::unexpected(errno_error(errno, segments_.front().name(), "remove"));
    bytes_ -= segments_.front().size;
    segments_.pop_front();
  }
  if (this->bytes() + bytes <= most_bytes_) return {};
  return std::unexpected(
      make_error(ErrorKind::failed, "history", "is too small for what is recorded at once"));
}

Result<void> Ring::append(std::string_view records, std::chrono::nanoseconds time) {
  if (is_at_segment_end()) current_.reset();
  WEIR_CHECK(make_room(records.size()));
  if (!current_) {
    const SegmentFile segment{.number = next_++, .time = time, .size = 0};
    WEIR_TRY(current_, AppendFile::create(directory_.get(), segment.name()));
    segments_.push_back(segment);
  }
  auto written = current_->append(records);
  if (written) {
    segments_.back().size += records.size();
    bytes_ += records.size();
    return {};
  }
  if (segments_.back().size == 0) {  // an empty one is of no use
    ::unlinkat(directory_.get(), segments_.back().name().c_str(), 0);
    segments_.pop_back();
  }
  current_.reset();
  return written;
}

Result<void> Ring::append_to_journal(std::string_view records) {
  if (!journal_) WEIR_CHECK(restart_journal());
  WEIR_CHECK(make_room(records.size()));
  return journal_->append(records);
}

Result<void> Ring::restart_journal() {
  journal_.reset();
  ::unlinkat(directory_.get(), kNewJournal, 0);
  WEIR_TRY(AppendFile fresh, AppendFile::create(directory_.get(), kNewJournal));
  if (::renameat(directory_.get(), kNewJournal, directory_.get(), kJournal) != 0)
    return std::unexpected(errno_error(errno, kJournal, "replace"));
  journal_.emplace(std::move(fresh));
  return {};
}

}  // namespace weir::history
