// SPDX-License-Identifier: MIT
#pragma once
// What the writer and the reader of a block agree on beside its metrics' names.

#include <array>
#include <cstdint>
#include <optional>

#include "weir/history/block_codec.h"

namespace weir::history {

inline constexpr std::uint64_t kBlockFormat = 1;

/// What of this metric is left beside one or two of those before it: minuend - subtrahend - metric.
struct Relation {
  Metric metric{}, minuend{};
  std::optional<Metric> subtrahend{};
};
inline constexpr std::array kRelations = {
    Relation{Metric::cpu_system, Metric::cpu_usage, Metric::cpu_user},
    Relation{Metric::cpu_throttled_local, Metric::cpu_throttled, std::nullopt},
    Relation{Metric::memory_file, Metric::memory_current, Metric::memory_anon},
    Relation{Metric::cpu_full, Metric::cpu_some, std::nullopt},
    Relation{Metric::memory_full, Metric::memory_some, std::nullopt},
    Relation{Metric::io_full, Metric::io_some, std::nullopt},
};

}  // namespace weir::history
