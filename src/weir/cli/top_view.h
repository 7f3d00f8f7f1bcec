// SPDX-License-Identifier: MIT
#pragma once
// What `weir top` shows, as numbers: two frames turned into rates and shares (TopView), sorted and filtered,
// and what the last minutes were (TopHistory). Pure: frames that were recorded are shown the same way as
// those of now. How it is drawn: top_draw.h.

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/container/target.h"
#include "weir/model/frame.h"

namespace weir::cli {

/// Shares of the time, 0..1, in which some task waited. nullopt here and below: not known, which is not 0.
struct TopPressure {
  std::optional<double> cpu, memory, io;
};
/// The resource that is waited for most: "cpu", "memory" or "io".
struct TopWait {
  std::string_view resource;
  double share = 0;
};
std::optional<TopWait> worst(const TopPressure& pressure);

/// Of the host or of one container. Rates are per second; CPU time is in CPUs.
struct TopUse {
  Sample now;  ///< as it was read
  std::optional<double> cpu, cpu_user, cpu_system, steal;
  std::optional<double> io_read, io_written, io_reads, io_writes;
  TopPressure some, full;
};

struct TopRow {
  Subject subject;
  TopUse use;
  /// By its own cpu.max: share of its periods, 0..1. Where only a level above holds it back: share of the
  /// time, at most 1, and throttled_above.
  std::optional<double> throttled;
  bool throttled_above = false;
  std::optional<double> io;  ///< read and written
};

struct TopView {
  std::chrono::nanoseconds time{0};  ///< of the later frame, since the Unix epoch
  std::chrono::nanoseconds span{0};  ///< between the two
  TopUse host;
  std::vector<TopRow> rows;  ///< all of the later frame, in its order
};

/// Whether `now` follows `before` as the next picture: the slow files were read again, too.
bool is_next(const Frame& before, const Frame& now);
/// The later frame, with rates since the earlier one. What is new in it has no rates yet.
TopView make_view(const Frame& before, const Frame& now);

/// Pressure may be read a little more seldom than a frame is made: where it was not read again it stays as it
/// was.
void carry_over(const TopView& before, TopView& now);

/// The tightest over a container and its ancestors, in CPUs; of the host: its CPUs.
std::optional<Limit<double>> cpu_limit(const Sample& sample);
/// memory.high or memory.max, whichever is lower, the same way; of the host: its memory.
std::optional<Limit<Bytes>> memory_limit(const Sample& sample);

enum class TopSort : std::uint8_t { name, cpu, throttled, memory, io, pressure, pids, kills };
inline constexpr std::size_t kTopSorts = 8;
/// "cpu", "memory", …
std::string_view to_string(TopSort sort);
std::optional<TopSort> parse_top_sort(std::string_view text);
enum class TopOrder : std::uint8_t { usual, reversed };  ///< usual: most first, names from a to z
void sort_rows(std::vector<TopRow>& rows, TopSort sort, TopOrder order);

struct TopFilter {
  std::span<const container::Target> targets;  ///< none: all
  std::string_view text;                       ///< in the name, image, runtime, a label or the id; any case
  bool services = false;                       ///< systemd's too; a target that names one shows it anyway
};
bool passes(const TopFilter& filter, const Container& container);

/// One step of the past. Shares of the time.
struct TopPoint {
  TopPressure some;
  std::optional<double> cpu, throttled;  ///< CPUs; share
};
using TopTrack = std::deque<TopPoint>;  ///< oldest first

/// The last pictures of everything that is still there.
class TopHistory {
 public:
  static constexpr std::size_t kPoints = 180;
  void see(const TopView& view);
  /// nullptr: never seen.
  [[nodiscard]] const TopTrack* of(CgroupId cgroup) const;
  [[nodiscard]] const TopTrack& host() const { return host_; }

 private:
  struct Track {
    TopTrack points;
    std::uint64_t seen = 0;
  };
  std::map<CgroupId, Track> tracks_;
  TopTrack host_;
  std::uint64_t views_ = 0;
};

}  // namespace weir::cli
