// SPDX-License-Identifier: MIT
#pragma once
// ModelStore: where a model is on disk, beside the one before it, so that one command goes back. A model
// moves limits, so it is read only where nobody else could have written it.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/learn/model.h"

namespace weir::control {

/// "models/soft_limit.json" -> "models/soft_limit.metrics.json": what it was worth when it was trained.
std::string metrics_path(const std::string& model);
/// "models/soft_limit.json" -> "models/soft_limit.json.previous"
std::string previous_path(const std::string& model);

/// `also`: who may own it, besides root and the effective user. Errors: absent; refused where it is a link,
/// no regular file, or where others could have written it or put it there; invalid, as learn::parse_model.
Result<learn::Model> load_model(const std::string& path, std::optional<uid_t> also);

/// Puts a model and its metrics in force, each whole or not at all; those that were there become the previous
/// ones, unless it is the same model. Makes the folder where that is missing. Errors: refused where others
/// can write to the folder, failed.
Result<void> store_model(const std::string& path, std::string_view text, std::string_view metrics);

/// Changes the model in force and the previous one for each other; done twice it is as before. Errors: absent
/// (there is no previous one), those of reading it.
Result<learn::Model> roll_back(const std::string& path, std::optional<uid_t> also);

}  // namespace weir::control
