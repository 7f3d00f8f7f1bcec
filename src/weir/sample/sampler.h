// SPDX-License-Identifier: MIT
#pragma once
// Sampler: reads the host's and the containers' files into one Frame, again and again, through files that are
// kept open: one pread a file, nothing allocated. It decides neither when nor who (roster.h). Pressure is
// read at most once a second, whatever is asked: faster reading destroys stall time for every reader on the
// host. One sampler a host: frames.h keeps to that. One thread.

#include <memory>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/cgroup/dir.h"
#include "weir/model/frame.h"
#include "weir/sample/limits_above.h"
#include "weir/sample/sources.h"

namespace weir::sample {

/// What changes fast and costs least, of containers: cpu.stat, cpu.stat.local, memory.current.
Sources fast_sources();
Sources all_sources();

class Sampler {
 public:
  /// `root` and `clock` outlive it. Errors: the host's /proc cannot be read.
  static Result<Sampler> open(const cgroup::Dir& root, const std::string& proc, const Clock& clock);
  /// One for cgroups alone, beside one that reads the host: that has no metrics in its frames.
  static Sampler without_host(const cgroup::Dir& root, const Clock& clock);

  /// From the next frame on. A cgroup that is in already is the same subject, perhaps with a new name.
  /// Errors: gone, refused, failed (no more files can be opened).
  Result<CgroupId> add(const Container& container);
  void remove(CgroupId cgroup);

  /// Reads the files of `wanted`; the others stay as they were, with their own read time. Valid until the
  /// next call of anything here.
  const Frame& read(Sources wanted);
  /// Those that turned out to be gone in the last read(), already removed.
  [[nodiscard]] const std::vector<Subject>& ended() const { return ended_; }
  /// Files of the last read() that could not be read or understood; their metrics are not counted.
  [[nodiscard]] std::uint32_t unreadable() const { return unreadable_; }
  [[nodiscard]] const Frame& frame() const { return frame_; }

 private:
  struct Member {
    std::unique_ptr<cgroup::Dir> dir;
    std::array<std::unique_ptr<cgroup::File>, kSources> files;  ///< null where there is none
    LimitsAbove::Chain above;
  };
  Sampler(const cgroup::Dir& root, const Clock& clock);
  /// False: the cgroup is gone.
  bool read(Member& member, Sources wanted, Sample& sample);
  void read_host(Sources wanted);
  void erase(std::size_t at);

  const cgroup::Dir& root_;
  const Clock& clock_;
  std::uint64_t ticks_ = 100;
  std::array<Fd, kSources> host_;          ///< below /proc
  std::unique_ptr<cgroup::File> host_io_;  ///< the root's io.stat, since Linux 5.9: all disks
  LimitsAbove above_;
  std::vector<Member> members_;  ///< as frame_.subjects
  Frame frame_;
  std::vector<Subject> ended_;
  std::uint32_t unreadable_ = 0;
  std::chrono::nanoseconds pressure_at_{0};
  std::vector<char> buffer_;
};

}  // namespace weir::sample
