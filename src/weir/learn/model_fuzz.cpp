// SPDX-License-Identifier: MIT
// Any bytes as a model file: an Error that says why, or a model that answers within its bounds. The checksum
// is made to fit, so that what is behind it is reached.
#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/base/checksum.h"
#include "weir/learn/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::learn;
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  std::string text(raw.substr(0, raw.rfind(",\n\"checksum\"")));
  text += fmt::format(",\n\"checksum\": \"{:08x}\"}}\n", weir::crc32(text));
  for (const std::string_view each : {raw, std::string_view(text)}) {
    const auto model = parse_model(each);
    if (!model) {
      if (model.error().what.empty()) __builtin_trap();
      continue;
    }
    for (const Predictor& predictor : model->predictors())
      for (const double value : {0.0, 0.3, 1.0}) {
        Features features;
        features.fill(value);
        const auto answer = predictor.suggest(features);
        if (answer && !(0 <= answer->expected && answer->expected <= answer->safe && answer->safe <= 1))
          __builtin_trap();
      }
    if (!parse_model(format_model(*model))) __builtin_trap();
  }
  return 0;
}
