// SPDX-License-Identifier: MIT
#pragma once
// Train: rows of what was seen and what was needed then in; a predictor and what it is worth out. Two are
// fitted, a line (the baseline) and a forest, on the first part of the time; their margins are set on the
// next; the last part judges them, beside what the policy step decides and beside the last value. Nothing of
// a later part is known to an earlier one. The same rows and seed give the same predictor. Pure.

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "weir/learn/model.h"

namespace weir::learn {

/// One decision; shares of the hard limit.
struct Row {
  std::chrono::nanoseconds time{0};  ///< since the Unix epoch
  Features features{};
  double needed = 0;    ///< the most in the time after it, 0 to 1
  double step = 0;      ///< the limit that the policy step decides for
  double last = 0;      ///< used when it was made
  bool raises = false;  ///< whether step raises the limit
};

/// How long after its decision a row may still look; what is nearer to the next part is in none.
inline constexpr std::chrono::seconds kOutcome{8};
inline constexpr std::size_t kLeastRows = 500;
/// What each of the two later parts has at least.
inline constexpr std::size_t kLeastPart = 50;

/// Rows by time: the first 60 % of the rows, then 20 %, then 20 %, each less the kOutcome before the next.
struct Parts {
  std::vector<Row> fit, calibrate, held_out;
};
/// The newest `most` of the rows. Errors: failed where they are too few, or of too short a time; how many it
/// needs.
Result<Parts> split_rows(std::string_view resource, std::vector<Row> rows, std::size_t most);

/// What limits are worth, on rows whose need is known.
struct Score {
  std::uint64_t n = 0;
  std::uint64_t unanswered = 0;  ///< of these; there, what step decides counts
  double mae = 0;                ///< mean of |expected - needed|
  /// Mean of kQuantile * (needed - safe) where that was too little, (1 - kQuantile) * (safe - needed) where
  /// it was enough: least for a limit that is enough in kQuantile of all cases, and no wider than that takes.
  double quantile_loss = 0;
  double under = 0;   ///< share of rows that needed more than safe
  double excess = 0;  ///< mean of safe - needed where it was enough
};
Score score_of(const Predictor& predictor, std::span<const Row> rows);

struct TrainOptions {
  std::uint64_t seed = 1;
  std::size_t trees = 32;  ///< at most Model::kMostTrees
};

struct Trained {
  Predictor predictor;  ///< the one of less loss
  std::size_t fitted = 0, calibrated = 0;
  Score linear, forest;
  Score step;  ///< its limit is both, expected and safe
  Score last;  ///< the last value, and safe with a margin set as that of the others is
  /// Of the held-out rows in which step raises, what is kept and step: there a model is asked.
  Score raises, step_raises;

  [[nodiscard]] const Score& chosen() const {
    return std::holds_alternative<Forest>(predictor.form) ? forest : linear;
  }
  [[nodiscard]] bool beats_step() const { return chosen().quantile_loss < step.quantile_loss; }
  [[nodiscard]] bool beats_last() const { return chosen().quantile_loss < last.quantile_loss; }
};

/// Errors: failed (out of memory).
Result<Trained> train(std::string_view resource, const Parts& parts, const TrainOptions& options);

}  // namespace weir::learn
