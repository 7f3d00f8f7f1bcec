// SPDX-License-Identifier: MIT
#include "weir/limits/shrink_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "weir/base/text.h"
#include "weir/cgroup/stat.h"
#include "weir/limits/footprint.h"
#include "weir/limits/peaks.h"
#include "weir/proc/process.h"

namespace weir::limits {
namespace {

using std::chrono::nanoseconds;
using Kind = ShrinkAction::Kind;

constexpr std::chrono::seconds kPressureEvery{1};  // faster reading destroys stall time for every reader

/// Looked at in each sample; the rest counts as it is.
constexpr std::size_t kMostProcesses = 500, kMostLevels = 100;

std::string text_of(Limit<Bytes> limit) {
  return limit.is_unlimited() ? "max" : fmt::to_string(limit.value().count());
}

class Run {
 public:
  Run(const ShrinkFiles& files, const ShrinkJob& job, const ShrinkWatch& watch)
      : files_(files), job_(job), watch_(watch), shrink_(job.goal) {}

  ShrinkResult run() {
    if (auto done = squeeze(); !done) result_.error = std::move(done).error();
    result_.peak_need = shrink_.peak_need();
    if (result_.error) put_back("memory.max", max_written_, job_.max_before, result_.max_stays);
    if (result_.error || job_.goal.knob == cgroup::Knob::memory_max)
      put_back("memory.high", high_written_, job_.goal.high_before, result_.high_stays);
    return std::move(result_);
  }

 private:
  Result<void> squeeze() {
    for (;;) {
      if (auto why = watch_.stop()) return std::unexpected(std::move(*why));
      WEIR_TRY(const ShrinkSample now, sample());
      watch_.seen(now.memory);
      ShrinkAction action = shrink_.next(now);
      switch (action.kind) {
        case Kind::lower_high:
          WEIR_CHECK(write("memory.high", Limit(action.bytes), high_written_));
          break;
        case Kind::reclaim:
          WEIR_CHECK(reclaim(action.bytes));
          break;
        case Kind::write_max:
          WEIR_CHECK(write("memory.max", Limit(job_.goal.limit), max_written_));
          break;
        case Kind::wait:
          watch_.pause(action.span);
          break;
        case Kind::finish:
          return {};
        case Kind::revert:
          return std::unexpected(std::move(*action.why));
      }
    }
  }

  Result<ShrinkSample> sample() {
    ShrinkSample now{.at = watch_.now()};
    WEIR_TRY(const std::string stat_text, files_.read("memory.stat"));
    WEIR_TRY(now.memory, read_footprint([&](std::string_view file) -> Result<std::string> {
               return file == "memory.stat" ? stat_text : files_.read(file);
             }));
    WEIR_TRY(const auto stat, cgroup::parse_flat_keyed(stat_text));
    std::uint64_t pages = 0;
    for (const auto& [key, value] : stat)
      if (key == "workingset_refault_anon" || key == "workingset_refault_file") pages += value;
    now.refaulted = Bytes(pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
    WEIR_TRY(const std::string events_text, files_.read("memory.events"));
    WEIR_TRY(const cgroup::MemoryEvents events, cgroup::parse_memory_events(events_text));
    now.oom_kills = events.oom_kill.value_or(0);
    now.growth = growth();
    if (!pressure_at_ || now.at - *pressure_at_ >= kPressureEvery) {
      pressure_at_ = now.at;
      // Not there without PSI: then only refaults and the need tell.
      if (const auto text = files_.read("memory.pressure")) {
        WEIR_TRY(const cgroup::Pressure pressure, cgroup::parse_pressure(*text));
        if (pressure.full) now.stalled = pressure.full->total;
      }
    }
    return now;
  }

  /// A process that cannot be read (it ended, or hides) adds nothing.
  Bytes growth() {
    std::map<Pid, Bytes> anonymous;
    for (const Pid pid : files_.processes()) {
      if (anonymous.size() == kMostProcesses) break;
      if (const auto bytes = proc::read_anonymous(job_.proc, pid)) anonymous.emplace(pid, *bytes);
    }
    return peaks_.growth(anonymous);
  }

  /// Less than asked for (EAGAIN) and an end by a signal (EINTR) are no errors: the next sample tells.
  [[nodiscard]] Result<void> reclaim(Bytes bytes) const {
    auto done = files_.write("memory.reclaim", fmt::to_string(bytes.count()));
    if (!done && (done.error().err == EAGAIN || done.error().err == EINTR)) return {};
    return done;
  }

  [[nodiscard]] Result<void> write(std::string_view file, Limit<Bytes> value, std::string& written) const {
    written = text_of(value);
    WEIR_CHECK(files_.write(file, written));
    WEIR_TRY(const std::string holds, files_.read(file));
    if (trim(holds) == written) return {};
    return std::unexpected(
        make_error(ErrorKind::failed, file,
                   fmt::format("wrote {}, the kernel holds {}", written, trim(holds).substr(0, 64))));
  }

  /// Puts back what this wrote, and leaves alone what someone else wrote over it.
  void put_back(std::string_view file, const std::string& written, Limit<Bytes> before,
                std::optional<Error>& stays) const {
    if (written.empty()) return;
    const auto holds = files_.read(file);
    if (holds && trim(*holds) != written) return;
    std::string ignored;
    if (auto done = write(file, before, ignored); !done && done.error().kind != ErrorKind::gone)
      stays = std::move(done).error().context("it could not be taken back and stays in force");
  }

  const ShrinkFiles& files_;
  const ShrinkJob& job_;
  const ShrinkWatch& watch_;
  Shrink shrink_;
  Peaks peaks_;
  ShrinkResult result_;
  std::string high_written_, max_written_;  ///< what this wrote last; empty: nothing
  std::optional<nanoseconds> pressure_at_;
};

}  // namespace

Result<ShrinkFiles> ShrinkFiles::keep(const cgroup::Dir& dir) {
  using cgroup::Access;
  struct Wanted {
    std::string_view file;
    Access access;
    bool needed;
  };
  constexpr std::array kWanted = {
      Wanted{"memory.current", Access::read, true},      Wanted{"memory.stat", Access::read, true},
      Wanted{"memory.events", Access::read, true},       Wanted{"memory.high", Access::read_write, true},
      Wanted{"memory.max", Access::read_write, true},    Wanted{"memory.reclaim", Access::write, true},
      Wanted{"memory.pressure", Access::read, false},    Wanted{"memory.swap.max", Access::read, false},
      Wanted{"memory.swap.current", Access::read, false}};
  ShrinkFiles files;
  for (const Wanted& wanted : kWanted) {
    auto file = dir.keep(wanted.file, wanted.access);
    if (file)
      files.files_.emplace(wanted.file, std::move(*file));
    else if (wanted.needed || file.error().kind == ErrorKind::gone)
      return std::unexpected(std::move(file).error());
  }
  files.keep_processes(dir);
  return files;
}

void ShrinkFiles::keep_processes(const cgroup::Dir& dir) {
  if (processes_.size() == kMostLevels) return;
  if (auto file = dir.keep("cgroup.procs", cgroup::Access::read)) processes_.push_back(std::move(*file));
  const auto names = dir.children();
  if (!names) return;
  for (const std::string& name : *names)
    if (const auto child = dir.open(name)) keep_processes(**child);
}

std::vector<Pid> ShrinkFiles::processes() const {
  std::vector<Pid> pids;
  for (const auto& file : processes_) {
    const auto text = file->read();
    if (!text) continue;  // a level below that ended
    for (const std::string_view word : words(*text))
      if (const auto pid = parse_u64(word); pid && *pid > 0 && *pid <= INT32_MAX)
        pids.emplace_back(static_cast<std::int32_t>(*pid));
  }
  return pids;
}

Result<std::string> ShrinkFiles::read(std::string_view file) const {
  const auto found = files_.find(file);
  if (found == files_.end()) return std::unexpected(make_error(ErrorKind::absent, file, "is not there"));
  return found->second->read();
}

Result<void> ShrinkFiles::write(std::string_view file, std::string_view text) const {
  const auto found = files_.find(file);
  if (found == files_.end()) return std::unexpected(make_error(ErrorKind::absent, file, "is not there"));
  return found->second->write(text);
}

ShrinkResult run_shrink(const ShrinkFiles& files, const ShrinkJob& job, const ShrinkWatch& watch) {
  return Run(files, job, watch).run();
}

}  // namespace weir::limits
