// SPDX-License-Identifier: MIT
#pragma once
// Matchers for Result<T>: HasValue(v), HasError(kind).

#include <gmock/gmock.h>

#include "weir/base/error.h"

namespace weir::testing {

MATCHER_P(HasValue, expected, "") {
  if (!arg.has_value()) {
    *result_listener << "error: " << arg.error().message();
    return false;
  }
  return ::testing::ExplainMatchResult(::testing::Eq(expected), *arg, result_listener);
}

MATCHER_P(HasError, kind, "") {
  if (arg.has_value()) {
    *result_listener << "has a value";
    return false;
  }
  *result_listener << arg.error().message() << " (" << to_string(arg.error().kind) << ")";
  return arg.error().kind == kind;
}

MATCHER(Succeeds, "") {
  if (!arg.has_value()) *result_listener << arg.error().message();
  return arg.has_value();
}

}  // namespace weir::testing
