// SPDX-License-Identifier: MIT
#include "weir/container/k8s.h"

#include <fmt/format.h>

namespace weir::container {

CriType take_cri_annotations(const OciSpec& spec, const CriWords& words, Container& container) {
  const std::string type = spec.annotation(words.type);
  if (type == "sandbox") return CriType::sandbox;
  if (type != "container") return CriType::none;
  container.k8s_namespace = spec.annotation(words.pod_namespace);
  container.k8s_pod = spec.annotation(words.pod);
  container.k8s_container = spec.annotation(words.container);
  container.image = spec.annotation(words.image);
  container.name =
      fmt::format("{}/{}/{}", container.k8s_namespace, container.k8s_pod, container.k8s_container);
  return CriType::container;
}

}  // namespace weir::container
