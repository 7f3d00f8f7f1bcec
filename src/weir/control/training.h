// SPDX-License-Identifier: MIT
#pragma once
// Training: samples into a model. Each resource is a lesson of its own: one that has too few samples, or that
// is learned worse than what is there, does not keep the others from being learned. Pure.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/flat_json.h"
#include "weir/learn/train.h"
#include "weir/policy/view.h"

namespace weir::control {

/// What there is to learn from, in the order of the lines.
class TrainingRows {
 public:
  /// Of a resource, the newest.
  static constexpr std::size_t kMost = 50'000;

  /// One line of samples.
  void take(std::string_view line);
  [[nodiscard]] const std::vector<learn::Row>& of(policy::Resource resource) const {
    return rows_[policy::index(resource)];
  }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  /// Lines that are no sample: events, samples whose need is not known.
  [[nodiscard]] std::uint64_t passed_over() const { return passed_over_; }
  [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

 private:
  std::array<std::vector<learn::Row>, policy::kResources> rows_;
  FlatJson json_;
  std::uint64_t taken_ = 0, passed_over_ = 0, damaged_ = 0;
};

/// What became of learning one resource.
enum class Lesson : std::uint8_t {
  none,       ///< too few samples
  useless,    ///< loses as much as step, and as the last value
  no_better,  ///< than the predictor in force, which stays
  learned,
};
std::string_view to_string(Lesson lesson);

struct Learned {
  policy::Resource resource = policy::Resource::cpu;
  std::size_t samples = 0;
  Lesson lesson = Lesson::none;
  std::string why;                        ///< of none
  std::optional<learn::Trained> trained;  ///< nullopt: none
  std::optional<learn::Score> in_force;   ///< of the predictor in force, on the same held-out rows
};

enum class Useless : std::uint8_t { refuse, keep };

struct TrainingOptions {
  learn::TrainOptions fit;
  Useless useless = Useless::refuse;
  /// Told before each fit, which takes seconds.
  std::function<void(policy::Resource resource, std::size_t samples)> fitting = [](auto, auto) {};
};

struct Training {
  std::vector<Learned> resources;  ///< those of which there are samples
  /// Of what was learned, and what is in force for the rest; nullopt: nothing was learned.
  std::optional<learn::Model> model;
  std::string text;  ///< its file
};

/// `in_force` may be null. Errors: failed (out of memory).
Result<Training> train_model(const TrainingRows& rows, const learn::Model* in_force,
                             const TrainingOptions& options);

}  // namespace weir::control
