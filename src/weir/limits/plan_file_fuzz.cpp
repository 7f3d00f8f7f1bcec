// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/limits/plan_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto plan = weir::limits::parse_plan_file({reinterpret_cast<const char*>(data), size}, "plan.yml");
  if (plan && plan->entries.empty()) __builtin_trap();
  return 0;
}
