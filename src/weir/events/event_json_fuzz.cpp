// SPDX-License-Identifier: MIT
// Any bytes: an event or an error; an event comes back from the line that is made of it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/base/error.h"
#include "weir/events/event_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto event = weir::events::parse_event_json({reinterpret_cast<const char*>(data), size});
  if (!event) return 0;
  const auto again = weir::events::parse_event_json(weir::events::event_json(*event));
  WEIR_ASSERT(again && again->kind == event->kind && again->state == event->state &&
              again->time == event->time && again->details.size() == event->details.size());
  return 0;
}
