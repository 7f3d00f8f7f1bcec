// SPDX-License-Identifier: MIT
#include "weir/learn/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace weir::learn {
namespace {

/// A limit is at most a few times what is known; more is nonsense, and would only overflow sums.
constexpr double kLargest = 1e6;

std::unexpected<Error> wrong(std::string_view resource, std::string_view what) {
  return std::unexpected(
      make_error(ErrorKind::invalid, resource.empty() ? "model" : resource, what, "train it anew"));
}

bool sane(double value) { return std::abs(value) <= kLargest; }  // false for NaN
bool sane(const Features& features) {
  return std::ranges::all_of(features, [](double value) { return sane(value); });
}

const Leaf& leaf_of(const Tree& tree, const Features& features) {
  std::int32_t at = tree.nodes.empty() ? ~0 : 0;
  while (at >= 0) {
    const Node& node = tree.nodes[static_cast<std::size_t>(at)];
    at = features[node.feature] < static_cast<double>(node.threshold) ? node.below : node.above;
  }
  return tree.leaves[~static_cast<std::uint32_t>(at)];
}

/// nullptr: it is one that can be walked. Forward only, so that every walk ends.
const char* fault_of(const Tree& tree) {
  if (tree.leaves.empty() || tree.nodes.size() > Model::kMostNodes ||
      tree.leaves.size() > Model::kMostNodes + 1)
    return "a tree has too few or too many nodes";
  std::vector<std::size_t> depth(tree.nodes.size(), 1);
  for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
    const Node& node = tree.nodes[n];
    if (!sane(static_cast<double>(node.threshold)) || node.feature >= kFeatureNames.size())
      return "a tree asks what no feature answers";
    if (depth[n] > Model::kDeepest) return "a tree is too deep";
    for (const std::int32_t next : {node.below, node.above}) {
      if (next < 0 && ~static_cast<std::uint32_t>(next) < tree.leaves.size()) continue;
      if (next < 0 || static_cast<std::size_t>(next) <= n || static_cast<std::size_t>(next) >= depth.size())
        return "a tree does not lead to its leaves";
      std::size_t& deeper = depth[static_cast<std::size_t>(next)];
      deeper = std::max(deeper, depth[n] + 1);
    }
  }
  for (const Leaf& leaf : tree.leaves)
    if (!sane(static_cast<double>(leaf.mean)) || !sane(static_cast<double>(leaf.high)))
      return "a leaf says no number";
  return nullptr;
}

Result<void> check(const Predictor& predictor) {
  const std::string& resource = predictor.resource;
  if (resource.empty() || resource.size() > 32) return wrong(resource, "is no resource's name");
  if (!sane(predictor.margin) || !sane(predictor.margin_held.value_or(0)) || !sane(predictor.least) ||
      !sane(predictor.most))
    return wrong(resource, "its numbers are not finite");
  if (const auto* linear = std::get_if<Linear>(&predictor.form)) {
    if (!sane(linear->weights) || !sane(linear->intercept))
      return wrong(resource, "its weights are not finite");
    return {};
  }
  const Forest& forest = std::get<Forest>(predictor.form);
  if (forest.empty() || forest.size() > Model::kMostTrees)
    return wrong(resource, fmt::format("has {} trees, not one to {}", forest.size(), Model::kMostTrees));
  for (const Tree& tree : forest)
    if (const char* fault = fault_of(tree)) return wrong(resource, fault);
  return {};
}

}  // namespace

Suggestion Predictor::raw(const Features& features) const {
  if (const auto* linear = std::get_if<Linear>(&form)) {
    double sum = linear->intercept;
    for (std::size_t n = 0; n < features.size(); ++n) sum += linear->weights[n] * features[n];
    return {.expected = sum, .safe = sum};
  }
  const Forest& forest = std::get<Forest>(form);
  double mean = 0, high = 0;
  for (const Tree& tree : forest) {
    const Leaf& leaf = leaf_of(tree, features);
    mean += static_cast<double>(leaf.mean);
    high += static_cast<double>(leaf.high);
  }
  const auto n = static_cast<double>(forest.size());
  return {.expected = mean / n, .safe = high / n};
}

std::optional<Suggestion> Predictor::suggest(const Features& features) const {
  for (std::size_t n = 0; n < features.size(); ++n)
    // Negated, so that NaN is outside, too.
    if (!(features[n] >= least[n] - kBeyond && features[n] <= most[n] + kBeyond)) return std::nullopt;
  const Suggestion said = raw(features);
  const double expected = std::clamp(said.expected, 0.0, 1.0);
  const double more = is_held(features) ? margin_held.value_or(margin) : margin;
  return Suggestion{.expected = expected, .safe = std::clamp(said.safe + more, expected, 1.0)};
}

Result<Model> Model::make(Identity identity, std::vector<Predictor> predictors) {
  if (predictors.empty() || predictors.size() > kMostPredictors)
    return wrong("", "is of no resource, or of too many");
  for (std::size_t n = 0; n < predictors.size(); ++n) {
    WEIR_CHECK(check(predictors[n]));
    for (std::size_t before = 0; before < n; ++before)
      if (predictors[before].resource == predictors[n].resource)
        return wrong(predictors[n].resource, "is there twice");
  }
  return Model(std::move(identity), std::move(predictors));
}

const Predictor* Model::find(std::string_view resource) const {
  const auto found = std::ranges::find(predictors_, resource, &Predictor::resource);
  return found == predictors_.end() ? nullptr : &*found;
}

std::optional<Suggestion> Model::suggest(std::string_view resource, const Features& features) const {
  const Predictor* predictor = find(resource);
  return predictor == nullptr ? std::nullopt : predictor->suggest(features);
}

}  // namespace weir::learn
