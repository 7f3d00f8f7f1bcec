// SPDX-License-Identifier: MIT
#pragma once
// The columns of `weir top`: what each is called, what it sorts by, how wide it may be, how important, and
// its text for one container. Shared by the screen and by the plain table. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/cli/top_grid.h"
#include "weir/cli/top_view.h"

namespace weir::cli {

/// What a cell needs beside its row.
struct TopContext {
  const TopUse& host;  ///< what has no limit of its own has the host's
  const TopHistory& history;
  Charset charset = Charset::utf8;
};

struct TopColumn {
  std::string_view title;
  std::string_view about;
  Align align = Align::left;
  std::size_t least = 0, most = 0;  ///< columns of the screen
  int importance = 0;               ///< 1 is always there; the others come in this order as there is room
  int hides_at = 0;  ///< gives its place up when the column of that importance is there; 0: never
  enum class Kind : std::uint8_t { text, picture } kind = Kind::text;
  std::optional<TopSort> sort;
  Cell (*cell)(const TopRow& row, const TopContext& context, std::size_t width) = nullptr;
};
/// In the order in which they stand.
std::span<const TopColumn> top_columns();

/// Columns that fit into `columns`, each with its width; always at least the first.
struct TopPlaced {
  const TopColumn* column = nullptr;
  std::size_t at = 0, width = 0;
};
std::vector<TopPlaced> place_columns(std::size_t columns);

/// "31%", "0.4%", "-": of a share.
std::string share_text(const std::optional<double>& share);
/// "0.25", "1.5", "16": CPUs.
std::string cpus_text(double cpus);
/// "max", "512M", "-".
std::string limit_text(const std::optional<Limit<Bytes>>& limit);
std::string limit_text(const std::optional<Limit<double>>& limit);
/// "1.5M": of bytes a second, or of bytes; "-" where it is not known.
std::string size_text(const std::optional<double>& bytes);
/// "-" where it is not known.
std::string count_text(const std::optional<std::uint64_t>& count);
/// The last `columns` points of one of the three pressures.
std::string spark_line(const TopTrack* track, std::optional<double> TopPressure::* which, std::size_t columns,
                       Charset charset);
/// How bad a share of lost time is: over 10 % warn, over 25 % bad.
Tone lost_tone(const std::optional<double>& share);

}  // namespace weir::cli
