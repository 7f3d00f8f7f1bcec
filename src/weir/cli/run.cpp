// SPDX-License-Identifier: MIT
// run(): arguments -> parser -> the command's action -> exit code.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/base/version.h"
#include "weir/cli/command.h"
#include "weir/cli/help.h"
#include "weir/cli/overview.h"
#include "weir/cli/parser.h"

namespace weir::cli {
namespace {

/// "weir lss" -> "did you mean ls?". Empty when the first word is a command, or nothing is near.
std::string suggestion(std::span<const std::string> arguments) {
  const auto word = std::find_if(arguments.begin(), arguments.end(),
                                 [](const std::string& a) { return !a.starts_with('-'); });
  if (word == arguments.end()) return {};
  std::vector<std::string> names;
  for (const CommandEntry& command : commands()) names.emplace_back(command.name);
  if (std::find(names.begin(), names.end(), *word) != names.end()) return {};
  const std::vector<std::string> near = nearest(*word, names);
  return fmt::format(
      "there is no command '{}'{}", terminal_safe(*word),
      near.empty() ? std::string() : fmt::format("; did you mean '{}'?", fmt::join(near, "' or '")));
}

/// Of the innermost command that was understood.
std::string where_help_is(const CLI::App& app) {
  std::string path;
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().back();
    path += " " + at->get_name();
  }
  return path.empty() ? "weir --help lists the commands and options"
                      : fmt::format("weir{} --help shows what there is, with examples", path);
}

int usage_error(const Session& session, std::span<const std::string> arguments, const CLI::App& app,
                const std::string& text) {
  const std::string better = suggestion(arguments);
  report(session, make_error(ErrorKind::invalid, "", better.empty() ? text : better, where_help_is(app)));
  return kUsage;
}

/// "weir help set" is "weir set --help".
std::vector<std::string> understood(std::span<const std::string> arguments) {
  std::vector<std::string> words(arguments.begin(), arguments.end());
  if (words.empty() || words.front() != "help") return words;
  words.erase(words.begin());
  words.emplace_back("--help");
  return words;
}

}  // namespace

int run(std::span<const std::string> given, Terminal terminal) {
  const std::vector<std::string> arguments = understood(given);
  Session session{.terminal = terminal, .paths = {}, .action = {}};
  CLI::App app;
  build_parser(app, session, arguments);
  // --json must be known before parsing ends, so that a wrong usage is reported in the right form too.
  session.json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForVersion&) {
    fmt::print(session.terminal.out, "weir {}\n", kVersion);
    return kDone;
  } catch (const CLI::CallForAllHelp&) {
    fmt::print(session.terminal.out, "{}", app.help("", CLI::AppFormatMode::All));
    return kDone;
  } catch (const CLI::CallForHelp&) {
    fmt::print(session.terminal.out, "{}", app.help());
    return kDone;
  } catch (const CLI::ParseError& error) {
    return usage_error(session, arguments, app, error.what());
  }
  return session.action ? session.action() : overview(session);
}

}  // namespace weir::cli
