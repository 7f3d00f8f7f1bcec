// SPDX-License-Identifier: MIT
#include "weir/control/training.h"

#include <algorithm>
#include <cmath>

#include "weir/control/replay.h"
#include "weir/control/samples.h"
#include "weir/learn/model_file.h"
#include "weir/policy/features.h"

namespace weir::control {
namespace {

/// Of the loss of the predictor in force: less of a difference is chance, and not worth another model.
constexpr double kBetter = 0.99;

static_assert(Samples::kOutcome + Samples::kLater <= learn::kOutcome,
              "no row may look into the part of the training after its own");

constexpr std::array<std::string_view, 4> kLessons = {"too_few", "useless", "no_better", "learned"};

/// nullopt: what was needed, or when, is not known.
std::optional<learn::Row> row_of(const Recorded& recorded) {
  if (!recorded.needed || recorded.time.count() == 0) return std::nullopt;
  const policy::View& view = recorded.view;
  static const policy::Policy& step = *policy::find_policy("step");
  static const policy::Parameters parameters = policy::defaults_of(step);
  const policy::Decision decided = policy::decide(view, step, parameters);
  const learn::Row row{.time = recorded.time,
                       .features = policy::features_of(view),
                       .needed = std::clamp(*recorded.needed / view.hard, 0.0, 1.0),
                       .step = std::clamp(decided.limit / view.hard, 0.0, 1.0),
                       .last = std::clamp(view.use / view.hard, 0.0, 1.0),
                       .raises = decided.verdict == policy::Verdict::raise};
  if (!std::ranges::all_of(row.features, [](double value) { return std::isfinite(value); }))
    return std::nullopt;
  return row;
}

/// Fits and judges one resource. What was learned replaces the predictor in force in `predictors`.
Result<Learned> learn_resource(policy::Resource resource, const std::vector<learn::Row>& rows,
                               std::vector<learn::Predictor>& predictors, const TrainingOptions& options) {
  const std::string_view name = to_string(resource);
  Learned learned{.resource = resource, .samples = rows.size()};
  const auto parts = learn::split_rows(name, rows, TrainingRows::kMost);
  if (!parts) {
    learned.why = parts.error().what;
    return learned;
  }
  options.fitting(resource, rows.size());
  WEIR_TRY(learn::Trained trained, learn::train(name, *parts, options.fit));
  const auto in_force = std::ranges::find(predictors, name, &learn::Predictor::resource);
  if (in_force != predictors.end()) learned.in_force = learn::score_of(*in_force, parts->held_out);

  if (!trained.beats_step() && !trained.beats_last() && options.useless == Useless::refuse)
    learned.lesson = Lesson::useless;
  else if (learned.in_force && trained.chosen().quantile_loss > kBetter * learned.in_force->quantile_loss)
    learned.lesson = Lesson::no_better;
  else {
    learned.lesson = Lesson::learned;
    if (in_force == predictors.end())
      predictors.push_back(trained.predictor);
    else
      *in_force = trained.predictor;
  }
  learned.trained = std::move(trained);
  return learned;
}

}  // namespace

std::string_view to_string(Lesson lesson) { return kLessons[static_cast<std::size_t>(lesson)]; }

void TrainingRows::take(std::string_view line) {
  const auto recorded = parse_recorded(line, json_);
  if (!recorded) {
    ++damaged_;
    return;
  }
  const auto row = *recorded ? row_of(**recorded) : std::nullopt;
  if (!row) {
    ++passed_over_;
    return;
  }
  ++taken_;
  std::vector<learn::Row>& rows = rows_[policy::index((*recorded)->view.resource)];
  if (rows.size() >= 2 * kMost) rows.erase(rows.begin(), rows.begin() + kMost);
  rows.push_back(*row);
}

Result<Training> train_model(const TrainingRows& rows, const learn::Model* in_force,
                             const TrainingOptions& options) {
  std::vector<learn::Predictor> predictors;
  std::chrono::nanoseconds newest{0};
  if (in_force != nullptr) {
    predictors.assign(in_force->predictors().begin(), in_force->predictors().end());
    newest = in_force->identity().trained;
  }
  Training training;
  for (std::size_t n = 0; n < policy::kResources; ++n) {
    const auto resource = static_cast<policy::Resource>(n);
    const std::vector<learn::Row>& of_it = rows.of(resource);
    if (of_it.empty()) continue;
    WEIR_TRY(Learned learned, learn_resource(resource, of_it, predictors, options));
    if (learned.lesson == Lesson::learned)
      newest = std::max(newest, std::ranges::max(of_it, {}, &learn::Row::time).time);
    training.resources.push_back(std::move(learned));
  }
  if (std::ranges::none_of(
          training.resources, [](Lesson lesson) { return lesson == Lesson::learned; }, &Learned::lesson))
    return training;
  WEIR_TRY(const learn::Model model,
           learn::Model::make({.id = "", .trained = newest}, std::move(predictors)));
  training.text = learn::format_model(model);
  // As it will be read: with its id, and its numbers as the file has them.
  WEIR_TRY(training.model, learn::parse_model(training.text));
  return training;
}

}  // namespace weir::control
