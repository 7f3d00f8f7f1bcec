// SPDX-License-Identifier: MIT
// Any bytes as a sync record: never a crash, and what is believed encodes back to what was read and can be
// told.
#include <cstdint>
#include <string_view>

#include "weir/limits/sync_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::limits;
  const auto record = decode_sync({reinterpret_cast<const char*>(data), size});
  if (!record) return 0;
  const auto again = decode_sync(encode_sync(*record));
  WEIR_ASSERT(again && again->places.size() == record->places.size());
  const Listeners listeners{.engine = true, .unit = true};
  for (const SyncPlace& place : record->places) {
    (void)engine_json(translate_back(place.engine_before, place.unit_before, listeners).engine);
    for (const SyncAsk& ask : place.asks)
      (void)translate({{place.knob, place.device, ask.value}}, {}, listeners);
    for (const auto& [name, value] : place.unit_before) (void)cpu_list(cpu_mask(value));
  }
  return 0;
}
