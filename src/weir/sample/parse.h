// SPDX-License-Identifier: MIT
#pragma once
// One file's text into the metrics that come from it. Pure, and without an allocation: it runs for every file
// of every container in every frame.

#include <string_view>

#include "weir/model/frame.h"

namespace weir::sample {

/// Sets the metrics of `source`; those that the text does not name become `not_counted`, those of an io.stat
/// without devices `zero`. A limit that is `max` is kNoLimit. False where the text is not understood: then
/// none is counted.
bool parse(Source source, std::string_view text, Sample& out);
/// The same of the host's file in /proc. `ticks`: clock ticks a second (sysconf(_SC_CLK_TCK)).
bool parse_host(Source source, std::string_view text, std::uint64_t ticks, Sample& out);

}  // namespace weir::sample
