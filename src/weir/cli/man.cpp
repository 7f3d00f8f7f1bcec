// SPDX-License-Identifier: MIT
// `weir man [COMMAND]`: the man page of the program or of one command in roff, made from the parser's own
// help.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <memory>
#include <ostream>
#include <string>

#include "weir/base/text.h"
#include "weir/base/version.h"
#include "weir/cli/command.h"

namespace weir::cli {
namespace {

/// Text for roff: backslashes and leading dots or quotes are harmless afterwards.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    line_start = c == '\n';
  }
  return out;
}

void print_options(const CLI::App& app, std::ostream& out) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    std::string name = option->get_positional() ? option->get_type_name() : option->get_name(false, true);
    std::replace(name.begin(), name.end(), ',', ' ');
    if (option->get_type_size() != 0 && !option->get_positional()) name += ' ' + option->get_type_name();
    fmt::print(out, ".TP\n.B {}\n{}", roff(name), roff(option->get_description()));
    if (!option->get_default_str().empty())
      fmt::print(out, " (default: {})", roff(option->get_default_str()));
    fmt::print(out, "\n");
  }
}

void print_footer(const CLI::App& app, std::ostream& out) {
  const std::string footer = app.get_footer();
  if (!footer.empty()) fmt::print(out, ".SH NOTES\n.nf\n{}\n.fi\n", roff(footer));
}

void print_page(const CLI::App& app, const std::string& title, std::ostream& out) {
  std::string upper = title;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::string about = app.get_description();
  std::string summary(about.substr(0, about.find('\n')));
  if (summary.ends_with('.')) summary.pop_back();
  fmt::print(out, ".TH {} 1 \"\" \"weir {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n",
             roff(upper), kVersion, roff(title), roff(summary));
  const std::string synopsis = title == "weir" ? "weir" : "weir " + app.get_name();
  fmt::print(out, ".B {}\n[options]", roff(synopsis));
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional()) fmt::print(out, " {}", roff(option->get_type_name()));
  const auto subs = app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
  if (!subs.empty()) fmt::print(out, " COMMAND");
  fmt::print(out, "\n.SH DESCRIPTION\n");
  for (const std::string_view line : split(about, '\n'))
    fmt::print(out, "{}\n", line.empty() ? ".PP" : roff(line));
  if (!subs.empty()) {
    fmt::print(out, ".SH COMMANDS\n");
    for (const CLI::App* sub : subs) {
      const std::string& text = sub->get_description();
      fmt::print(out, ".TP\n.B {}\n{}\n", roff(sub->get_name()), roff(text.substr(0, text.find('\n'))));
      if (title != "weir") print_options(*sub, out);
    }
  }
  fmt::print(out, ".SH OPTIONS\n");
  print_options(app, out);
  print_footer(app, out);
  fmt::print(out,
             ".SH EXIT STATUS\n0 done; 1 the thing asked for failed; 2 wrong usage; 3 the host cannot do it; "
             "4 the target is gone.\n");
  fmt::print(out, ".SH SEE ALSO\n.BR weir (1)");
  const CLI::App* root = app.get_parent() == nullptr ? &app : app.get_parent();
  for (const CLI::App* sub : root->get_subcommands([](const CLI::App* s) { return !s->get_group().empty(); }))
    fmt::print(out, ",\n.BR weir\\-{} (1)", sub->get_name());
  fmt::print(out, "\n");
}

}  // namespace

void add_man(CLI::App& app, Session& session) {
  CLI::App* sub = app.add_subcommand("man", "Print the man page of weir or of a command, in roff");
  sub->group("");  // for packaging; hidden from the help
  auto command = std::make_shared<std::string>();
  sub->add_option("COMMAND", *command, "the command; none: weir itself")->type_name("COMMAND");
  sub->callback([&app, &session, command] {
    session.action = [&app, &session, command]() -> int {
      if (command->empty()) {
        print_page(app, "weir", session.terminal.out);
        return kDone;
      }
      const auto chosen = app.get_subcommands([&](const CLI::App* s) { return s->get_name() == *command; });
      if (chosen.empty()) return report(session, make_error(ErrorKind::invalid, *command, "is no command"));
      print_page(*chosen.front(), "weir-" + *command, session.terminal.out);
      return kDone;
    };
  });
}

}  // namespace weir::cli
