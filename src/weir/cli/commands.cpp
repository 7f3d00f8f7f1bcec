// SPDX-License-Identifier: MIT
// The one table of commands, in the order of the help. A command's file declares its own add_NAME().
#include "weir/cli/command.h"

namespace weir::cli {

void add_apply(CLI::App& app, Session& session);
void add_changes(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);
void add_control(CLI::App& app, Session& session);
void add_doctor(CLI::App& app, Session& session);
void add_events(CLI::App& app, Session& session);
void add_guard(CLI::App& app, Session& session);
void add_lab(CLI::App& app, Session& session);
void add_latency(CLI::App& app, Session& session);
void add_ls(CLI::App& app, Session& session);
void add_man(CLI::App& app, Session& session);
void add_policy(CLI::App& app, Session& session);
void add_set(CLI::App& app, Session& session);
void add_status(CLI::App& app, Session& session);
void add_sync(CLI::App& app, Session& session);
void add_top(CLI::App& app, Session& session);
void add_undo(CLI::App& app, Session& session);
void add_watch(CLI::App& app, Session& session);

namespace {

// clang-format off: one a line
constexpr CommandEntry kCommands[] = {
    {"doctor", add_doctor},
    {"ls", add_ls},
    {"top", add_top},
    {"watch", add_watch},
    {"events", add_events},
    {"set", add_set},
    {"apply", add_apply},
    {"undo", add_undo},
    {"changes", add_changes},
    {"guard", add_guard},
    {"control", add_control},
    {"policy", add_policy},
    {"status", add_status},
    {"sync", add_sync},
    {"completion", add_completion, true},
    {"lab", add_lab},
    {"latency", add_latency},
    {"man", add_man, true},
};
// clang-format on

}  // namespace

std::span<const CommandEntry> commands() { return kCommands; }

}  // namespace weir::cli
