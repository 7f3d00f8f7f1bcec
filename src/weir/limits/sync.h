// SPDX-License-Identifier: MIT
#pragma once
// Sync: the same limits in the words of those who believe that they own them. Pure translation between
// Settings and what the Engine keeps of a container (HostConfig) and systemd of a unit (its properties): what
// to tell them, what they can only round, and how to tell them their own old value again.
//
// Both speak through Values: a name of theirs, and the value as text. A number is decimal (systemd's
// "infinity" is 2^64-1), a set of CPUs is a list ("0-3"). A property of a device has the device's path behind
// its name: "IOReadBandwidthMax /dev/vda".

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/cgroup/knob.h"

namespace weir::limits {

using Values = std::map<std::string, std::string>;

inline constexpr std::string_view kInfinity = "18446744073709551615";

/// What systemd keeps a quota in, as microseconds a second.
inline constexpr std::uint64_t kWholePercents = 10'000;      ///< as its drop-in files do
inline constexpr std::uint64_t kHundredthsOfPercents = 100;  ///< since 257

/// Whom a container's limits are known to, and what they say now.
struct Listeners {
  bool engine = false, unit = false;
  Values engine_says, unit_says;
  std::uint64_t host_cpus = 0, host_memory = 0;  ///< as the Engine counts them; 0 where it does not say
  std::uint64_t quota_step = kWholePercents;
  std::map<std::string, std::string> device_paths;  ///< "254:0" -> "/dev/vda"
};

/// What is to be told, and what a listener makes of it that is not quite what was asked for (sentences).
struct Telling {
  Values engine, unit;
  std::vector<std::string> notes;
};

/// The Engine's names and the unit's properties that hold a knob of theirs; empty where they have none, or
/// where this container was made without it, so that systemd alone has to know.
std::vector<std::string> engine_names(const cgroup::Setting& setting, const Listeners& listeners);
std::vector<std::string> unit_names(const cgroup::Setting& setting, const Listeners& listeners);

/// `kernel` is what the cgroup holds besides (the Engine counts swap and memory together). NanoCpus stays
/// NanoCpus, CpuQuota and CpuPeriod stay those; a container without a CPU limit gets NanoCpus where it can,
/// since a CpuQuota can never be taken out again and would silently win over a later NanoCpus.
Telling translate(const std::vector<cgroup::Setting>& wanted, const std::vector<cgroup::Setting>& kernel,
                  const Listeners& listeners);

/// The value that systemd makes of it when it writes the kernel's file from what it keeps (rounded up to its
/// step, Listeners::quota_step); nullopt where it keeps it as it is. And the sentence about that.
std::optional<std::string> rounded(const cgroup::Setting& setting, std::uint64_t quota_step);
std::string rounding_note(const std::string& kept, std::uint64_t quota_step);

/// What tells them `before` again. What the Engine cannot forget becomes the whole host: as good as none.
Telling translate_back(const Values& engine_before, const Values& unit_before, const Listeners& listeners);

/// The values of `wanted` that `says` has otherwise, as sentences: "NanoCpus is 1000000000, not 1500000000".
std::vector<std::string> differences(const Values& wanted, const Values& says);

/// The body of an Engine update.
std::string engine_json(const Values& values);

/// "0-3,7" as systemd's bit mask, and back.
std::vector<std::uint8_t> cpu_mask(std::string_view list);
std::string cpu_list(const std::vector<std::uint8_t>& mask);

}  // namespace weir::limits
