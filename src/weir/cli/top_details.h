// SPDX-License-Identifier: MIT
#pragma once
// The details page of `weir top`: everything that is known of one container, as lines of text. Pure; the
// limits with the levels that hold them are read by the caller.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/cgroup/reading.h"
#include "weir/cli/top_draw.h"
#include "weir/cli/top_view.h"

namespace weir::cli {

struct TopDetails {
  const TopRow& row;
  bool ended = false;  ///< what is shown is the last that was seen
  const cgroup::HeldLimits& held;
  const TopTrack* track = nullptr;
  std::span<const std::string> events;  ///< of this container, oldest first; terminal_safe
  std::string target;                   ///< how to name it in a command
};

/// Each terminal_safe. Long names and paths are broken into lines of `columns`.
std::vector<TopLine> details_lines(const TopDetails& details, std::size_t columns, Charset charset);

}  // namespace weir::cli
