// SPDX-License-Identifier: MIT
#pragma once
// Where the build context of the lab image is: a folder with Dockerfile, docker-compose.yml and the static
// weir-lab.

#include <string>

#include "weir/base/error.h"

namespace weir::lab {

/// Beside the running program: ../lab in a build tree, ../share/weir/lab once installed. absent where neither
/// is there.
Result<std::string> find_context();
/// The same for a program at `executable` (an absolute path).
Result<std::string> find_context(const std::string& executable);

}  // namespace weir::lab
