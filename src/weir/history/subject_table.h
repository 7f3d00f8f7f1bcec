// SPDX-License-Identifier: MIT
#pragma once
// SubjectTable: who the samples of one file are of. A container is written once for each file, when it is
// seen first, or anew when anything about it changed; blocks then speak of it by its number. Strings may hold
// hostile bytes.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/frame.h"

namespace weir::history {

class SubjectTable {
 public:
  /// Its number; one that was not there is added.
  std::uint64_t number_of(const Subject& subject);
  [[nodiscard]] const std::vector<Subject>& subjects() const { return subjects_; }
  [[nodiscard]] const Subject* find(std::uint64_t number) const {
    return number < subjects_.size() ? &subjects_[number] : nullptr;
  }
  void append(std::vector<Subject> subjects);
  /// What was added after the first `count` is forgotten, since it could not be written.
  void cut(std::size_t count);

 private:
  std::vector<Subject> subjects_;
  std::map<CgroupId, std::uint64_t> latest_;
};

std::string encode_subjects(std::span<const Subject> subjects);
/// Failed: no whole list of subjects.
Result<std::vector<Subject>> decode_subjects(std::string_view bytes);

}  // namespace weir::history
