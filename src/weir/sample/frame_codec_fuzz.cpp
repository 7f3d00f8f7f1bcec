// SPDX-License-Identifier: MIT
// Any bytes: a frame or an error; a frame comes back as the same bytes' meaning.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/sample/frame_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = weir::sample::decode_frame({reinterpret_cast<const char*>(data), size});
  if (!frame) return 0;
  std::string bytes;
  weir::sample::encode_frame(*frame, bytes);
  const auto again = weir::sample::decode_frame(bytes);
  WEIR_ASSERT(again && again->samples == frame->samples && again->subjects == frame->subjects);
  return 0;
}
