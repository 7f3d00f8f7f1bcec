// SPDX-License-Identifier: MIT
#include "weir/learn/model_file.h"

#include <fmt/format.h>

#include <cmath>

#include "weir/base/checksum.h"
#include "weir/base/json.h"
#include "weir/base/text.h"

namespace weir::learn {
namespace {

constexpr std::string_view kFormat = "weir-model";
/// What is before the checksum, and what is behind it.
constexpr std::string_view kBefore = ",\n\"checksum\": \"", kBehind = "\"}\n";
constexpr std::size_t kDigits = 8;

std::unexpected<Error> wrong(std::string_view what,
                             std::string_view hint = "train it anew: weir policy train") {
  return std::unexpected(make_error(ErrorKind::invalid, "model", what, hint));
}

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

template <typename Range, typename Member>
Json column(const Range& rows, Member member) {
  Json all = Json::array();
  for (const auto& row : rows) {
    const auto value = std::invoke(member, row);
    if constexpr (std::is_floating_point_v<decltype(value)>)
      all.push_back(rounded(static_cast<double>(value)));
    else
      all.push_back(value);
  }
  return all;
}

Json json_of(const Predictor& predictor) {
  const auto itself = [](double value) { return value; };
  Json json = {{"resource", predictor.resource},
               {"rows", predictor.rows},
               {"margin", rounded(predictor.margin)},
               {"least", column(predictor.least, itself)},
               {"most", column(predictor.most, itself)}};
  if (predictor.margin_held) json["margin_held"] = rounded(*predictor.margin_held);
  if (const auto* linear = std::get_if<Linear>(&predictor.form)) {
    json["linear"] = {{"intercept", rounded(linear->intercept)},
                      {"weights", column(linear->weights, itself)}};
    return json;
  }
  Json& trees = json["forest"] = Json::array();
  for (const Tree& tree : std::get<Forest>(predictor.form))
    trees.push_back({{"feature", column(tree.nodes, &Node::feature)},
                     {"threshold", column(tree.nodes, &Node::threshold)},
                     {"below", column(tree.nodes, &Node::below)},
                     {"above", column(tree.nodes, &Node::above)},
                     {"mean", column(tree.leaves, &Leaf::mean)},
                     {"high", column(tree.leaves, &Leaf::high)}});
  return json;
}

/// Numbers of a member that is an array of at most `most`; false where it is anything else.
template <typename T>
bool numbers(const Json& object, std::string_view key, std::vector<T>& out, std::size_t most) {
  const Json* found = member(object, key);
  if (found == nullptr || !found->is_array() || found->size() > most) return false;
  out.reserve(found->size());
  for (const Json& each : *found) {
    if constexpr (std::is_integral_v<T>) {
      if (!each.is_number_integer()) return false;
      const auto value = each.get<std::int64_t>();
      if (!std::in_range<T>(value)) return false;
      out.push_back(static_cast<T>(value));
    } else {
      // Far inside of what a float holds; what is sane is for Model to say.
      if (!each.is_number() || !(std::abs(each.get<double>()) < 1e30)) return false;
      out.push_back(static_cast<T>(each.get<double>()));
    }
  }
  return true;
}

bool number(const Json& object, std::string_view key, double& out) {
  const Json* found = member(object, key);
  if (found == nullptr || !found->is_number()) return false;
  out = found->get<double>();
  return std::isfinite(out);
}

bool features(const Json& object, std::string_view key, Features& out) {
  std::vector<double> values;
  if (!numbers(object, key, values, out.size()) || values.size() != out.size()) return false;
  std::ranges::copy(values, out.begin());
  return true;
}

bool tree_of(const Json& json, Tree& tree) {
  std::vector<std::uint32_t> feature;
  std::vector<float> threshold, mean, high;
  std::vector<std::int32_t> below, above;
  constexpr std::size_t kMost = Model::kMostNodes + 1;
  if (!numbers(json, "feature", feature, kMost) || !numbers(json, "threshold", threshold, kMost) ||
      !numbers(json, "below", below, kMost) || !numbers(json, "above", above, kMost) ||
      !numbers(json, "mean", mean, kMost) || !numbers(json, "high", high, kMost))
    return false;
  if (threshold.size() != feature.size() || below.size() != feature.size() ||
      above.size() != feature.size() || high.size() != mean.size())
    return false;
  for (std::size_t n = 0; n < feature.size(); ++n)
    tree.nodes.push_back({threshold[n], feature[n], below[n], above[n]});
  for (std::size_t n = 0; n < mean.size(); ++n) tree.leaves.push_back({mean[n], high[n]});
  return true;
}

bool predictor_of(const Json& json, Predictor& predictor) {
  predictor.resource = string_member(json, "resource");
  const Json* rows = member(json, "rows");
  if (rows == nullptr || !rows->is_number_unsigned()) return false;
  predictor.rows = rows->get<std::uint64_t>();
  if (!number(json, "margin", predictor.margin) || !features(json, "least", predictor.least) ||
      !features(json, "most", predictor.most))
    return false;
  if (member(json, "margin_held") != nullptr && !number(json, "margin_held", predictor.margin_held.emplace()))
    return false;
  if (const Json* linear = member(json, "linear")) {
    Linear& form = predictor.form.emplace<Linear>();
    return number(*linear, "intercept", form.intercept) && features(*linear, "weights", form.weights);
  }
  const Json* forest = member(json, "forest");
  if (forest == nullptr || !forest->is_array() || forest->size() > Model::kMostTrees) return false;
  Forest& form = predictor.form.emplace<Forest>(forest->size());
  for (std::size_t n = 0; n < form.size(); ++n)
    if (!tree_of((*forest)[n], form[n])) return false;
  return true;
}

/// The checksum that the text ends with, and what it is of; nullopt: it does not end so.
struct Checked {
  std::string_view text, checksum;
};
std::optional<Checked> checked(std::string_view text) {
  const std::size_t tail = kBefore.size() + kDigits + kBehind.size();
  if (text.size() < tail || !text.ends_with(kBehind)) return std::nullopt;
  const std::size_t body = text.size() - tail;
  if (text.substr(body, kBefore.size()) != kBefore) return std::nullopt;
  return Checked{.text = text.substr(0, body), .checksum = text.substr(body + kBefore.size(), kDigits)};
}

bool same_features(const Json& json) {
  const Json* features = member(json, "features");
  const Json* schema = features == nullptr ? nullptr : member(*features, "schema");
  const Json* names = features == nullptr ? nullptr : member(*features, "names");
  if (schema == nullptr || *schema != kFeatureSchema || names == nullptr || !names->is_array() ||
      names->size() != kFeatureNames.size())
    return false;
  for (std::size_t n = 0; n < kFeatureNames.size(); ++n)
    if ((*names)[n] != kFeatureNames[n]) return false;
  return true;
}

}  // namespace

std::string format_model(const Model& model) {
  Json predictors = Json::array();
  for (const Predictor& each : model.predictors()) predictors.push_back(json_of(each));
  const auto trained = model.identity().trained;
  std::string text = dump_json({{"format", kFormat},
                                {"version", kModelVersion},
                                {"trained", format_utc(trained)},
                                {"trained_ns", trained.count()},
                                {"quantile", kQuantile},
                                {"features", {{"schema", kFeatureSchema}, {"names", kFeatureNames}}},
                                {"predictors", std::move(predictors)}},
                               -1);
  text.pop_back();  // what closes the object comes behind the checksum
  text += fmt::format("{}{:08x}{}", kBefore, crc32(text), kBehind);
  return text;
}

Result<Model> parse_model(std::string_view text) {
  if (text.size() > kLargestModel)
    return wrong(fmt::format("is larger than {}", format_bytes(Bytes(kLargestModel))));
  const std::string_view begin = R"({"format":"weir-model",)";
  const auto json = parse_json(text, "model", kLargestModel);
  if (!json) return wrong(text.starts_with(begin) ? "is cut off, or damaged" : "is no model of weir");
  if (string_member(*json, "format") != kFormat) return wrong("is no model of weir");
  const Json* version = member(*json, "version");
  if (version == nullptr || *version != kModelVersion)
    return wrong(fmt::format("is of version {}, this weir reads {}",
                             version == nullptr ? "unknown" : dump_json(*version, -1), kModelVersion));
  const auto parts = checked(text);
  if (!parts || parts->checksum != fmt::format("{:08x}", crc32(parts->text)))
    return wrong("was changed or damaged: its checksum is another one");
  if (!same_features(*json)) return wrong("was fitted on other features than this weir has");
  const Json* trained = member(*json, "trained_ns");
  const Json* all = member(*json, "predictors");
  double quantile = 0;
  if (trained == nullptr || !trained->is_number_integer() || all == nullptr || !all->is_array() ||
      all->size() > Model::kMostPredictors || !number(*json, "quantile", quantile) || quantile != kQuantile)
    return wrong("lacks what a model has");
  std::vector<Predictor> predictors(all->size());
  for (std::size_t n = 0; n < predictors.size(); ++n)
    if (!predictor_of((*all)[n], predictors[n])) return wrong("has a predictor that is out of its bounds");
  return Model::make(
      {.id = std::string(parts->checksum), .trained = std::chrono::nanoseconds(trained->get<std::int64_t>())},
      std::move(predictors));
}

}  // namespace weir::learn
