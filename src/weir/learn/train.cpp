// SPDX-License-Identifier: MIT
#include "weir/learn/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "weir/learn/fit.h"

namespace weir::learn {
namespace {

constexpr double kFitShare = 0.6, kCalibrateShare = 0.2;

std::unexpected<Error> too_few(std::string_view resource, const std::string& what) {
  return std::unexpected(make_error(ErrorKind::failed, resource, what,
                                    "let weir control run on: it writes a sample a second for each resource "
                                    "of a container"));
}

/// Without the rows whose outcome reaches into the next part.
void leave_gap(std::vector<Row>& part, const std::vector<Row>& next) {
  std::erase_if(part, [&](const Row& row) { return row.time + kOutcome > next.front().time; });
}

double loss(double needed, double limit) {
  return needed > limit ? kQuantile * (needed - limit) : (1 - kQuantile) * (limit - needed);
}

/// Scores whatever says an expected and a safe limit for a row: `ask(row)`, an optional<Suggestion>.
template <typename Ask>
Score score(std::span<const Row> rows, Ask ask) {
  Score score{.n = rows.size()};
  std::uint64_t enough = 0;
  for (const Row& row : rows) {
    const std::optional<Suggestion> said = ask(row);
    if (!said) ++score.unanswered;
    const Suggestion limit = said.value_or(Suggestion{.expected = row.step, .safe = row.step});
    score.mae += std::abs(limit.expected - row.needed);
    score.quantile_loss += loss(row.needed, limit.safe);
    if (row.needed > limit.safe) continue;
    score.excess += limit.safe - row.needed;
    ++enough;
  }
  const auto n = static_cast<double>(std::max<std::uint64_t>(score.n, 1));
  score.mae /= n;
  score.quantile_loss /= n;
  score.under = static_cast<double>(score.n - enough) / n;
  score.excess /= static_cast<double>(std::max<std::uint64_t>(enough, 1));
  return score;
}

/// What has to be added to `high`, of a row, so that it is enough in kQuantile of them.
template <typename High>
double margin_of(std::span<const Row> rows, High high) {
  std::vector<double> missing;
  missing.reserve(rows.size());
  for (const Row& row : rows) missing.push_back(row.needed - high(row));
  return quantile(missing);
}

template <typename Is>
std::vector<Row> rows_that(const std::vector<Row>& rows, Is is) {
  std::vector<Row> some;
  std::ranges::copy_if(rows, std::back_inserter(some), is);
  return some;
}

Score score_of_step(std::span<const Row> rows) {
  return score(rows, [](const Row& row) { return std::optional(Suggestion{row.step, row.step}); });
}

/// With margins and a range.
Predictor complete(std::string_view resource, std::variant<Linear, Forest> form, const Parts& parts) {
  Predictor predictor{.resource = std::string(resource),
                      .form = std::move(form),
                      .least = parts.fit.front().features,
                      .most = parts.fit.front().features,
                      .rows = parts.fit.size() + parts.calibrate.size()};
  for (const std::vector<Row>* part : {&parts.fit, &parts.calibrate})
    for (const Row& row : *part)
      for (std::size_t n = 0; n < row.features.size(); ++n) {
        predictor.least[n] = std::min(predictor.least[n], row.features[n]);
        predictor.most[n] = std::max(predictor.most[n], row.features[n]);
      }
  const auto high = [&](const Row& row) { return predictor.raw(row.features).safe; };
  if (const auto held = rows_that(parts.calibrate, [](const Row& row) { return is_held(row.features); });
      held.size() >= kLeastPart)
    predictor.margin_held = margin_of(held, high);
  const auto calm = rows_that(parts.calibrate, [](const Row& row) { return !is_held(row.features); });
  predictor.margin = margin_of(calm.size() >= kLeastPart ? calm : parts.calibrate, high);
  return predictor;
}

}  // namespace

double quantile(std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const auto rank = static_cast<std::ptrdiff_t>(std::clamp(std::ceil(kQuantile * n), 1.0, n)) - 1;
  std::ranges::nth_element(values, values.begin() + rank);
  return values[static_cast<std::size_t>(rank)];
}

Result<Parts> split_rows(std::string_view resource, std::vector<Row> rows, std::size_t most) {
  if (rows.size() < kLeastRows)
    return too_few(resource, fmt::format("has {} samples, {} are needed", rows.size(), kLeastRows));
  std::ranges::stable_sort(rows, {}, &Row::time);
  if (rows.size() > most) rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(most));
  const auto size = static_cast<double>(rows.size());
  const auto fit_end = rows.begin() + static_cast<std::ptrdiff_t>(kFitShare * size);
  const auto calibrate_end = fit_end + static_cast<std::ptrdiff_t>(kCalibrateShare * size);
  Parts parts{.fit = {rows.begin(), fit_end},
              .calibrate = {fit_end, calibrate_end},
              .held_out = {calibrate_end, rows.end()}};
  leave_gap(parts.fit, parts.calibrate);
  leave_gap(parts.calibrate, parts.held_out);
  if (parts.fit.size() < kLeastRows / 2 || parts.calibrate.size() < kLeastPart)
    return too_few(
        resource,
        fmt::format("has {} samples of only {:.0f} s: too few of them are {} s apart from "
                    "those that are to judge",
                    rows.size(), std::chrono::duration<double>(rows.back().time - rows.front().time).count(),
                    kOutcome.count()));
  return parts;
}

Score score_of(const Predictor& predictor, std::span<const Row> rows) {
  return score(rows, [&](const Row& row) { return predictor.suggest(row.features); });
}

Result<Trained> train(std::string_view resource, const Parts& parts, const TrainOptions& options) {
  WEIR_TRY(Forest trees, fit_forest(parts.fit, options));
  Predictor linear = complete(resource, fit_linear(parts.fit), parts);
  Predictor forest = complete(resource, std::move(trees), parts);
  const double last = margin_of(parts.calibrate, [](const Row& row) { return row.last; });
  Trained trained{.fitted = parts.fit.size(),
                  .calibrated = parts.calibrate.size(),
                  .linear = score_of(linear, parts.held_out),
                  .forest = score_of(forest, parts.held_out),
                  .step = score_of_step(parts.held_out),
                  .last = score(parts.held_out, [&](const Row& row) {
                    return std::optional(Suggestion{row.last, std::clamp(row.last + last, 0.0, 1.0)});
                  })};
  const bool stronger = trained.forest.quantile_loss < trained.linear.quantile_loss;
  trained.predictor = stronger ? std::move(forest) : std::move(linear);
  const auto raises = rows_that(parts.held_out, [](const Row& row) { return row.raises; });
  trained.raises = score_of(trained.predictor, raises);
  trained.step_raises = score_of_step(raises);
  return trained;
}

}  // namespace weir::learn
