// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "weir/base/text.h"
#include "weir/cgroup/knob.h"
#include "weir/cgroup/value.h"

namespace weir::cgroup {
namespace {

std::string describe_cpu_max(const std::string& text) {
  const auto fields = words(text);
  if (fields.empty()) return text;
  if (fields[0] == "max") return "max";
  if (fields.size() == 1) return fmt::format("{} us in each period", text);
  const auto value = parse_cpu_max(text);
  if (!value) return text;
  return fmt::format("{:.4g} cpus ({}/{})", value->cpus().value(), fields[0], fields[1]);
}

std::string describe_io_max(const std::string& text) {
  const IoMax value = parse_io_max(text, Sizes::plain).value;
  std::string out;
  for (std::size_t i = 0; i < IoMax::kKeys.size(); ++i) {
    if (!value.named.at(i)) continue;
    const auto& limit = value.limits.at(i);
    const std::string amount = !limit  ? "max"
                               : i < 2 ? format_bytes(Bytes(*limit))
                                       : fmt::format("{}", *limit);
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", IoMax::kKeys.at(i), amount);
  }
  return out;
}

std::string describe_value(const Setting& setting) {
  switch (info(setting.knob).shape) {
    case Shape::cpu_max:
      return describe_cpu_max(setting.text);
    case Shape::bytes: {
      const auto bytes = parse_u64(setting.text);
      return bytes ? format_bytes(Bytes(*bytes)) : setting.text;
    }
    case Shape::micros:
      return fmt::format("{} us", setting.text);
    case Shape::list:
      return setting.text.empty() ? "(as the parent)" : setting.text;
    case Shape::io_max:
      return describe_io_max(setting.text);
    default:
      return setting.text;
  }
}

}  // namespace

std::string describe(const Setting& setting) {
  const std::string_view file = info(setting.knob).file;
  if (setting.device.empty()) return fmt::format("{} {}", file, describe_value(setting));
  return fmt::format("{} {} {}", file, setting.device, describe_value(setting));
}

}  // namespace weir::cgroup
