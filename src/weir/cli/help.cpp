// SPDX-License-Identifier: MIT
#include "weir/cli/help.h"

#include <algorithm>

#include "weir/base/escape.h"
#include "weir/base/text.h"

namespace weir::cli {
namespace {

constexpr std::size_t kNameColumns = 26;

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

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = make_option_name(option, is_positional);
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
  std::string out = "\n";
  for (const std::string_view line : split(text, '\n')) {
    if (display_width(line) <= columns_) {  // as it was laid out
      out += std::string(line) + '\n';
      continue;
    }
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    out += std::string(indent, ' ') + wrap(line, columns_, indent) + '\n';
  }
  return out;
}

}  // namespace weir::cli
