// SPDX-License-Identifier: MIT
#include "weir/policy/view.h"

namespace weir::policy {
namespace {

constexpr std::array<std::string_view, kResources> kNames = {"cpu", "memory", "io.read", "io.write"};

}  // namespace

std::string_view to_string(Resource resource) { return kNames[index(resource)]; }

std::optional<Resource> parse_resource(std::string_view text) {
  for (std::size_t n = 0; n < kResources; ++n)
    if (kNames[n] == text) return static_cast<Resource>(n);
  return std::nullopt;
}

}  // namespace weir::policy
