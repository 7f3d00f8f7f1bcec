// SPDX-License-Identifier: MIT
#include "weir/limits/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <vector>

#include "weir/base/text.h"

namespace weir::limits {
namespace {

constexpr std::string_view kFormat = "w1";
constexpr std::size_t kFields = 21;
constexpr std::size_t kChecksum = 8;

/// CRC-32 (IEEE 802.3, reflected), four bits at a time: the table is small and records are short.
std::uint32_t crc32(std::string_view bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 16> table{};
    for (std::uint32_t n = 0; n < table.size(); ++n) {
      std::uint32_t c = n;
      for (int bit = 0; bit < 4; ++bit) c = (c & 1U) != 0 ? 0xEDB88320U ^ (c >> 1U) : c >> 1U;
      table.at(n) = c;
    }
    return table;
  }();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    crc = kTable[crc & 15U] ^ (crc >> 4U);
    crc = kTable[crc & 15U] ^ (crc >> 4U);
  }
  return ~crc;
}

void append_field(std::string& line, std::string_view field) {
  for (const char c : field) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '\\')
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", byte);
    else
      line += c;
  }
}

std::optional<std::string> decode_field(std::string_view field) {
  std::string text;
  text.reserve(field.size());
  while (!field.empty()) {
    if (field.front() != '\\') {
      text += field.front();
      field.remove_prefix(1);
      continue;
    }
    unsigned value = 0;
    if (field.size() < 4 || field[1] != 'x') return std::nullopt;
    const auto [end, error] = std::from_chars(field.data() + 2, field.data() + 4, value, 16);
    if (error != std::errc() || end != field.data() + 4) return std::nullopt;
    text += static_cast<char>(value);
    field.remove_prefix(4);
  }
  return text;
}

template <typename T>
bool take_number(const std::string& field, T& out) {
  const auto value = parse_u64(field);
  if (!value || *value > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) return false;
  out = static_cast<T>(*value);
  return true;
}

bool take_time(const std::string& field, std::chrono::nanoseconds& out) {
  std::int64_t ns = 0;
  if (!take_number(field, ns)) return false;
  out = std::chrono::nanoseconds(ns);
  return true;
}

}  // namespace

std::string encode(const Record& record) {
  const Change& c = record.change;
  const std::array<std::string, kFields> fields = {
      std::string(kFormat),
      record.boot,
      fmt::to_string(record.head),
      fmt::to_string(c.id.epoch),
      fmt::to_string(c.id.index),
      std::string(to_string(c.phase)),
      fmt::to_string(c.time.count()),
      fmt::to_string(c.restore_at.count()),
      fmt::to_string(c.who.uid),
      c.who.login_uid ? fmt::to_string(*c.who.login_uid) : std::string(),
      c.who.sudo_user,
      c.reason,
      c.target,
      c.name,
      c.cgroup,
      fmt::to_string(c.cgroup_id.count()),
      std::string(cgroup::info(c.after.knob).file),
      c.after.device,
      c.before.text,
      c.after.text,
      c.note,
  };
  std::string payload;
  for (const std::string& field : fields) {
    if (!payload.empty()) payload += '\t';
    append_field(payload, field);
  }
  return fmt::format("{:08x}\t{}\n", crc32(payload), payload);
}

std::optional<Record> decode(std::string_view line) {
  if (line.size() <= kChecksum || line.size() > kLongestRecord || line[kChecksum] != '\t')
    return std::nullopt;
  const std::string_view payload = line.substr(kChecksum + 1);
  if (line.substr(0, kChecksum) != fmt::format("{:08x}", crc32(payload))) return std::nullopt;

  std::vector<std::string> fields;
  for (const std::string_view piece : split(payload, '\t')) {
    auto field = decode_field(piece);
    if (!field) return std::nullopt;
    fields.push_back(std::move(*field));
  }
  if (fields.size() != kFields || fields[0] != kFormat) return std::nullopt;

  Record record{.boot = fields[1]};
  Change& c = record.change;
  const auto phase = parse_phase(fields[5]);
  const cgroup::KnobInfo* knob = cgroup::find_knob(fields[16]);
  std::uint64_t cgroup_id = 0;
  const bool numbers = take_number(fields[2], record.head) && take_number(fields[3], c.id.epoch) &&
                       take_number(fields[4], c.id.index) && take_time(fields[6], c.time) &&
                       take_time(fields[7], c.restore_at) && take_number(fields[8], c.who.uid) &&
                       take_number(fields[15], cgroup_id);
  if (!phase || !knob || !numbers) return std::nullopt;
  if (!fields[9].empty() && !take_number(fields[9], c.who.login_uid.emplace())) return std::nullopt;
  c.phase = *phase;
  c.who.sudo_user = fields[10];
  c.reason = fields[11];
  c.target = fields[12];
  c.name = fields[13];
  c.cgroup = fields[14];
  c.cgroup_id = CgroupId(cgroup_id);
  c.before = {.knob = knob->knob, .device = fields[17], .text = fields[18]};
  c.after = {.knob = knob->knob, .device = fields[17], .text = fields[19]};
  c.note = fields[20];
  return record;
}

}  // namespace weir::limits
