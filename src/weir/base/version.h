// SPDX-License-Identifier: MIT
#pragma once
// The version of the library and the program; CMake checks that it is the project's.

#include <string_view>

namespace weir {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace weir
