// SPDX-License-Identifier: MIT
// `weir policy train`: a model from samples.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "weir/cli/policy.h"
#include "weir/cli/policy_training.h"
#include "weir/control/model_store.h"

namespace weir::cli {
namespace {

struct Options {
  LearningOptions learning;
  bool force = false;
};

Result<int> train(Session& session, const Options& options) {
  WEIR_TRY(const control::TrainingRows rows, read_samples(session, options.learning.samples));
  control::TrainingOptions how = training_options(session, options.learning);
  how.useless = options.force ? control::Useless::keep : control::Useless::refuse;
  WEIR_TRY(const control::Training training, control::train_model(rows, nullptr, how));
  if (!session.json) print_lessons(session, training);
  if (!training.model)
    return std::unexpected(
        make_error(ErrorKind::failed, options.learning.samples, "no model: " + why_nothing(training),
                   "more samples of a load that changes; --force keeps a model that is of no "
                   "use"));
  const std::string metrics = metrics_text(training, rows, options.learning);
  WEIR_CHECK(control::store_model(options.learning.model, training.text, metrics));
  if (session.json)
    fmt::print(session.terminal.out, "{}", metrics);
  else
    fmt::print(session.terminal.out, "{}: model {}\n", options.learning.model, training.model->identity().id);
  return kDone;
}

}  // namespace

void add_policy_train(CLI::App& policy, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = policy.add_subcommand("train", "Learn from samples what limits will be needed");
  add_learning_options(*command, options->learning, "--output");
  command->add_flag("--force", options->force,
                    "Keep also what is learned no better than step and the last value are");
  command->footer(
      "A line and a forest are fitted for each resource, and judged by the newest\n"
      "fifth of the samples, which neither has seen. The one that loses less is kept,\n"
      "unless the policy step and the last value lose no more than it. What all were\n"
      "worth is written beside the model. The model before it is kept, too.\n"
      "Examples:\n"
      "  weir policy train\n"
      "  weir policy train --samples logs/training_samples.jsonl --json");
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, train(session, *options)); };
  });
}

}  // namespace weir::cli
