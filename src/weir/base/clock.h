// SPDX-License-Identifier: MIT
#pragma once
// Clock: where instants come from, so that tests need no sleep. CLOCK_MONOTONIC for spans, CLOCK_REALTIME for
// people.

#include <chrono>

namespace weir {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::chrono::nanoseconds monotonic() const = 0;
  [[nodiscard]] virtual std::chrono::nanoseconds realtime() const = 0;  ///< since the Unix epoch
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
  [[nodiscard]] std::chrono::nanoseconds realtime() const override {
    return std::chrono::system_clock::now().time_since_epoch();
  }
};

class ManualClock final : public Clock {
 public:
  void tick(std::chrono::nanoseconds span) { now_ += span; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return now_; }
  [[nodiscard]] std::chrono::nanoseconds realtime() const override {
    return std::chrono::seconds(1'700'000'000) + now_;
  }

 private:
  std::chrono::nanoseconds now_{0};
};

}  // namespace weir
