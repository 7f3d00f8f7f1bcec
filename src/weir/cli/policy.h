// SPDX-License-Identifier: MIT
#pragma once
// The sub-commands of `weir policy`, one file each, and where models and what belongs to them are unless said
// otherwise.

#include "weir/cli/command.h"

namespace weir::cli {

inline constexpr const char* kSamples = "logs/training_samples.jsonl";
inline constexpr const char* kModel = "models/soft_limit.json";
inline constexpr const char* kModelHistory = "logs/model_history.jsonl";

void add_policy_replay(CLI::App& policy, Session& session);
void add_policy_train(CLI::App& policy, Session& session);
void add_policy_retrain(CLI::App& policy, Session& session);
void add_policy_rollback(CLI::App& policy, Session& session);
void add_policy_show(CLI::App& policy, Session& session);
void add_policy_evaluate(CLI::App& policy, Session& session);

}  // namespace weir::cli
