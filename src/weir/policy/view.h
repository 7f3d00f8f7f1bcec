// SPDX-License-Identifier: MIT
#pragma once
// View: what one decision about one resource of one container goes by, and nothing else does: a decision can
// be made again from the record of its view. Plain numbers, with a table of their names, by which records,
// samples and learning go.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace weir::policy {

/// What a soft limit is of; the unit of all its numbers, and the knob that it moves.
enum class Resource : std::uint8_t {
  cpu,       ///< CPUs; cpu.max
  memory,    ///< bytes; memory.high
  io_read,   ///< bytes a second from one device; io.max
  io_write,  ///< bytes a second to one device; io.max
};
inline constexpr std::size_t kResources = 4;
inline constexpr std::size_t index(Resource resource) { return static_cast<std::size_t>(resource); }
/// "cpu", "memory", "io.read", "io.write"
std::string_view to_string(Resource resource);
std::optional<Resource> parse_resource(std::string_view text);

/// Where a soft limit may be. Never moves while it is in force. floor <= soft <= hard; step > 0.
struct Bounds {
  double soft = 0;      ///< where it begins
  double hard = 0;      ///< never past this
  double floor = 0;     ///< never below
  double step = 0;      ///< the least that is worth a change
  double cooldown = 1;  ///< seconds from one raise to the next
  bool operator==(const Bounds&) const = default;
};

/// Below that a share of the time is noise.
inline constexpr double kNoticed = 0.02;

/// Shares are 0..1 of the time; times are seconds. What is not known is 0, and says so where that matters.
struct View {
  Resource resource = Resource::cpu;
  double limit = 0;  ///< the soft limit in force
  double hard = 0, floor = 0, step = 0, cooldown = 0;
  double use = 0;                             ///< cpu, io: a second, since the look before; memory: now
  double peak = 0;                            ///< the most of late (Tracker::kPeakHalfLife)
  double p50 = 0, p90 = 0, p95 = 0, p99 = 0;  ///< of the use, what is older counting less
  double held = 0;                            ///< share in which this very limit held it back
  double held_above = 0;                      ///< in which a limit above did
  double limit_above = 0;                     ///< the tightest of those above; 0: none
  double pressure = 0;    ///< share in which some task waited for the resource, for whatever reason
  double contention = 0;  ///< of that, what no limit explains: others, or a hypervisor
  double host_busy = 0;   ///< share of the host's CPUs, or memory, in use
  double since_raise = 0, since_change = 0;
  double held_for = 0;   ///< how long it has been held back by it, without a pause
  double calm = 0;       ///< how long nothing has held it back
  double available = 0;  ///< how much more the host has for it, at most the hard limit
  double woken = 0;      ///< 1: the kernel has just told that the limit was hit
  /// Of cpu, by policies that ease (policies.h); 0 by others, and where the kernel does not have it.
  double burst = 0;  ///< cpu.max.burst: what may be saved up and used above the limit, CPUs of one period
  double burst_most = 0;                 ///< what it may be: limit + burst <= hard, burst <= limit
  double weight = 0, weight_before = 0;  ///< cpu.weight, and what it was before it was raised
  bool operator==(const View&) const = default;
};

struct Field {
  std::string_view name;
  double View::* value;
  bool came_later = false;  ///< records of before do not have it, and mean 0
};
inline constexpr std::array<Field, 27> kFields = {{
    {"limit", &View::limit},
    {"hard", &View::hard},
    {"floor", &View::floor},
    {"step", &View::step},
    {"cooldown", &View::cooldown},
    {"use", &View::use},
    {"peak", &View::peak},
    {"p50", &View::p50},
    {"p90", &View::p90},
    {"p95", &View::p95},
    {"p99", &View::p99},
    {"held", &View::held},
    {"held_above", &View::held_above},
    {"limit_above", &View::limit_above},
    {"pressure", &View::pressure},
    {"contention", &View::contention},
    {"host_busy", &View::host_busy},
    {"since_raise", &View::since_raise},
    {"since_change", &View::since_change},
    {"held_for", &View::held_for, true},
    {"calm", &View::calm},
    {"available", &View::available},
    {"woken", &View::woken},
    {"burst", &View::burst, true},
    {"burst_most", &View::burst_most, true},
    {"weight", &View::weight, true},
    {"weight_before", &View::weight_before, true},
}};

}  // namespace weir::policy
