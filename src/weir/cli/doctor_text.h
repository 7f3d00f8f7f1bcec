// SPDX-License-Identifier: MIT
#pragma once
// What `weir doctor` shows: the headline, then every check by theme, and for what is missing what it costs
// and how to get it. And the same as JSON.

#include <span>
#include <string>

#include "weir/doctor/check.h"

namespace weir::cli {

std::string doctor_text(std::span<const doctor::Check> checks, std::size_t columns, bool colour);
/// {"schema":1,"checks":[{"name","status","why","cost","fix"}]}
std::string doctor_json(std::span<const doctor::Check> checks);

}  // namespace weir::cli
