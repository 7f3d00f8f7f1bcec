// SPDX-License-Identifier: MIT
#pragma once
// A frame as the text that Prometheus reads (exposition format 0.0.4) or as OpenMetrics 1.0. Pure. Labels are
// what containers call themselves: escaped, without control characters, cut to a length. What was not
// measured is left out, never 0. The names are metric_names.h's.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/export/metric_names.h"
#include "weir/model/event.h"
#include "weir/model/frame.h"

namespace weir::exports {

enum class Dialect : std::uint8_t { prometheus, openmetrics };
/// For the header Content-Type.
std::string_view content_type(Dialect dialect);

/// How often each event was told since the start. What lasts counts once, when it begins.
class EventCounts {
 public:
  void count(const Event& event) {
    if (event.state == EventState::end) return;
    ++counts_[place(event.kind, event.subject ? Scope::container : Scope::host)];
  }
  [[nodiscard]] std::uint64_t get(EventKind kind, Scope scope) const { return counts_[place(kind, scope)]; }

 private:
  static std::size_t place(EventKind kind, Scope scope) {
    return static_cast<std::size_t>(kind) * 2 + static_cast<std::size_t>(scope);
  }
  std::array<std::uint64_t, kEventKinds * 2> counts_{};
};

/// What is told of Weir itself.
struct Watching {
  std::string role;  ///< "samples"; "" while nothing was read
  std::optional<std::uint32_t> unreadable_files;
  EventCounts events;
  std::vector<std::pair<std::string, std::uint64_t>> lost;  ///< by output: "log"
};

/// All of it. Of a frame whose number is 0 (nothing was read yet) only what is told of Weir itself.
std::string prometheus_text(const Frame& frame, const Watching& watching, Dialect dialect);

/// `name="web",id="0123456789ab",…` of a container; never empty.
std::string container_labels(const Container& container);
/// The inside of a label's quotes: valid UTF-8, backslash, quote and newline escaped, other control
/// characters replaced, at most kLongestLabel bytes of what was given.
std::string label_value(std::string_view bytes);
inline constexpr std::size_t kLongestLabel = 200;

}  // namespace weir::exports
