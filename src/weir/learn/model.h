// SPDX-License-Identifier: MIT
#pragma once
// Model: what was learned, ready to be asked: for each resource one predictor, a line or a forest. Asking
// allocates nothing and locks nothing, and takes at most kMostTrees * kDeepest steps. What it was not fitted
// on it does not answer. Pure; its form on disk is model_file.h.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "weir/base/error.h"
#include "weir/learn/features.h"

namespace weir::learn {

/// Shares of the hard limit, 0 to 1; expected <= safe.
struct Suggestion {
  double expected = 0;  ///< what will be needed
  double safe = 0;      ///< what will be enough but for one time in ten: kQuantile
  bool operator==(const Suggestion&) const = default;
};

/// How often `safe` is to be enough.
inline constexpr double kQuantile = 0.9;

struct Linear {
  Features weights{};
  double intercept = 0;
  bool operator==(const Linear&) const = default;
};

/// Asks whether a feature is below the threshold. Where to go then: >= 0 a node further on, else the leaf
/// ~it.
struct Node {
  float threshold = 0;
  std::uint32_t feature = 0;
  std::int32_t below = 0, above = 0;
  bool operator==(const Node&) const = default;
};
/// Of the rows that came here: their mean, and their kQuantile.
struct Leaf {
  float mean = 0, high = 0;
  bool operator==(const Leaf&) const = default;
};
/// Begins at its first node; one of no nodes is its first leaf.
struct Tree {
  std::vector<Node> nodes;
  std::vector<Leaf> leaves;
  bool operator==(const Tree&) const = default;
};
/// Says the mean of what its trees say.
using Forest = std::vector<Tree>;

struct Predictor {
  std::string resource;  ///< "cpu", "memory", …
  std::variant<Linear, Forest> form;
  /// Added to what is high, so that it was enough in kQuantile of the rows that were held back from fitting
  /// (Romano, Patterson, Candès, "Conformalized Quantile Regression", 2019).
  double margin = 0;
  /// Likewise, of those rows that were held back, which need not be alike; nullopt: there were too few.
  std::optional<double> margin_held;
  /// What it was fitted on: of each feature.
  Features least{}, most{};  ///< what it was fitted on
  std::uint64_t rows = 0;    ///< as many
  bool operator==(const Predictor&) const = default;

  /// How far outside of what it was fitted on it still answers.
  static constexpr double kBeyond = 0.1;
  /// Before the margin and the bounds. `features` are finite.
  [[nodiscard]] Suggestion raw(const Features& features) const;
  /// nullopt: the features are none that it was fitted on.
  [[nodiscard]] std::optional<Suggestion> suggest(const Features& features) const;
};

/// Which model it is.
struct Identity {
  std::string id;                       ///< checksum of its file, hexadecimal; empty before it has one
  std::chrono::nanoseconds trained{0};  ///< when its newest row was decided, since the Unix epoch
  bool operator==(const Identity&) const = default;
};

class Model {
 public:
  static constexpr std::size_t kMostPredictors = 16, kMostTrees = 64, kMostNodes = 1U << 14U, kDeepest = 32;

  /// Errors: invalid where a bound is broken, a number is not finite, a feature is unknown, a tree does not
  /// lead forward, or a resource is there twice or not at all.
  static Result<Model> make(Identity identity, std::vector<Predictor> predictors);

  /// nullopt: it knows nothing of that resource, or the features are none that it was fitted on.
  [[nodiscard]] std::optional<Suggestion> suggest(std::string_view resource, const Features& features) const;

  /// nullptr: it knows nothing of that resource.
  [[nodiscard]] const Predictor* find(std::string_view resource) const;

  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] std::span<const Predictor> predictors() const { return predictors_; }

 private:
  Model(Identity identity, std::vector<Predictor> predictors)
      : identity_(std::move(identity)), predictors_(std::move(predictors)) {}

  Identity identity_;
  std::vector<Predictor> predictors_;
};

}  // namespace weir::learn
