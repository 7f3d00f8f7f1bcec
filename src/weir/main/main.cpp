// SPDX-License-Identifier: MIT
// argv in, exit code out.
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "weir/base/text.h"
#include "weir/cli/command.h"

namespace {

std::size_t terminal_columns() {
  if (const char* columns = std::getenv("COLUMNS")) {
    if (const auto n = weir::parse_u64(columns); n && *n >= 20 && *n <= 1000) return *n;
  }
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
  return 80;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is seen as a failed write, and exits 141 at the end
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const char* term = std::getenv("TERM");
  const bool out_tty = isatty(STDOUT_FILENO) == 1;
  const weir::cli::Terminal terminal{
      .out = std::cout,
      .err = std::cerr,
      .in = std::cin,
      .out_tty = out_tty,
      .err_tty = isatty(STDERR_FILENO) == 1,
      .in_tty = isatty(STDIN_FILENO) == 1,
      .colour = out_tty && std::getenv("NO_COLOR") == nullptr && term != nullptr &&
                std::string_view(term) != "dumb",
      .columns = terminal_columns(),
  };
  const int code = weir::cli::run(arguments, terminal);
  std::cout.flush();
  return std::cout ? code : 141;
}
