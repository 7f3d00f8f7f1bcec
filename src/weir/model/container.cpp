// SPDX-License-Identifier: MIT
#include "weir/model/container.h"

namespace weir {

std::string_view to_string(Runtime runtime) {
  switch (runtime) {
    case Runtime::docker:
      return "docker";
    case Runtime::podman:
      return "podman";
    case Runtime::lxc:
      return "lxc";
    case Runtime::containerd:
      return "containerd";
    case Runtime::crio:
      return "cri-o";
    case Runtime::systemd:
      return "systemd";
    case Runtime::none:
      return "-";
  }
  return "-";
}

std::optional<Runtime> parse_runtime(std::string_view text) {
  for (const Runtime runtime : {Runtime::docker, Runtime::podman, Runtime::lxc, Runtime::containerd,
                                Runtime::crio, Runtime::systemd, Runtime::none})
    if (to_string(runtime) == text) return runtime;
  return std::nullopt;
}

}  // namespace weir
