// SPDX-License-Identifier: MIT
// `weir completion SHELL`: a completion script made from the parser's own tree, so that it is never behind
// it.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "weir/base/text.h"
#include "weir/cgroup/knob.h"
#include "weir/cli/command.h"
#include "weir/cli/parser.h"

namespace weir::cli {
namespace {

struct Word {
  std::string name, about;
};

std::string first_line(std::string text) { return text.substr(0, text.find('\n')); }

std::vector<Word> visible_commands(const CLI::App& app) {
  std::vector<Word> found;
  for (const CLI::App* sub : app.get_subcommands({}))
    if (!sub->get_group().empty()) found.push_back({sub->get_name(), first_line(sub->get_description())});
  return found;
}

std::vector<Word> options_of(const CLI::App& app) {
  std::vector<Word> found;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames())
      found.push_back({"--" + name, option->get_description()});
    for (const std::string& name : option->get_snames())
      found.push_back({"-" + name, option->get_description()});
  }
  return found;
}

std::string names(const std::vector<Word>& list) {
  std::string text;
  for (const Word& word : list) text += (text.empty() ? "" : " ") + word.name;
  return text;
}

std::string knob_words() {
  std::string text;
  for (const cgroup::KnobInfo& knob : cgroup::knobs()) {
    text += fmt::format("{}{}=", text.empty() ? "" : " ", knob.file);
    if (!knob.short_form.empty()) text += fmt::format(" {}=", knob.short_form);
  }
  return text;
}

/// Which commands take containers behind their options.
constexpr std::string_view kTargetCommands = "set|undo|changes|ls|latency";

void print_bash(const CLI::App& app, std::ostream& out) {
  fmt::print(out, R"SH(# bash completion for weir
_weir_targets() {{ weir ls --no-header -o name 2>/dev/null; }}
_weir() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} command= word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    [[ $word == -* ]] || {{ command=$word; break; }}
  done
  local IFS=$'\n'
  if [[ -z $command ]]; then
    COMPREPLY=($(IFS=' ' compgen -W "{} {}" -- "$cur"))
    return
  fi
  if [[ $cur == -* ]]; then
    case $command in
)SH",
             names(visible_commands(app)), names(options_of(app)));
  for (const CLI::App* sub : app.get_subcommands({}))
    fmt::print(out, "      {}) COMPREPLY=($(IFS=' ' compgen -W \"{} {}\" -- \"$cur\")) ;;\n", sub->get_name(),
               names(options_of(*sub)), names(options_of(app)));
  fmt::print(out, R"SH(    esac
    return
  fi
  case $command in
    set) COMPREPLY=($(compgen -W "$(_weir_targets)" -- "$cur") $(IFS=' ' compgen -W "{}" -- "$cur"))
         [[ ${{COMPREPLY[0]-}} == *= ]] && compopt -o nospace ;;
)SH",
             knob_words());
  for (const CLI::App* sub : app.get_subcommands({}))
    if (const std::string inner = names(visible_commands(*sub)); !inner.empty())
      fmt::print(out, "    {}) COMPREPLY=($(IFS=' ' compgen -W \"{}\" -- \"$cur\")) ;;\n", sub->get_name(),
                 inner);
  fmt::print(out, R"SH(    completion) COMPREPLY=($(IFS=' ' compgen -W "bash zsh fish" -- "$cur")) ;;
    {}) COMPREPLY=($(compgen -W "$(_weir_targets)" -- "$cur")) ;;
  esac
}}
complete -F _weir weir
)SH",
             kTargetCommands);
}

std::string zsh_quote(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else if (c == '[' || c == ']' || c == ':' || c == '\\')
      (out += '\\') += c;
    else
      out += c;
  }
  return out;
}

void print_zsh(const CLI::App& app, std::ostream& out) {
  fmt::print(out, "#compdef weir\n# zsh completion for weir\n");
  fmt::print(out,
             "_weir_targets() {{ local -a t; t=(${{(f)\"$(weir ls --no-header -o name 2>/dev/null)\"}}); "
             "compadd -a t }}\n");
  fmt::print(
      out, "_weir_knobs() {{ compadd -S '' -- {} }}\n_weir() {{\n  local -a commands options\n  commands=(\n",
      knob_words());
  for (const Word& word : visible_commands(app))
    fmt::print(out, "    '{}:{}'\n", word.name, zsh_quote(word.about));
  fmt::print(
      out,
      "  )\n  if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then _describe command commands; return; fi\n");
  fmt::print(out, "  case $words[2] in\n");
  for (const CLI::App* sub : app.get_subcommands({})) {
    fmt::print(out, "    {})\n      options=(\n", sub->get_name());
    for (const Word& word : options_of(*sub))
      fmt::print(out, "        '{}:{}'\n", word.name, zsh_quote(word.about));
    for (const Word& word : options_of(app))
      fmt::print(out, "        '{}:{}'\n", word.name, zsh_quote(word.about));
    fmt::print(out, "      )\n      ");
    if (const std::string inner = names(visible_commands(*sub)); !inner.empty())
      fmt::print(out, "(( CURRENT == 3 )) && compadd -- {};", inner);
    else if (sub->get_name() == "completion")
      fmt::print(out, "compadd -- bash zsh fish;");
    else
      fmt::print(out, "[[ $PREFIX != -* ]] && _weir_targets;");
    if (sub->get_name() == "set") fmt::print(out, " [[ $PREFIX != -* ]] && _weir_knobs;");
    fmt::print(out, " [[ $PREFIX == -* ]] && _describe option options ;;\n");
  }
  fmt::print(out, "    *) options=(\n");
  for (const Word& word : options_of(app))
    fmt::print(out, "        '{}:{}'\n", word.name, zsh_quote(word.about));
  fmt::print(out, "      )\n      _describe option options ;;\n  esac\n}}\n");
  fmt::print(out, "if [ \"$funcstack[1]\" = _weir ]; then _weir; else compdef _weir weir; fi\n");
}

std::string fish_quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

void print_fish_options(const CLI::App& app, std::string_view condition, std::ostream& out) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty() || (option->get_lnames().empty() && option->get_snames().empty()))
      continue;
    fmt::print(out, "complete -c weir{}", condition);
    for (const std::string& name : option->get_lnames()) fmt::print(out, " -l {}", name);
    for (const std::string& name : option->get_snames()) fmt::print(out, " -s {}", name);
    if (option->get_type_size() != 0) fmt::print(out, " -r");
    fmt::print(out, " -d {}\n", fish_quote(option->get_description()));
  }
}

void print_fish(const CLI::App& app, std::ostream& out) {
  fmt::print(out, "# fish completion for weir\ncomplete -c weir -f\n");
  fmt::print(out, "function __weir_targets; weir ls --no-header -o name 2>/dev/null; end\n");
  print_fish_options(app, "", out);
  for (const Word& word : visible_commands(app))
    fmt::print(out, "complete -c weir -n __fish_use_subcommand -a {} -d {}\n", word.name,
               fish_quote(word.about));
  for (const CLI::App* sub : app.get_subcommands({})) {
    const std::string condition = fmt::format(" -n '__fish_seen_subcommand_from {}'", sub->get_name());
    print_fish_options(*sub, condition, out);
    if (const std::string inner = names(visible_commands(*sub)); !inner.empty())
      fmt::print(out, "complete -c weir{} -a '{}'\n", condition, inner);
  }
  fmt::print(out, "complete -c weir -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n");
  fmt::print(out, "complete -c weir -n '__fish_seen_subcommand_from set' -a '{}'\n", knob_words());
  for (const std::string_view command : split(kTargetCommands, '|'))
    fmt::print(out, "complete -c weir -n '__fish_seen_subcommand_from {}' -a '(__weir_targets)'\n", command);
}

}  // namespace

void add_completion(CLI::App& app, Session& session) {
  CLI::App* sub = app.add_subcommand("completion", "Print a completion script for bash, zsh or fish");
  sub->footer(
      "Examples:\n  weir completion bash > /etc/bash_completion.d/weir\n  weir completion fish | source");
  auto shell = std::make_shared<std::string>();
  sub->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""))
      ->type_name("SHELL");
  sub->callback([&app, &session, shell] {
    session.action = [&app, &session, shell] {
      std::ostream& out = session.terminal.out;
      if (*shell == "bash")
        print_bash(app, out);
      else if (*shell == "zsh")
        print_zsh(app, out);
      else
        print_fish(app, out);
      return static_cast<int>(kDone);
    };
  });
}

}  // namespace weir::cli
