// SPDX-License-Identifier: MIT
#pragma once
// HelpFormatter: CLI11's help, wrapped to the terminal.

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace weir::cli {

class HelpFormatter final : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::size_t columns);
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_option_usage(const CLI::Option* option) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* sub) const override;
  std::string make_description(const CLI::App* app) const override;
  std::string make_footer(const CLI::App* app) const override;

 private:
  [[nodiscard]] std::string entry(const std::string& name, const std::string& text) const;
  std::size_t columns_;
};

/// `text` broken at blanks to `columns`, every line after the first indented by `indent`.
std::string wrap(std::string_view text, std::size_t columns, std::size_t indent);

}  // namespace weir::cli
