// SPDX-License-Identifier: MIT
#pragma once
// Features of a view: what a model is asked by (learn/features.h). The same for learning and for deciding.
// Pure.

#include "weir/learn/features.h"
#include "weir/policy/view.h"

namespace weir::policy {

/// Not finite where the view is not.
learn::Features features_of(const View& view);

}  // namespace weir::policy
