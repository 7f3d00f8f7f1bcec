// SPDX-License-Identifier: MIT
// The trees are grown by dlib, and then made anew as trees of ours: with what the rows say at each leaf, no
// deeper than the bound, without the splits that tell nothing apart.
#include <dlib/random_forest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "weir/learn/fit.h"

namespace weir::learn {
namespace {

using Extractor = dlib::dense_feature_extractor;
using Grown = dlib::random_forest_regression_function<Extractor>;
using Column = Extractor::sample_type;

/// Needs that differ by less are the same.
constexpr double kSame = 1e-3;
/// dlib splits off equal rows one by one, in quadratic time: no two are equal with so much of noise, which is
/// far below what matters.
constexpr double kFeatureNoise = 1e-4, kNeedNoise = 1e-6;
/// A leaf of fewer rows is not split; more rows do not make more leaves, so that a tree stays in the cache.
constexpr std::size_t kLeastLeaf = 20, kMostLeaves = 500;

float rounded(double value) { return static_cast<float>(std::round(value * 1e6) / 1e6); }

/// One tree of dlib's, made anew.
class Regrowth {
 public:
  Regrowth(std::span<const Row> rows, const std::vector<dlib::internal_tree_node<Extractor>>& grown)
      : rows_(rows), grown_(grown) {}

  Tree take() {
    std::vector<std::uint32_t> all(rows_.size());
    std::iota(all.begin(), all.end(), 0U);
    grow(0, 1, all);
    return std::move(tree_);
  }

 private:
  /// What rows do that come to the node, or leaf, `at` of dlib's. `rows` is not empty.
  std::int32_t grow(std::size_t at, std::size_t depth, std::span<std::uint32_t> rows) {
    if (at >= grown_.size() || depth > Model::kDeepest || tree_.nodes.size() >= Model::kMostNodes ||
        same(rows))
      return leaf(rows);
    const auto& node = grown_[at];
    const float threshold = rounded(static_cast<double>(node.split_threshold));
    const auto above = std::ranges::partition(rows, [&](std::uint32_t row) {
      return rows_[row].features[node.split_feature] < static_cast<double>(threshold);
    });
    const std::span<std::uint32_t> below(rows.begin(), above.begin());
    if (below.empty()) return grow(node.right, depth, rows);
    if (above.empty()) return grow(node.left, depth, rows);
    const std::size_t here = tree_.nodes.size();
    tree_.nodes.push_back({.threshold = threshold, .feature = node.split_feature});
    const std::int32_t left = grow(node.left, depth + 1, below);
    const std::int32_t right = grow(node.right, depth + 1, above);
    tree_.nodes[here].below = left;
    tree_.nodes[here].above = right;
    return static_cast<std::int32_t>(here);
  }

  [[nodiscard]] bool same(std::span<const std::uint32_t> rows) const {
    const auto [least, most] =
        std::ranges::minmax(rows, {}, [&](std::uint32_t row) { return rows_[row].needed; });
    return rows_[most].needed - rows_[least].needed < kSame;
  }

  std::int32_t leaf(std::span<const std::uint32_t> rows) {
    std::vector<double> needs;
    needs.reserve(rows.size());
    for (const std::uint32_t row : rows) needs.push_back(rows_[row].needed);
    const double mean = std::reduce(needs.begin(), needs.end()) / static_cast<double>(needs.size());
    tree_.leaves.push_back({.mean = rounded(mean), .high = rounded(quantile(needs))});
    return ~static_cast<std::int32_t>(tree_.leaves.size() - 1);
  }

  std::span<const Row> rows_;
  const std::vector<dlib::internal_tree_node<Extractor>>& grown_;
  Tree tree_;
};

Grown grow(std::span<const Row> rows, const TrainOptions& options) {
  const std::string seed = std::to_string(options.seed);
  dlib::rand random(seed);
  std::vector<Column> features;
  std::vector<double> needs;
  features.reserve(rows.size());
  needs.reserve(rows.size());
  for (const Row& row : rows) {
    Column& column = features.emplace_back(static_cast<long>(row.features.size()));
    for (std::size_t n = 0; n < row.features.size(); ++n)
      column(static_cast<long>(n)) = row.features[n] + kFeatureNoise * random.get_random_double();
    needs.push_back(row.needed + kNeedNoise * random.get_random_double());
  }
  dlib::random_forest_regression_trainer<Extractor> trainer;
  trainer.set_seed(seed);
  trainer.set_num_trees(std::min(options.trees, Model::kMostTrees));
  trainer.set_min_samples_per_leaf(std::max(kLeastLeaf, rows.size() / kMostLeaves));
  return trainer.train(features, needs);
}

}  // namespace

Result<Forest> fit_forest(std::span<const Row> rows, const TrainOptions& options) {
  try {
    const Grown grown = grow(rows, options);
    Forest forest;
    for (const auto& nodes : grown.get_internal_tree_nodes()) forest.push_back(Regrowth(rows, nodes).take());
    return forest;
  } catch (const std::exception& trouble) {
    return std::unexpected(make_error(ErrorKind::failed, "forest", trouble.what()));
  }
}

}  // namespace weir::learn
