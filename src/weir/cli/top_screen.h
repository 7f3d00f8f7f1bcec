// SPDX-License-Identifier: MIT
#pragma once
// TopScreen: owns the terminal while `weir top` is on it, through ncurses: puts a Grid on it, writing only
// what changed, and reads keys. Whatever ends it, the terminal is as before. One at a time, one thread; the
// signals that belong to a terminal are the caller's (signals.h).

#include <memory>
#include <optional>
#include <string>

#include "weir/base/error.h"
#include "weir/cli/top_grid.h"
#include "weir/cli/top_keys.h"

extern "C" {
struct screen;  // of ncurses
}

namespace weir::cli {

enum class Colour : std::uint8_t { off, on };

class TopScreen {
 public:
  /// Takes over stdin and stdout. Errors: absent (TERM is not set or not known, cannot place the cursor).
  static Result<TopScreen> open(Colour colour);

  [[nodiscard]] GridSize size() const;
  [[nodiscard]] Charset charset() const { return charset_; }
  /// Only cells that differ from the last picture are written.
  void show(const Grid& grid);
  /// The next key that was pressed, without waiting.
  std::optional<TopKey> read_key();
  /// Whether the terminal is still there.
  [[nodiscard]] static bool is_open();
  /// After the terminal changed its size.
  void resize();
  /// Gives the terminal back, stops this process like Ctrl-Z does, and takes it again when it goes on.
  void suspend();
  /// After something else has written on the terminal, or changed its modes.
  void restore();

 private:
  struct End {
    void operator()(screen* one) const;
  };
  /// The locale's character set for as long as it lives.
  class Locale {
   public:
    Locale();
    ~Locale();
    Locale(const Locale&) = delete;
    Locale& operator=(const Locale&) = delete;

   private:
    std::string before_;
  };

  TopScreen() = default;
  std::unique_ptr<Locale> locale_ = std::make_unique<Locale>();
  std::unique_ptr<screen, End> screen_;
  Charset charset_ = Charset::ascii;
  Colour colour_ = Colour::off;
};

}  // namespace weir::cli
