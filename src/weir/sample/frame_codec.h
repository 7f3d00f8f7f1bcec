// SPDX-License-Identifier: MIT
#pragma once
// A Frame as bytes and back, for the shared board: host byte order, for one boot of one machine.

#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/model/frame.h"

namespace weir::sample {

/// Appends to `out`.
void encode_frame(const Frame& frame, std::string& out);
/// Failed: the bytes are not a whole frame of this version of Weir.
Result<Frame> decode_frame(std::string_view bytes);

}  // namespace weir::sample
