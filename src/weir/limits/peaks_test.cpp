// SPDX-License-Identifier: MIT
#include "weir/limits/peaks.h"

#include <gtest/gtest.h>

namespace weir::limits {
namespace {

constexpr Pid kOne{1}, kTwo{2};

TEST(Peaks, AProcessAtItsMostCannotGrowByWhatWasSeen) {
  Peaks peaks;
  EXPECT_EQ(peaks.growth({{kOne, Bytes(40)}}), Bytes(0));
}

TEST(Peaks, ProcessesThatPeakByTurnsAreTakenToPeakTogether) {
  Peaks peaks;
  peaks.growth({{kOne, Bytes(40)}, {kTwo, Bytes(2)}});
  EXPECT_EQ(peaks.growth({{kOne, Bytes(3)}, {kTwo, Bytes(24)}}), Bytes(37));
  EXPECT_EQ(peaks.growth({{kOne, Bytes(3)}, {kTwo, Bytes(2)}}), Bytes(37 + 22));
}

TEST(Peaks, AProcessThatEndedIsForgotten) {
  Peaks peaks;
  peaks.growth({{kOne, Bytes(40)}, {kTwo, Bytes(2)}});
  EXPECT_EQ(peaks.growth({{kTwo, Bytes(2)}}), Bytes(0));
  EXPECT_EQ(peaks.growth({{kOne, Bytes(1)}, {kTwo, Bytes(2)}}), Bytes(0));
}

}  // namespace
}  // namespace weir::limits
