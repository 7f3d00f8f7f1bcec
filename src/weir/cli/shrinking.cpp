// SPDX-License-Identifier: MIT
#include "weir/cli/shrinking.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <string_view>

#include "weir/base/escape.h"
#include "weir/base/text.h"

namespace weir::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
constexpr std::chrono::seconds kQuiet{2}, kEvery{1};

// A signal's handler can reach nothing else.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
volatile std::sig_atomic_t asked_to_stop = 0;

}  // namespace

Shrinking::Shrinking(const Session& session)
    : session_(session), begin_(steady_clock::now()), shown_(begin_ + kQuiet - kEvery) {
  asked_to_stop = 0;
  struct sigaction ask{};
  ask.sa_handler = [](int) { asked_to_stop = 1; };
  for (const int signal : kSignals) {
    before_.emplace_back();
    ::sigaction(signal, nullptr, &before_.back());
    if (before_.back().sa_handler != SIG_IGN) ::sigaction(signal, &ask, nullptr);  // nohup stays in force
  }
}

Shrinking::~Shrinking() {
  constexpr std::string_view kClear = "\r\x1b[K";
  if (showing_) session_.terminal.err.write(kClear.data(), kClear.size()).flush();
  for (std::size_t n = 0; n < kSignals.size(); ++n) ::sigaction(kSignals.at(n), &before_.at(n), nullptr);
}

limits::Patience Shrinking::patience(std::chrono::nanoseconds budget) {
  limits::Patience patience{.budget = budget};
  patience.interrupted = [] { return asked_to_stop != 0; };
  if (session_.terminal.err_tty)
    patience.progress = [this](std::span<const limits::ShrinkView> views) { show(views); };
  return patience;
}

void Shrinking::show(std::span<const limits::ShrinkView> views) {
  constexpr std::size_t kMost = 3;
  const auto now = steady_clock::now();
  if (now - shown_ < kEvery) return;
  shown_ = now;
  std::string text;
  for (const limits::ShrinkView& view : views.first(std::min(views.size(), kMost)))
    text += fmt::format("{} {} of {}, ", view.name, format_bytes(view.use), format_bytes(view.limit));
  if (views.size() > kMost) text += fmt::format("{} more, ", views.size() - kMost);
  text = fmt::format("weir: shrinking {}{} (Ctrl-C takes it back)", terminal_safe(text),
                     format_duration(std::chrono::floor<std::chrono::seconds>(now - begin_)));
  // One line that is written over; cut where the terminal would wrap it.
  fmt::print(session_.terminal.err, "\r\x1b[K{}",
             fit_width(text, std::max<std::size_t>(session_.terminal.columns, 2) - 1));
  session_.terminal.err.flush();
  showing_ = true;
}

}  // namespace weir::cli
