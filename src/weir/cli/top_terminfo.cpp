// SPDX-License-Identifier: MIT
#include "weir/cli/top_terminfo.h"

#include <algorithm>
#include <array>

namespace weir::cli {
namespace {

constexpr TerminalDescription kEmbedded[] = {
#include "weir/cli/terminfo_entries.inc"
};

/// What others understand, too. The first that fits.
struct Likeness {
  std::string_view begins, name;
};
constexpr std::array kLike = {
    Likeness{"screen", "screen-256color"},
    Likeness{"tmux", "screen-256color"},
    Likeness{"linux", "linux"},
    Likeness{"vt", "vt100"},
    Likeness{"xterm", "xterm-256color"},
    Likeness{"rxvt", "xterm-256color"},
    Likeness{"alacritty", "xterm-256color"},
    Likeness{"kitty", "xterm-256color"},
    Likeness{"foot", "xterm-256color"},
    Likeness{"wezterm", "xterm-256color"},
    Likeness{"ghostty", "xterm-256color"},
    Likeness{"konsole", "xterm-256color"},
    Likeness{"gnome", "xterm-256color"},
    Likeness{"putty", "xterm-256color"},
    Likeness{"st-", "xterm-256color"},
    Likeness{"iterm", "xterm-256color"},
};

}  // namespace

const TerminalDescription* find_terminal(std::string_view term) {
  const auto named = [](std::string_view name) -> const TerminalDescription* {
    const auto* const found = std::ranges::find(kEmbedded, name, &TerminalDescription::name);
    return found == std::end(kEmbedded) ? nullptr : found;
  };
  if (const TerminalDescription* own = named(term)) return own;
  const auto like =
      std::ranges::find_if(kLike, [&](const Likeness& l) { return term.starts_with(l.begins); });
  return like == kLike.end() ? nullptr : named(like->name);
}

}  // namespace weir::cli
