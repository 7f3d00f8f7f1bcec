// SPDX-License-Identifier: MIT
// Any bytes as a journal: never a crash, and what is believed encodes back to what was read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/base/error.h"
#include "weir/limits/journal.h"
#include "weir/limits/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)weir::limits::parse_journal(text, "boot");
  if (const auto record = weir::limits::decode(text))
    WEIR_ASSERT(weir::limits::decode(weir::limits::encode(*record).substr(
                    0, weir::limits::encode(*record).size() - 1)) == record);
  return 0;
}
