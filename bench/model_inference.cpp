// SPDX-License-Identifier: MIT
// What a model costs: fitting one on ROWS rows (as a resource's cap leaves them), with the memory that it
// took at most, and then the time of one answer, with features that differ from answer to answer.
//
//   build/release/bin/model_inference [ROWS]
//
// Exit code 1 if the median answer takes more than 5 us.
#include <fmt/format.h>
#include <sys/resource.h>

#include "spread.h"
#include <chrono>
#include <cstdlib>
#include <random>

#include "weir/control/training.h"

namespace {

using namespace weir;
using Clock = std::chrono::steady_clock;

constexpr double kMost = 5;  // us
constexpr std::size_t kRounds = 201, kAnswers = 1000;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

long peak_mib() {
  struct rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

/// A row a second: the need follows two features and wanders about.
std::vector<learn::Row> make_rows(std::size_t n) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> unit;
  std::vector<learn::Row> rows(n);
  for (std::size_t at = 0; at < n; ++at) {
    learn::Row& row = rows[at];
    row.time = std::chrono::seconds(1'700'000'000 + at);
    for (double& feature : row.features) feature = unit(random);
    row.last = row.features[1];
    row.needed = (0.6 * row.last + 0.4 * row.features[2] * row.features[3]) * (0.8 + 0.2 * unit(random));
    row.step = 0.9;
  }
  return rows;
}

bench::Spread time_of(const learn::Predictor& predictor, const std::vector<learn::Row>& rows) {
  const learn::Model model = learn::Model::make({}, {predictor}).value();
  std::vector<double> times;
  double sum = 0;
  std::size_t at = 0;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const auto begin = Clock::now();
    for (std::size_t n = 0; n < kAnswers; ++n, at = (at + 7919) % rows.size())
      sum += model.suggest("cpu", rows[at].features).value().safe;
    times.push_back(1e6 * seconds_since(begin) / static_cast<double>(kAnswers));
  }
  if (!(sum > 0)) std::abort();
  return bench::spread(times);
}

int run(std::size_t n) {
  const std::vector<learn::Row> rows = make_rows(n);
  const auto begin = Clock::now();
  const auto parts = learn::split_rows("cpu", rows, control::TrainingRows::kMost);
  if (!parts) {
    fmt::print(stderr, "model_inference: {}\n", parts.error().message());
    return 2;
  }
  const learn::Trained trained = learn::train("cpu", *parts, {}).value();
  const double spent = seconds_since(begin);
  std::size_t nodes = 0;
  if (const auto* forest = std::get_if<learn::Forest>(&trained.predictor.form))
    for (const learn::Tree& tree : *forest) nodes += tree.nodes.size();
  fmt::print("{} rows: fitted on {} in {:.1f} s, {} MiB at most, {} nodes\n", n, trained.fitted, spent,
             peak_mib(), nodes);
  const bench::Spread asked = time_of(trained.predictor, rows);
  fmt::print("an answer: median {:.2f} us ({:.2f} to {:.2f}), {} rounds of {} (target {} us)\n", asked.median,
             asked.q1, asked.q3, kRounds, kAnswers, kMost);
  return asked.median > kMost ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) { return run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100'000); }
