// SPDX-License-Identifier: MIT
#include "weir/cgroup/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "weir/base/text.h"

namespace weir::cgroup {
namespace {

constexpr std::uint64_t kMaxListItem = 1U << 20;
constexpr std::uint64_t kMaxIops = UINT32_MAX;  // block/blk-throttle.c clamps there

std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_u64(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_u64(text.substr(dash + 1));
  if (!first || !last || *first > *last || *last > kMaxListItem) return std::nullopt;
  return std::pair{*first, *last};
}

std::optional<std::uint64_t> parse_rate(std::string_view text, Sizes sizes) {
  if (sizes == Sizes::plain) return parse_u64(text);
  const auto bytes = parse_bytes(text);
  return bytes ? std::optional(bytes->count()) : std::nullopt;
}

}  // namespace

std::optional<std::string> canonical_list(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::string();
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const std::string_view piece : split(text, ',')) {
    const auto range = parse_range(trim(piece));
    if (!range) return std::nullopt;
    ranges.push_back(*range);
  }
  std::sort(ranges.begin(), ranges.end());
  std::vector<std::pair<std::uint64_t, std::uint64_t>> merged;
  for (const auto& range : ranges) {
    if (!merged.empty() && range.first <= merged.back().second + 1)
      merged.back().second = std::max(merged.back().second, range.second);
    else
      merged.push_back(range);
  }
  std::string out;
  for (const auto& [first, last] : merged) {
    if (!out.empty()) out += ',';
    out += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
  }
  return out;
}

IoMaxParse parse_io_max(std::string_view keys, Sizes sizes) {
  IoMaxParse parsed;
  const auto bad = [&](std::string why) {
    parsed.trouble = std::move(why);
    return parsed;
  };
  std::string blanks(keys);
  std::replace(blanks.begin(), blanks.end(), ',', ' ');
  for (const std::string_view piece : words(blanks)) {
    const std::size_t equals = piece.find('=');
    const auto* key = std::find(IoMax::kKeys.begin(), IoMax::kKeys.end(), piece.substr(0, equals));
    if (equals == std::string_view::npos || key == IoMax::kKeys.end())
      return bad(fmt::format("'{}' is none of rbps=, wbps=, riops=, wiops=", piece));
    const auto index = static_cast<std::size_t>(key - IoMax::kKeys.begin());
    const std::string_view text = piece.substr(equals + 1);
    if (parsed.value.named.at(index)) return bad(fmt::format("{} is named twice", *key));
    parsed.value.named.at(index) = true;
    if (text == "max") continue;
    const bool is_bps = index < 2;
    auto rate = parse_rate(text, is_bps ? sizes : Sizes::plain);
    if (!rate) return bad(fmt::format("{}={} is no {} and not max", *key, text, is_bps ? "size" : "number"));
    if (*rate == 0) return bad(fmt::format("{}=0 is refused by the kernel; the least is 1", *key));
    if (*rate == UINT64_MAX) continue;  // the kernel's own "max"
    parsed.value.limits.at(index) = is_bps ? *rate : std::min(*rate, kMaxIops);
    if (!is_bps && *rate >= kMaxIops) parsed.value.limits.at(index) = std::nullopt;
  }
  if (std::none_of(parsed.value.named.begin(), parsed.value.named.end(), [](bool named) { return named; }))
    return bad("no key is named");
  return parsed;
}

std::string to_text(const IoMax& value) {
  std::string out;
  for (std::size_t i = 0; i < IoMax::kKeys.size(); ++i) {
    if (!value.named.at(i)) continue;
    const std::string_view gap = out.empty() ? "" : " ";
    out += value.limits.at(i) ? fmt::format("{}{}={}", gap, IoMax::kKeys.at(i), *value.limits.at(i))
                              : fmt::format("{}{}=max", gap, IoMax::kKeys.at(i));
  }
  return out;
}

bool is_device_number(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.size() > 16) return false;
  const auto major = parse_u64(text.substr(0, colon));
  const auto minor = parse_u64(text.substr(colon + 1));
  return major && minor && *major < (1U << 12) && *minor < (1U << 20);
}

}  // namespace weir::cgroup
