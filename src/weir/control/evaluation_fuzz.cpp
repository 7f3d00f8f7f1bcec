// SPDX-License-Identifier: MIT
// Any line as an event of a model: an Error that says why, another event, or one that adds up.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "weir/control/evaluation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::control;
  const auto event = parse_ml_event({reinterpret_cast<const char*>(data), size});
  if (!event && event.error().what.empty()) __builtin_trap();
  if (!event || !*event) return 0;
  Evaluation evaluation;
  evaluation.take(**event);
  const auto effects = evaluation.effects();
  if (effects.size() != 1) __builtin_trap();
  const Effect& effect = effects.begin()->second;
  if (!(effect.suggested.too_low >= 0 && effect.step.too_low <= 1)) __builtin_trap();
  return 0;
}
