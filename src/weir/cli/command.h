// SPDX-License-Identifier: MIT
#pragma once
// What every command gets (Session) and how it is found (CommandEntry). A command is one file: add_NAME()
// declares its options on the parser and sets the action that runs it; the action takes nothing from globals.

#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/model/host_paths.h"

namespace CLI {
class App;
}

namespace weir::cli {

enum ExitCode : int { kDone = 0, kFailed = 1, kUsage = 2, kHostCannot = 3, kTargetGone = 4 };

/// Streams of one invocation. Colour and progress only where `*_tty`.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  bool out_tty = false, err_tty = false, in_tty = false;
  bool colour = false;  ///< out_tty, NO_COLOR unset, TERM not dumb; --color=always|never decides over it
  std::size_t columns = 80;
};

struct Session {
  Terminal terminal;
  HostPaths paths;
  bool json = false;            ///< global --json
  bool yes = false;             ///< global -y / --yes
  std::function<int()> action;  ///< set by the chosen command's callback; returns the exit code
};

struct CommandEntry {
  std::string_view name;
  void (*add)(CLI::App& app, Session& session);
  bool describes_all = false;  ///< its output is made from the whole tree of commands
};
std::span<const CommandEntry> commands();

/// Parses and runs. `arguments` without the program's name.
int run(std::span<const std::string> arguments, Terminal terminal);

/// Prints "weir: SUBJECT: what" and the hint, escaped; as JSON {"schema":1,"error":{…}} on stdout where
/// --json. Returns the exit code for the kind: gone 4, absent 3, invalid 2, refused and failed 1.
int report(const Session& session, const Error& error);
/// The exit code of what a command did, or that of its error, which is reported.
int report(const Session& session, const Result<int>& outcome);
/// "warning: …" on stderr, escaped.
void warn(const Session& session, std::string_view text);
/// Asks "TEXT [y/N] " on the terminal; true without asking under -y; false (with a sentence) when there is no
/// terminal.
bool confirm(const Session& session, std::string_view question);

}  // namespace weir::cli
