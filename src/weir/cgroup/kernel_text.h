// SPDX-License-Identifier: MIT
#pragma once
// KernelText: a limit in the kernel's words on the stack, for the path where one write is all that is paid.
// Nothing is allocated; the longest value of any single-value knob is two 20-digit numbers and a blank.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "weir/base/units.h"

namespace weir::cgroup {

class KernelText {
 public:
  [[nodiscard]] std::string_view view() const { return {buffer_.data(), size_}; }
  void append(std::string_view text) {
    WEIR_ASSERT(text.size() <= buffer_.size() - size_);
    std::copy(text.begin(), text.end(), buffer_.data() + size_);
    size_ += text.size();
  }
  void append(std::uint64_t number) {
    const auto [end, error] = std::to_chars(buffer_.data() + size_, buffer_.data() + buffer_.size(), number);
    WEIR_ASSERT(error == std::errc());
    size_ = static_cast<std::size_t>(end - buffer_.data());
  }

 private:
  std::array<char, 48> buffer_{};
  std::size_t size_ = 0;
};

struct CpuMax;
KernelText to_kernel_text(const CpuMax& value);
KernelText to_kernel_text(Limit<Bytes> value);
KernelText to_kernel_text(Weight value);

}  // namespace weir::cgroup
