// SPDX-License-Identifier: MIT
#pragma once
// A picture of `weir top` as JSON (docs/reference/top.md).

#include <span>
#include <string>

#include "weir/cli/top_view.h"

namespace weir::cli {

/// One line, without the newline. `rows`: those of the view that are wanted, in their order.
std::string top_json(const TopView& view, std::span<const TopRow> rows, std::string_view source);

}  // namespace weir::cli
