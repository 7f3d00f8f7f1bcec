// SPDX-License-Identifier: MIT
// The one table of commands, in the order of the help. A command's file declares its own add_NAME().
#include "weir/cli/command.h"

namespace weir::cli {

void add_completion(CLI::App& app, Session& session);
void add_man(CLI::App& app, Session& session);

namespace {

constexpr CommandEntry kCommands[] = {
    {"completion", add_completion},
    {"man", add_man},
};

}  // namespace

std::span<const CommandEntry> commands() { return kCommands; }

}  // namespace weir::cli
