// SPDX-License-Identifier: MIT
#pragma once
// Which containers a target means, and how to write a container as a target. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "weir/container/target.h"
#include "weir/model/container.h"

namespace weir::container {

/// Whether `container` belongs to the set or has the exact name that the target says. Ids: see has_id_prefix.
bool matches(const Target& target, const Container& container);
/// 4 to 64 hex digits with which the id begins, of the target's runtime.
bool has_id_prefix(const Target& target, const Container& container);

/// A repository and tag ("" for any) against an image as a runtime writes it: docker.io/library/ and
/// localhost/ in front and a digest behind do not count, no tag is "latest".
bool image_matches(std::string_view repository, std::string_view tag, std::string_view image);

/// The shortest text that parse_target() takes and that means only this one of `all`: runtime:name,
/// runtime:id-prefix, or the cgroup path; quoted for a shell where it needs to be.
std::string paste_text(const Container& container, const std::vector<Container>& all);

}  // namespace weir::container
