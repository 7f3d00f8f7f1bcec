// SPDX-License-Identifier: MIT
// Setting against the kernel: what is written, what is read back, and how a partly given value is completed.
#include <fmt/format.h>

#include <algorithm>

#include "weir/base/text.h"
#include "weir/cgroup/knob.h"
#include "weir/cgroup/value.h"

namespace weir::cgroup {
namespace {

bool is_per_device(Shape shape) {
  return shape == Shape::io_max || shape == Shape::io_weight || shape == Shape::io_latency;
}

std::string default_of(Shape shape) {
  switch (shape) {
    case Shape::io_max:
      return "rbps=max wbps=max riops=max wiops=max";
    case Shape::io_weight:
      return "default";
    default:
      return "target=0";
  }
}

/// io.latency may say more on its line than the target (use_delay=… and others, with CONFIG_BLK_DEBUG).
std::string only_target(std::string_view keys) {
  for (const std::string_view word : words(keys))
    if (word.starts_with("target=")) return std::string(word);
  return "target=0";
}

std::unexpected<Error> not_understood(Knob knob, std::string_view text) {
  return std::unexpected(
      make_error(ErrorKind::failed, info(knob).file,
                 fmt::format("holds '{}', which weir does not understand", trim(text).substr(0, 256))));
}

}  // namespace

std::string Setting::to_write() const {
  if (!device.empty()) return fmt::format("{} {}", device, text);
  return text.empty() ? "\n" : text;
}

Result<std::vector<Setting>> parse_kernel_text(Knob knob, std::string_view kernel_text) {
  const Shape shape = info(knob).shape;
  std::vector<Setting> settings;
  if (!is_per_device(shape)) {
    const std::string_view text = trim(kernel_text);
    if (text.find('\n') != std::string_view::npos) return not_understood(knob, text);
    if (shape == Shape::cpu_max) {
      WEIR_TRY(const CpuMax value, parse_cpu_max(text));
      settings.push_back({knob, "", to_kernel(value)});
    } else if (shape == Shape::list) {
      const auto list = canonical_list(text);
      if (!list) return not_understood(knob, text);
      settings.push_back({knob, "", *list});
    } else {
      const auto number = parse_u64(text);
      if (!number && text != "max") return not_understood(knob, text);
      settings.push_back({knob, "", number ? fmt::format("{}", *number) : "max"});
    }
    return settings;
  }
  for (const std::string_view line : split(kernel_text, '\n')) {
    if (trim(line).empty()) continue;
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return not_understood(knob, line);
    const std::string_view device = line.substr(0, blank);
    const std::string_view keys = trim(line.substr(blank));
    if (!is_device_number(device) && !(shape == Shape::io_weight && device == "default"))
      return not_understood(knob, line);
    std::string text(keys);
    if (shape == Shape::io_max) {
      IoMaxParse parsed = parse_io_max(keys, Sizes::plain);
      if (!parsed.trouble.empty()) return not_understood(knob, line);
      parsed.value.named.fill(true);
      text = to_text(parsed.value);
    } else if (shape == Shape::io_latency) {
      text = only_target(keys);
    } else if (keys != "default" && !parse_u64(keys)) {
      return not_understood(knob, line);
    }
    settings.push_back({knob, std::string(device), std::move(text)});
  }
  return settings;
}

Result<Setting> parse_setting_of(std::string_view text, const Setting& wanted) {
  WEIR_TRY(std::vector<Setting> settings, parse_kernel_text(wanted.knob, text));
  for (Setting& setting : settings)
    if (setting.device == wanted.device) return std::move(setting);
  if (!is_per_device(info(wanted.knob).shape)) return not_understood(wanted.knob, text);
  return Setting{.knob = wanted.knob, .device = wanted.device, .text = default_of(info(wanted.knob).shape)};
}

Result<Setting> read_setting(const Dir& dir, const Setting& wanted) {
  WEIR_TRY(const std::string text, dir.read(info(wanted.knob).file));
  return parse_setting_of(text, wanted);
}

Result<std::vector<Setting>> read_settings(const Dir& dir) {
  std::vector<Setting> all;
  for (const KnobInfo& knob : knobs()) {
    const auto text = dir.read(knob.file);
    if (!text && text.error().kind == ErrorKind::absent) continue;
    if (!text) return std::unexpected(text.error());
    WEIR_TRY(std::vector<Setting> settings, parse_kernel_text(knob.knob, *text));
    std::move(settings.begin(), settings.end(), std::back_inserter(all));
  }
  return all;
}

Setting complete(const Setting& wanted, const Setting& current) {
  WEIR_ASSERT(wanted.knob == current.knob && wanted.device == current.device);
  Setting whole = wanted;
  if (wanted.knob == Knob::cpu_max) {
    const auto have = words(current.text);
    if (words(wanted.text).size() == 1 && have.size() == 2)
      whole.text = fmt::format("{} {}", wanted.text, have[1]);
  } else if (wanted.knob == Knob::io_max) {
    IoMax value = parse_io_max(wanted.text, Sizes::plain).value;
    const IoMax have = parse_io_max(current.text, Sizes::plain).value;
    for (std::size_t i = 0; i < value.limits.size(); ++i)
      if (!value.named.at(i)) value.limits.at(i) = have.limits.at(i);
    value.named.fill(true);
    whole.text = to_text(value);
  }
  return whole;
}

Result<void> write_setting(Dir& dir, const Setting& setting) {
  WEIR_CHECK(dir.write(info(setting.knob).file, setting.to_write()));
  WEIR_TRY(const Setting holds, read_setting(dir, setting));
  if (complete(setting, holds) == holds) return {};
  return std::unexpected(
      make_error(ErrorKind::failed, fmt::format("{} of {}", info(setting.knob).file, dir.path()),
                 fmt::format("wrote '{}', the kernel holds '{}'", setting.text, holds.text)));
}

}  // namespace weir::cgroup
