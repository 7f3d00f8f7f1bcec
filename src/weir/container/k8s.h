// SPDX-License-Identifier: MIT
#pragma once
// The words of Kubernetes in an OCI config.json: which annotations say pod, container and image, and that a
// pod's pause container (the sandbox) is no container that anyone asks for.

#include <string_view>

#include "weir/container/record.h"
#include "weir/model/container.h"

namespace weir::container {

/// Annotation names of one CRI implementation.
struct CriWords {
  const char* type;  ///< "container" or "sandbox"
  const char* pod_namespace;
  const char* pod;
  const char* container;
  const char* image;
};
inline constexpr CriWords kContainerdWords = {
    "io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-namespace",
    "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri.container-name", "io.kubernetes.cri.image-name"};
inline constexpr CriWords kCrioWords = {"io.kubernetes.cri-o.ContainerType", "io.kubernetes.pod.namespace",
                                        "io.kubernetes.pod.name", "io.kubernetes.container.name",
                                        "io.kubernetes.cri-o.ImageName"};

enum class CriType { none, sandbox, container };

/// Sets name (namespace/pod/container), k8s_* and image where the annotations are Kubernetes'.
CriType take_cri_annotations(const OciSpec& spec, const CriWords& words, Container& container);

}  // namespace weir::container
