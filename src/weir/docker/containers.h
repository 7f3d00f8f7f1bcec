// SPDX-License-Identifier: MIT
#pragma once
// From the Engine's JSON to Container values. Pure; the JSON is untrusted: entries without a usable id are
// passed over, members of a wrong type count as missing.

#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/container.h"

namespace weir::docker {

/// 64 lower-case hex digits: what an id of the Engine looks like.
bool is_full_id(std::string_view text);

/// The body of GET /containers/json. failed: not a JSON array.
Result<std::vector<Container>> containers_from_json(std::string_view body);

/// Sets compose_* and k8s_* from the labels that compose and the kubelet's docker shims give.
void take_known_labels(Container& container);

}  // namespace weir::docker
