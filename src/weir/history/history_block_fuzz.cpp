// SPDX-License-Identifier: MIT
// Any bytes: frames or an error. Frames come back as the same frames from the block that is made of them. The
// first byte says how many containers the table has.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/history/block_codec.h"

using weir::history::BlockBuilder;
using weir::history::decode_frames;
using weir::history::SubjectTable;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  SubjectTable table;
  for (unsigned n = 0; n < data[0] % 8; ++n)
    table.number_of({.container = {.name = std::to_string(n)}, .cgroup_id = weir::CgroupId(n + 1)});
  const std::string_view block(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto frames = decode_frames(block, table);
  const auto one = decode_frames(block, table, 1, 1);
  WEIR_ASSERT(frames.has_value() == one.has_value());
  if (!frames) return 0;
  if (frames->size() > 1) WEIR_ASSERT((*frames)[1].samples == one->front().samples);
  BlockBuilder builder;
  for (const weir::Frame& frame : *frames) builder.add(frame);
  SubjectTable again_table;
  const auto pieces = builder.finish(again_table);
  const auto again = decode_frames(std::accumulate(pieces.begin(), pieces.end(), std::string()), again_table);
  WEIR_ASSERT(again && again->size() == frames->size());
  for (std::size_t n = 0; n < frames->size(); ++n) {
    WEIR_ASSERT((*again)[n].time == (*frames)[n].time &&
                (*again)[n].host.values == (*frames)[n].host.values &&
                (*again)[n].host.known == (*frames)[n].host.known);
    for (std::size_t k = 0; k < (*again)[n].subjects.size(); ++k)
      WEIR_ASSERT(std::ranges::find((*frames)[n].samples, (*again)[n].samples[k].values,
                                    &weir::Sample::values) != (*frames)[n].samples.end());
  }
  return 0;
}
