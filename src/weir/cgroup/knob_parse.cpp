// SPDX-License-Identifier: MIT
// `knob=value` of the command line into a Setting. Strict: what the kernel would refuse, or take as something
// else than was meant, is refused here with the reason.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>

#include "weir/base/text.h"
#include "weir/cgroup/knob.h"
#include "weir/cgroup/value.h"

namespace weir::cgroup {
namespace {

constexpr std::uint64_t kMinQuota = 1'000, kMinPeriod = 1'000, kMaxPeriod = 1'000'000;  // microseconds
constexpr std::uint64_t kMaxQuota = (std::uint64_t{1} << 44) - 1;
constexpr std::uint64_t kPeriodOfCpus = 100'000;

using Text = Result<std::string>;

std::unexpected<Error> bad(const KnobInfo& knob, std::string_view value, std::string_view why) {
  return std::unexpected(make_error(ErrorKind::invalid, fmt::format("{}={}", knob.file, value.substr(0, 256)),
                                    why,
                                    fmt::format("syntax: {}; for example {}", knob.syntax, knob.example)));
}

Text parse_cpus(const KnobInfo& knob, std::string_view value) {
  if (value == "max") return fmt::format("max {}", kPeriodOfCpus);
  const auto cpus = parse_decimal(value);
  if (!cpus) return bad(knob, value, "is not a number of CPUs and not max");
  const double quota = std::round(*cpus * static_cast<double>(kPeriodOfCpus));
  if (quota < static_cast<double>(kMinQuota))
    return bad(knob, value, "is less than the kernel's least, 0.01 CPUs");
  if (quota > static_cast<double>(kMaxQuota)) return bad(knob, value, "is more than the kernel takes");
  return fmt::format("{} {}", static_cast<std::uint64_t>(quota), kPeriodOfCpus);
}

/// A missing period stays missing: the cgroup's own is kept (complete()).
Text parse_quota_and_period(const KnobInfo& knob, std::string_view value) {
  std::string blanks(value);
  if (const std::size_t slash = blanks.find('/'); slash != std::string::npos) blanks[slash] = ' ';
  const auto fields = words(blanks);
  if (fields.empty() || fields.size() > 2) return bad(knob, value, "is not a quota, or a quota and a period");
  std::string text = "max";
  if (fields[0] != "max") {
    const auto quota = parse_u64(fields[0]);
    if (!quota) return bad(knob, value, "has a quota that is no number of microseconds and not max");
    if (*quota < kMinQuota) return bad(knob, value, "has a quota under the kernel's least, 1000 us");
    if (*quota > kMaxQuota) return bad(knob, value, "has a quota that is more than the kernel takes");
    text = fmt::format("{}", *quota);
  }
  if (fields.size() == 2) {
    const auto period = parse_u64(fields[1]);
    if (!period || *period < kMinPeriod || *period > kMaxPeriod)
      return bad(knob, value, "has a period outside 1000 .. 1000000 us");
    text += fmt::format(" {}", *period);
  }
  return text;
}

Text parse_number(const KnobInfo& knob, std::string_view value) {
  if (knob.allows_max && value == "max") return std::string("max");
  const auto number = parse_u64(value);
  if (!number) return bad(knob, value, knob.allows_max ? "is not a number and not max" : "is not a number");
  if (*number < knob.low || *number > knob.high)
    return bad(knob, value, fmt::format("is outside {} .. {}", knob.low, knob.high));
  return fmt::format("{}", *number);
}

Text parse_size(const KnobInfo& knob, std::string_view value) {
  if (value == "max") return std::string("max");
  const auto bytes = parse_bytes(value);
  if (!bytes) return bad(knob, value, fmt::format("{} and is not max", bytes.error().what));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t rounded = bytes->count() / page * page;
  if (rounded >= (std::uint64_t{1} << 62)) return bad(knob, value, "is more than any machine has; say max");
  if (rounded == 0 && bytes->count() != 0)
    return bad(knob, value, fmt::format("is less than a page ({} bytes)", page));
  return fmt::format("{}", rounded);
}

Result<std::string> device_number(const KnobInfo& knob, std::string_view value, std::string_view device) {
  if (is_device_number(device)) return std::string(device);
  if (!device.starts_with('/'))
    return bad(knob, value, "names no device: MAJ:MIN, or a path such as /dev/sda");
  struct stat st{};
  if (::stat(std::string(device).c_str(), &st) != 0)
    return std::unexpected(errno_error(errno, device, "look for the block device"));
  if (!S_ISBLK(st.st_mode)) return bad(knob, value, fmt::format("'{}' is no block device", device));
  return fmt::format("{}:{}", major(st.st_rdev), minor(st.st_rdev));
}

struct DeviceAndRest {
  std::string_view device, rest;
};
/// "8:0:wbps=4M", "/dev/disk/by-path/pci-0:1:wbps=4M", "8:0 wbps=4M": the device ends at the blank, or at the
/// last colon before the first "=" (before the end where there is none).
DeviceAndRest split_device(std::string_view value) {
  value = trim(value);
  if (const std::size_t blank = value.find(' '); blank != std::string_view::npos && value.find('=') > blank)
    return {value.substr(0, blank), trim(value.substr(blank))};
  const std::size_t colon = value.substr(0, value.find('=')).rfind(':');
  if (colon == std::string_view::npos) return {{}, value};
  return {value.substr(0, colon), value.substr(colon + 1)};
}

Result<Setting> parse_io(const KnobInfo& knob, std::string_view value) {
  Setting setting{.knob = knob.knob, .device = {}, .text = {}};
  auto [device, rest] = split_device(value);
  if (knob.shape == Shape::io_weight) {
    if (device.empty() || device == "default") {
      setting.device = "default";
      WEIR_TRY(setting.text, parse_number(knob, rest));
      return setting;
    }
    WEIR_TRY(setting.device, device_number(knob, value, device));
    if (rest == "default")
      setting.text = rest;
    else {
      WEIR_TRY(setting.text, parse_number(knob, rest));
    }
    return setting;
  }
  if (device.empty()) return bad(knob, value, "names no device");
  if (knob.shape == Shape::io_max) {
    const IoMaxParse parsed = parse_io_max(rest, Sizes::iec);
    if (!parsed.trouble.empty()) return bad(knob, value, parsed.trouble);
    setting.text = to_text(parsed.value);
  } else {
    if (!rest.starts_with("target=")) return bad(knob, value, "names no target=");
    const std::string_view target = rest.substr(7);
    auto micros = parse_u64(target);
    if (!micros) {
      const auto duration = parse_duration(target);
      if (!duration)
        return bad(knob, value, "has a target that is no number of microseconds and no duration");
      micros = static_cast<std::uint64_t>(duration->count());
    }
    if (*micros > 1'000'000'000) return bad(knob, value, "has a target of more than 1000 s");
    setting.text = fmt::format("target={}", *micros);
  }
  WEIR_TRY(setting.device, device_number(knob, value, device));
  return setting;
}

std::unexpected<Error> unknown_knob(std::string_view name) {
  std::vector<std::string> names;
  for (const KnobInfo& knob : knobs()) {
    names.emplace_back(knob.file);
    if (!knob.short_form.empty()) names.emplace_back(knob.short_form);
  }
  const auto near = nearest(name, names);
  std::string hint = near.empty() ? "knobs: " : "did you mean ";
  const auto& shown = near.empty() ? names : near;
  for (std::size_t i = 0; i < shown.size(); ++i) hint += fmt::format("{}{}", i == 0 ? "" : ", ", shown[i]);
  return std::unexpected(
      make_error(ErrorKind::invalid, name.substr(0, 256), "is no limit that weir knows", hint));
}

}  // namespace

Result<Setting> parse_setting(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos)
    return std::unexpected(make_error(ErrorKind::invalid, assignment.substr(0, 256), "is not knob=value",
                                      "for example cpus=1.5, memory=512M, pids.max=512"));
  const std::string_view name = assignment.substr(0, equals);
  const std::string_view value = trim(assignment.substr(equals + 1));
  const KnobInfo* knob = find_knob(name);
  if (knob == nullptr) return unknown_knob(name);
  if (value.find_first_of(std::string_view("\n\r\0", 3)) != std::string_view::npos)
    return bad(*knob, value, "has a control character in it");
  if (value.size() > 4096) return bad(*knob, value, "is longer than 4096 bytes");

  Setting setting{.knob = knob->knob, .device = {}, .text = {}};
  switch (knob->shape) {
    case Shape::cpu_max: {
      WEIR_TRY(setting.text,
               name == "cpus" ? parse_cpus(*knob, value) : parse_quota_and_period(*knob, value));
      return setting;
    }
    case Shape::micros:
    case Shape::number: {
      WEIR_TRY(setting.text, parse_number(*knob, value));
      return setting;
    }
    case Shape::flag: {
      if (value != "0" && value != "1") return bad(*knob, value, "is neither 0 nor 1");
      setting.text = value;
      return setting;
    }
    case Shape::bytes: {
      WEIR_TRY(setting.text, parse_size(*knob, value));
      return setting;
    }
    case Shape::list: {
      const auto list = canonical_list(value);
      if (!list) return bad(*knob, value, "is no list of numbers and ranges");
      setting.text = *list;
      return setting;
    }
    case Shape::io_max:
    case Shape::io_weight:
    case Shape::io_latency:
      return parse_io(*knob, value);
  }
  return unknown_knob(name);
}

}  // namespace weir::cgroup
