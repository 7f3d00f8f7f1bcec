// SPDX-License-Identifier: MIT
#pragma once
// What `weir policy train` and `retrain` have in common: samples in, and what was learned of them as a table,
// and as JSON (the metrics that are kept beside a model).

#include <cstdint>
#include <string>

#include "weir/base/json.h"
#include "weir/cli/command.h"
#include "weir/control/training.h"

namespace weir::cli {

struct LearningOptions {
  std::string samples, model;
  std::uint64_t seed = 1;
};
void add_learning_options(CLI::App& command, LearningOptions& options, const char* model_option);

/// Errors: absent (no such file), failed (no sample in it). Damaged lines are warned of.
Result<control::TrainingRows> read_samples(const Session& session, const std::string& path);
/// Tells on a terminal what it is at.
control::TrainingOptions training_options(const Session& session, const LearningOptions& options);

/// By resource: what became of it, and the scores of everything that was compared.
Json lessons_json(const control::Training& training);
/// The file beside a model.
std::string metrics_text(const control::Training& training, const control::TrainingRows& rows,
                         const LearningOptions& options);
void print_lessons(const Session& session, const control::Training& training);
/// "cpu has 312 samples, 500 are needed; …": why nothing was learned.
std::string why_nothing(const control::Training& training);

}  // namespace weir::cli
