// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/latency/state_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)weir::latency::parse_state(text, "race");
  const auto value = weir::latency::parse_value(weir::cgroup::Knob::cpu_max, text);
  if (value) (void)weir::latency::kernel_text(*value);
  return 0;
}
