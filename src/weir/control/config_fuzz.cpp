// SPDX-License-Identifier: MIT
// Any bytes as a configuration: an Error with its place, or what config.h and policy::Bounds promise.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/control/config.h"

namespace {

bool holds(const weir::control::Managed& managed) {
  const weir::policy::Bounds& b = managed.bounds;
  const bool finite = std::isfinite(b.hard) && std::isfinite(b.step) && std::isfinite(b.cooldown);
  return finite && 0 < b.floor && b.floor <= b.soft && b.soft <= b.hard && 0 < b.step && 0.1 <= b.cooldown &&
         managed.policy != nullptr && managed.parameters.size() == managed.policy->parameters.size() &&
         managed.device.empty() == (managed.resource < weir::policy::Resource::io_read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config =
      weir::control::parse_config({reinterpret_cast<const char*>(data), size}, "containers.yml");
  if (!config) {
    if (!config.error().subject.starts_with("containers.yml") || config.error().what.empty())
      __builtin_trap();
    return 0;
  }
  if (config->entries.empty()) __builtin_trap();
  for (const auto& entry : config->entries) {
    if (entry.resources.empty() || entry.priority < 0 || entry.priority > 100) __builtin_trap();
    for (const auto& managed : entry.resources)
      if (!holds(managed)) __builtin_trap();
  }
  return 0;
}
