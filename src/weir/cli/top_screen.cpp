// SPDX-License-Identifier: MIT
#include "weir/cli/top_screen.h"

#include <fmt/format.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <string>
#include <string_view>
#include <vector>

#define NCURSES_WIDECHAR 1  // NOLINT(cppcoreguidelines-macro-usage)
#define NCURSES_NOMACROS 1  // NOLINT(cppcoreguidelines-macro-usage)
#include <ncurses.h>

#include "weir/cli/top_terminfo.h"

namespace weir::cli {
namespace {

constexpr int kEscapeMs = 25;  ///< how long after Esc the rest of a key's sequence may come, over ssh too
constexpr GridSize kLargest{.columns = 1000, .rows = 500};
enum Pair : short { kBad = 1, kWarn, kGood };

bool is_utf8() { return std::string_view(::nl_langinfo(CODESET)) == "UTF-8"; }

/// A variable of the environment, put back at the end.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

screen* open_terminal(const char* term) {
  if (screen* own = ::newterm(term, stdout, stdin)) return own;
  const TerminalDescription* like = find_terminal(term);
  if (like == nullptr) return nullptr;
  const Variable terminfo("TERMINFO", std::string(like->terminfo));
  return ::newterm(std::string(like->name).c_str(), stdout, stdin);
}

attr_t attributes(GridStyle style, Colour colour, short& pair) {
  attr_t attributes = style.reverse ? A_REVERSE : A_NORMAL;
  const auto coloured = [&](Pair which) {
    if (colour == Colour::on) pair = which;
  };
  switch (style.tone) {
    case Tone::plain:
      break;
    case Tone::dim:
      attributes |= A_DIM;
      break;
    case Tone::bold:
      attributes |= A_BOLD;
      break;
    case Tone::good:
      coloured(kGood);
      break;
    case Tone::warn:
      coloured(kWarn);
      break;
    case Tone::bad:
      coloured(kBad);
      attributes |= A_BOLD;
      break;
  }
  return attributes;
}

cchar_t to_curses(const GridCell& cell, Colour colour) {
  std::array<wchar_t, 3> text = {static_cast<wchar_t>(cell.code), static_cast<wchar_t>(cell.mark), L'\0'};
  // What the C library measures otherwise than we did would move all that is behind it.
  if (::wcwidth(text[0]) != cell.columns || (cell.mark != 0 && ::wcwidth(text[1]) != 0))
    text = {L'?', L'\0', L'\0'};
  cchar_t out{};
  short pair = 0;
  const attr_t style = attributes(cell.style, colour, pair);
  ::setcchar(&out, text.data(), style, pair, nullptr);
  return out;
}

TopKey to_key(int code) {
  using Kind = TopKey::Kind;
  switch (code) {
    case KEY_UP:
      return {.kind = Kind::up};
    case KEY_DOWN:
      return {.kind = Kind::down};
    case KEY_LEFT:
      return {.kind = Kind::left};
    case KEY_RIGHT:
      return {.kind = Kind::right};
    case KEY_PPAGE:
      return {.kind = Kind::page_up};
    case KEY_NPAGE:
      return {.kind = Kind::page_down};
    case KEY_HOME:
      return {.kind = Kind::home};
    case KEY_END:
      return {.kind = Kind::end};
    case KEY_ENTER:
      return {.kind = Kind::enter};
    case KEY_BACKSPACE:
      return {.kind = Kind::backspace};
    case KEY_F(1):
      return {.kind = Kind::f1};
    case KEY_F(4):
      return {.kind = Kind::f4};
    case KEY_F(10):
      return {.kind = Kind::f10};
    default:
      return {};
  }
}

/// A crash is to be read on a terminal that works. What ncurses does here on SIGINT is no safer.
extern "C" void on_crash(int signal) {
  ::endwin();
  ::raise(signal);
}

constexpr std::array kCrashes = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};

void take_signals() {
  struct sigaction stop{};
  // ncurses' own handler would draw (see suspend()); where it is ignored it stays so.
  if (::sigaction(SIGTSTP, nullptr, &stop) == 0 && stop.sa_handler != SIG_IGN) std::signal(SIGTSTP, SIG_DFL);
  struct sigaction crash{};
  crash.sa_handler = on_crash;
  crash.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : kCrashes) ::sigaction(signal, &crash, nullptr);
}

}  // namespace

TopScreen::Locale::Locale() {
  if (const char* now = std::setlocale(LC_CTYPE, nullptr)) before_ = now;
  std::setlocale(LC_CTYPE, "");
  if (is_utf8()) return;
  // A host need not have the user's locale; whether he can see UTF-8 is said by its name all the same.
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view text = value;
    if (text.ends_with("UTF-8") || text.ends_with("utf8")) std::setlocale(LC_CTYPE, "C.UTF-8");
    return;
  }
}

TopScreen::Locale::~Locale() { std::setlocale(LC_CTYPE, before_.c_str()); }

void TopScreen::End::operator()(screen* one) const {
  ::endwin();
  for (const int signal : kCrashes) std::signal(signal, SIG_DFL);
  ::delscreen(one);
}

Result<TopScreen> TopScreen::open(Colour colour) {
  const char* term = std::getenv("TERM");
  const auto not_shown = [](std::string subject, std::string what) {
    return std::unexpected(make_error(ErrorKind::absent, std::move(subject), std::move(what),
                                      "weir top --once prints one picture as plain text"));
  };
  if (term == nullptr || *term == '\0')
    return not_shown("TERM", "is not set: what terminal this is, is not known");
  TopScreen made;
  made.charset_ = is_utf8() ? Charset::utf8 : Charset::ascii;
  ::use_env(FALSE);  // LINES and COLUMNS may be of another terminal, and never change
  ::use_tioctl(TRUE);
  made.screen_.reset(open_terminal(term));
  if (!made.screen_)
    return not_shown(fmt::format("TERM={}", term),
                     "is not known on this host (no terminfo), and is like none that weir knows");
  if (::tigetstr("cup") == nullptr) {
    made.screen_.reset();
    return not_shown(fmt::format("TERM={}", term), "cannot place its cursor");
  }
  take_signals();
  ::cbreak();
  ::noecho();
  ::nonl();
  ::intrflush(stdscr, FALSE);
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::set_escdelay(kEscapeMs);
  ::curs_set(0);
  if (colour == Colour::on && ::has_colors() && ::start_color() == OK && ::use_default_colors() == OK) {
    ::init_pair(kBad, COLOR_RED, -1);
    ::init_pair(kWarn, COLOR_YELLOW, -1);
    ::init_pair(kGood, COLOR_GREEN, -1);
    made.colour_ = Colour::on;
  }
  made.resize();
  return made;
}

GridSize TopScreen::size() const {
  return {.columns = static_cast<std::size_t>(std::max(::getmaxx(stdscr), 1)),
          .rows = static_cast<std::size_t>(std::max(::getmaxy(stdscr), 1))};
}

void TopScreen::show(const Grid& grid) {
  // A terminal that takes nothing (Ctrl-S, a slow line) is not waited for: the next picture is newer anyway.
  struct pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return;
  std::vector<cchar_t> cells;
  const GridSize size = grid.size();
  for (std::size_t row = 0; row < size.rows; ++row) {
    cells.clear();
    for (const GridCell& cell : grid.row(row))
      if (cell.columns != 0) cells.push_back(to_curses(cell, colour_));
    ::mvwadd_wchnstr(stdscr, static_cast<int>(row), 0, cells.data(), static_cast<int>(cells.size()));
  }
  ::wrefresh(stdscr);
}

std::optional<TopKey> TopScreen::read_key() {
  wint_t code = 0;
  const int kind = ::wget_wch(stdscr, &code);
  if (kind == KEY_CODE_YES) return to_key(static_cast<int>(code));
  if (kind != OK) return std::nullopt;
  switch (code) {
    case L'\r':
    case L'\n':
      return TopKey{.kind = TopKey::Kind::enter};
    case L'\x1b':
      return TopKey{.kind = TopKey::Kind::escape};
    case L'\b':
    case L'\x7f':
      return TopKey{.kind = TopKey::Kind::backspace};
    default:
      return TopKey{.kind = TopKey::Kind::character, .character = static_cast<char32_t>(code)};
  }
}

bool TopScreen::is_open() {
  struct pollfd in{.fd = STDIN_FILENO, .events = 0, .revents = 0};
  return ::poll(&in, 1, 0) == 0;  // otherwise it hung up
}

void TopScreen::resize() {
  struct winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return;
  ::resizeterm(std::min<int>(size.ws_row, kLargest.rows), std::min<int>(size.ws_col, kLargest.columns));
  ::clearok(stdscr, TRUE);
}

void TopScreen::suspend() {
  ::def_prog_mode();
  ::endwin();
  std::fflush(stdout);
  sigset_t stop, before;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTSTP);
  ::raise(SIGTSTP);
  ::sigprocmask(SIG_UNBLOCK, &stop, &before);  // stops here
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  restore();
}

void TopScreen::restore() {
  ::reset_prog_mode();
  ::curs_set(0);
  resize();
  ::clearok(stdscr, TRUE);
}

}  // namespace weir::cli
