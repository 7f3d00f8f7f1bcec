// SPDX-License-Identifier: MIT
#pragma once
// StateFile: what a race has timed so far, on disk, so that a long one can go on after an interruption. Plain
// text: a line that says which race it is, then lines of samples and of finished steps. A last line that was
// cut off is passed over.

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/latency/race.h"

namespace weir::latency {

/// What identifies a race: its plan but for the seed, its load, its kernel. A state of another race is
/// refused.
std::string fingerprint(const PlanOptions& plan, std::string_view load, std::string_view kernel);

/// Untrusted text. invalid: no state file, another race's, or nonsense in it.
Result<Progressed> parse_state(std::string_view text, std::string_view fingerprint);
/// The lines of one finished step.
std::string state_lines(std::size_t next, std::span<const Sample> samples);

class StateFile {
 public:
  /// Opens or makes `path` (not through a symlink; it must belong to the caller, and no one else may write
  /// it) and reads what it holds.
  static Result<StateFile> open(const std::string& path, const std::string& fingerprint, std::uint64_t seed);
  [[nodiscard]] std::uint64_t seed() const { return progressed_.seed; }
  /// What it held when it was opened.
  [[nodiscard]] Progressed take() { return std::move(progressed_); }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Written at once for a step that took long, else about once a second.
  Result<void> keep(std::size_t next, std::span<const Sample> samples, std::chrono::nanoseconds now);
  Result<void> flush();
  /// The race is over: takes the file away.
  void remove();

 private:
  StateFile(std::string path, Fd fd, Progressed progressed)
      : path_(std::move(path)), fd_(std::move(fd)), progressed_(std::move(progressed)) {}

  std::string path_;
  Fd fd_;
  Progressed progressed_;
  std::string pending_;
  std::chrono::nanoseconds flushed_{0};
};

}  // namespace weir::latency
