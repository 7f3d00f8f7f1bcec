// SPDX-License-Identifier: MIT
#pragma once
// ModelFile: a model as text and back (docs/reference/model-file.md). One JSON object of a bounded form; its
// last member is the checksum of every byte before it. Pure: whose file it is is the reader's to ask.

#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/learn/model.h"

namespace weir::learn {

inline constexpr int kModelVersion = 1;
inline constexpr std::size_t kLargestModel = std::size_t{8} << 20;

/// With six decimals, which is finer than anything that is measured.
std::string format_model(const Model& model);
/// Untrusted text. Errors: invalid, with the reason: no model, cut off, of another version or schema,
/// damaged, out of bounds.
Result<Model> parse_model(std::string_view text);

}  // namespace weir::learn
