// SPDX-License-Identifier: MIT
#pragma once
// The command line as one CLI11 tree: run(), the man pages and the completions are made from it.

#include <span>
#include <string>

#include "weir/cli/command.h"

namespace weir::cli {

/// Fills an empty `app` with the global options and the commands that `arguments` name; with every command
/// where they name none.
void build_parser(CLI::App& app, Session& session, std::span<const std::string> arguments);

}  // namespace weir::cli
