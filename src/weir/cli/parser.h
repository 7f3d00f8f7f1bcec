// SPDX-License-Identifier: MIT
#pragma once
// The whole command line as one CLI11 tree: run(), the man pages and the completions are made from it.

#include "weir/cli/command.h"

namespace weir::cli {

/// Fills an empty `app` with the global options and every command.
void build_parser(CLI::App& app, Session& session);

}  // namespace weir::cli
