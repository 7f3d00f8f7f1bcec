// SPDX-License-Identifier: MIT
#pragma once
// JSON through nlohmann-json, with its two sharp edges filed off: parsing never throws, has a depth and size
// cap, and dumping replaces invalid UTF-8 instead of throwing. Include only in .cpp files (it is slow to
// compile).

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "weir/base/error.h"

namespace weir {

using Json = nlohmann::ordered_json;

/// Parses untrusted text: at most 64 levels deep and `cap` bytes.
Result<Json> parse_json(std::string_view text, std::string_view name,
                        std::size_t cap = std::size_t{64} << 20);
/// Text with invalid UTF-8 replaced by U+FFFD; indent < 0 is one line.
std::string dump_json(const Json& json, int indent = 2);

/// The member, or nullptr if `object` is no object or lacks it. Never throws.
const Json* member(const Json& object, std::string_view key);
/// The member as a string / unsigned number, or the fallback where it is missing or of another type.
std::string string_member(const Json& object, std::string_view key);

}  // namespace weir
