// SPDX-License-Identifier: MIT
#pragma once
// Rules of the fake cgroupfs: for each control file its controller, its first text, and what the kernel makes
// of a write: the text that is read back, or an errno. Only what Weir touches.

#include <cerrno>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace weir::testing {

/// The texts of the cgroup that is written to.
using FakeRead = std::function<std::string(std::string_view file)>;
using FakeOutcome = std::expected<std::string, int>;

enum class FakeRoot { has, lacks };

struct FakeRule {
  std::string_view file;
  std::string_view controller;  ///< "" for core files
  FakeRoot root;                ///< whether the root cgroup has it
  std::string_view initial;
  FakeOutcome (*write)(std::string_view text, const FakeRead& read);  ///< nullptr: read-only
};

std::span<const FakeRule> fake_rules();
const FakeRule* fake_rule(std::string_view file);

}  // namespace weir::testing
