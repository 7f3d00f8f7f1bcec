// SPDX-License-Identifier: MIT
#pragma once
// Descriptions of a few common terminals that are part of the program, for hosts that have none of the
// user's terminal (a minimal container, an ssh from a terminal that the host has never heard of). Pure.

#include <string_view>

namespace weir::cli {

struct TerminalDescription {
  std::string_view name;      ///< "xterm-256color"
  std::string_view terminfo;  ///< as the variable TERMINFO takes it: "b64:…"
};

/// For a terminal that calls itself `term`: its own, or that of one that it is made to be like; nullptr:
/// nothing is known of it.
const TerminalDescription* find_terminal(std::string_view term);

}  // namespace weir::cli
