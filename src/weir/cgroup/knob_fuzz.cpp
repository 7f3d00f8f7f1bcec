// SPDX-License-Identifier: MIT
// Whatever is typed or read: no crash, and what parses is stable under completing, writing and reading again.
#include "weir/cgroup/knob.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace weir::cgroup;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find('/') == std::string_view::npos) {  // no paths: stat() is not what is tried here
    if (const auto setting = parse_setting(text)) {
      (void)describe(*setting);
      (void)setting->to_write();
    }
  }
  for (const KnobInfo& knob : knobs()) {
    const auto settings = parse_kernel_text(knob.knob, text);
    if (!settings) continue;
    for (const Setting& setting : *settings) {
      (void)describe(setting);
      WEIR_ASSERT(complete(setting, setting) == setting);
      const auto again = parse_kernel_text(knob.knob, setting.to_write());
      WEIR_ASSERT(again && again->front() == setting);
    }
  }
  return 0;
}
