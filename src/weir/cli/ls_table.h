// SPDX-License-Identifier: MIT
#pragma once
// The columns of `weir ls`: one table of key, title and cell, from which -o chooses.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/cli/ls_rows.h"
#include "weir/cli/table.h"

namespace weir::cli {

struct LsColumn {
  std::string_view key;  ///< for -o
  std::string_view title;
  Align align;
  int priority;  ///< as Column::priority, in the standard table
  bool may_shrink;
  bool standard;  ///< shown without -o
  std::string_view about;
  Cell (*cell)(const Row& row);
};
std::span<const LsColumn> ls_columns();

/// "name,cpu,throttled" -> the columns; an unknown one is invalid and names the near ones. Empty: the
/// standard columns.
Result<std::vector<const LsColumn*>> choose_columns(std::string_view keys);

/// Columns that were asked for are never dropped.
enum class Chosen { standard, by_user };
Table make_table(const std::vector<Row>& rows, const std::vector<const LsColumn*>& columns, Chosen chosen);

}  // namespace weir::cli
