// SPDX-License-Identifier: MIT
// Any bytes as the Engine's list of containers: an Error or valid containers, never a crash.
#include <cstdlib>

#include "weir/docker/containers.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto containers = weir::docker::containers_from_json({reinterpret_cast<const char*>(data), size});
  if (!containers) return 0;
  for (const weir::Container& container : *containers)
    if (!weir::docker::is_full_id(container.id) || container.name.empty()) std::abort();
  return 0;
}
