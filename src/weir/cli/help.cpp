// SPDX-License-Identifier: MIT
#include "weir/cli/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "weir/base/escape.h"
#include "weir/base/text.h"

namespace weir::cli {
namespace {

constexpr std::size_t kNameColumns = 26;

/// Where the second column of a line begins ("  weir ls   lists"), or its first text.
std::size_t continuation(std::string_view line) {
  const std::size_t text = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t gap = line.find("  ", text);
  return gap == std::string_view::npos ? text : std::min(line.find_first_not_of(' ', gap), line.size());
}

}  // namespace

std::string wrap(std::string_view text, std::size_t columns, std::size_t indent) {
  const std::size_t width = columns > indent + 20 ? columns - indent : 20;
  std::string out;
  std::size_t used = 0;
  for (const std::string_view word : words(text)) {
    const std::size_t size = display_width(word);
    if (used > 0 && used + 1 + size > width) {
      out += '\n' + std::string(indent, ' ');
      used = 0;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += size;
  }
  return out;
}

HelpFormatter::HelpFormatter(std::size_t columns) : columns_(std::clamp<std::size_t>(columns, 60, 110)) {}

std::string HelpFormatter::entry(const std::string& name, const std::string& text) const {
  std::string out = "  " + name;
  const std::size_t used = display_width(out);
  if (used + 2 > kNameColumns)
    out += '\n' + std::string(kNameColumns, ' ');
  else
    out += std::string(kNameColumns - used, ' ');
  return out + wrap(text, columns_, kNameColumns) + '\n';
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
  for (std::size_t at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n", at))
    text.erase(at, 1);  // CLI11 leaves them where a group has nothing to show
  return text;
}

/// A positional by what stands for it, not by the parser's name of it.
std::string HelpFormatter::make_option_usage(const CLI::Option* option) const {
  std::string text = option->get_type_name();
  if (option->get_expected_max() > 1) text += "...";
  return option->get_required() ? text : '[' + text + ']';
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = is_positional ? option->get_type_name() : make_option_name(option, is_positional);
  if (const std::string value = option->get_type_size() == 0 ? "" : option->get_type_name();
      !value.empty() && !is_positional)
    name += ' ' + value;
  std::string text = option->get_description();
  if (const std::string value = option->get_default_str();
      !value.empty() && text.find("default") == std::string::npos)
    text += " (default: " + value + ")";
  return entry(name, text);
}

std::string HelpFormatter::make_subcommand(const CLI::App* sub) const {
  const std::string& text = sub->get_description();
  return entry(sub->get_name(), text.substr(0, text.find('\n')));  // the first line is the summary
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  const std::string description = app->get_description();  // a temporary would end before the loop
  std::string out;
  for (const std::string_view line : split(description, '\n')) out += wrap(line, columns_, 0) + '\n';
  return out;
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  const std::string text = app->get_footer();
  if (text.empty()) return text;
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    if (display_width(line) <= columns_) {  // as it was laid out
      out += std::string(line) + '\n';
      continue;
    }
    const std::size_t indent = continuation(line);
    out += std::string(line.substr(0, indent)) +
           wrap(line.substr(indent), columns_, display_width(line.substr(0, indent))) + '\n';
  }
  return out;
}

}  // namespace weir::cli
