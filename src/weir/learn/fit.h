// SPDX-License-Identifier: MIT
#pragma once
// Fit: the two ways of train.h to learn from rows, one file each since their libraries are slow to compile.

#include "weir/learn/train.h"

namespace weir::learn {

/// Ridge regression. A feature that does not change has no weight. `rows` is not empty.
Linear fit_linear(std::span<const Row> rows);

/// Regression trees on bootstraps of the rows, each split the best of a third of the features. `rows` is not
/// empty. Errors: failed (out of memory).
Result<Forest> fit_forest(std::span<const Row> rows, const TrainOptions& options);

/// The smallest of the values that at least kQuantile of all are not above; `values` is not empty, and in any
/// order afterwards.
double quantile(std::vector<double>& values);

}  // namespace weir::learn
