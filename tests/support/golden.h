// SPDX-License-Identifier: MIT
#pragma once
// Golden files: what a person sees, kept as text in tests/golden/NAME and compared byte for byte. After a
// wanted change: WEIR_UPDATE_GOLDEN=1 build/dev/bin/golden_test, then read the diff.

#include <string>
#include <string_view>

namespace weir::testing {

/// Adds a test failure that shows both texts unless `text` is what tests/golden/`name` holds.
void expect_golden(std::string_view name, const std::string& text);

}  // namespace weir::testing
