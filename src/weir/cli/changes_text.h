// SPDX-License-Identifier: MIT
#pragma once
// The table of `weir changes`. Pure but for the time zone and the names of users.

#include <cstddef>
#include <string>
#include <vector>

#include "weir/limits/recent.h"

namespace weir::cli {

/// One line a change, at most `columns` wide; a sentence where there is none.
std::string changes_text(const std::vector<limits::Listed>& changes, std::size_t columns, bool colour);

}  // namespace weir::cli
