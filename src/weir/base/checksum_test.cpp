// SPDX-License-Identifier: MIT
#include "weir/base/checksum.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Crc32, IsThatOfEverybodyElse) {
  EXPECT_EQ(crc32(""), 0U);
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);  // the check value of the CRC catalogues
}

TEST(Crc32, TellsOneFlippedBit) { EXPECT_NE(crc32("weir, a model"), crc32("weir, a modem")); }

}  // namespace
}  // namespace weir
