// SPDX-License-Identifier: MIT
#pragma once
// A row as scripts see it (docs/reference/ls.md): versioned, and null where nothing is counted.

#include "weir/base/json.h"
#include "weir/cli/ls_rows.h"

namespace weir::cli {

Json to_json(const Row& row);

}  // namespace weir::cli
