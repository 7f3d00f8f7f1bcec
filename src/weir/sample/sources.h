// SPDX-License-Identifier: MIT
#pragma once
// A set of the files of model/frame.h.

#include <bitset>

#include "weir/model/frame.h"

namespace weir::sample {

using Sources = std::bitset<kSources>;

}  // namespace weir::sample
