// SPDX-License-Identifier: MIT
// How errors, warnings and questions look.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <istream>
#include <ostream>

#include "weir/base/escape.h"
#include "weir/base/json.h"
#include "weir/cli/command.h"

namespace weir::cli {
namespace {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::gone:
      return kTargetGone;
    case ErrorKind::absent:
      return kHostCannot;
    case ErrorKind::invalid:
      return kUsage;
    case ErrorKind::refused:
    case ErrorKind::failed:
      return kFailed;
  }
  return kFailed;
}

}  // namespace

int report(const Session& session, const Error& error) {
  if (session.json) {
    const Json json = {{"schema", 1},
                       {"error",
                        {{"kind", std::string(to_string(error.kind))},
                         {"subject", error.subject},
                         {"message", error.message()},
                         {"hint", error.hint}}}};
    fmt::print(session.terminal.out, "{}\n", dump_json(json));
  }
  fmt::print(session.terminal.err, "weir: {}\n", terminal_safe(error.message()));
  if (!error.hint.empty()) fmt::print(session.terminal.err, "  {}\n", terminal_safe(error.hint));
  return exit_code(error.kind);
}

int report(const Session& session, const Result<int>& outcome) {
  return outcome ? *outcome : report(session, outcome.error());
}

void warn(const Session& session, std::string_view text) {
  fmt::print(session.terminal.err, "weir: warning: {}\n", terminal_safe(text));
}

bool confirm(const Session& session, std::string_view question) {
  if (session.yes) return true;
  if (!session.terminal.in_tty || !session.terminal.err_tty) {
    fmt::print(session.terminal.err, "weir: {}: not asked, since there is no terminal; -y answers yes\n",
               terminal_safe(question));
    return false;
  }
  fmt::print(session.terminal.err, "{} [y/N] ", terminal_safe(question));
  session.terminal.err.flush();
  std::string answer;
  std::getline(session.terminal.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace weir::cli
