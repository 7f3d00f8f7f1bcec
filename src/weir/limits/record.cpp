// SPDX-License-Identifier: MIT
#include "weir/limits/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "weir/base/checksum.h"
#include "weir/base/text.h"

namespace weir::limits {
namespace {

constexpr std::string_view kFormat = "w2";
constexpr std::size_t kFields = 22;
constexpr std::size_t kChecksum = 8;

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7f && c != '\\';
}

/// Whether each of eight characters is plain (a byte below n: the borrow of x - n reaches its top bit; a byte
/// equal to c: x ^ c is zero there).
bool are_plain(std::uint64_t x) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const auto below = [](std::uint64_t y, std::uint64_t n) { return (y - kOnes * n) & ~y & (kOnes << 7U); };
  return (below(x, 0x20) | below(x ^ (kOnes * 0x7f), 1) | below(x ^ (kOnes * '\\'), 1)) == 0;
}

char digit(unsigned value) { return "0123456789abcdef"[value & 15U]; }

/// Writes fields, each behind a tab, to where there is room for them.
class Line {
 public:
  /// The most that a field of this size can take.
  static std::size_t room(std::string_view field) { return 1 + 4 * field.size(); }
  static constexpr std::size_t kNumberRoom = 21;

  explicit Line(char* at) : at_(at) {}
  Line& operator<<(std::string_view field) {
    *at_++ = '\t';
    const char* from = field.data();
    const char* const end = from + field.size();
    for (std::uint64_t eight = 0; end - from >= 8; from += 8, at_ += 8) {
      std::memcpy(&eight, from, sizeof eight);
      if (!are_plain(eight)) break;
      std::memcpy(at_, &eight, sizeof eight);
    }
    for (; from != end; ++from) {
      if (is_plain(*from)) {
        *at_++ = *from;
      } else {
        const auto byte = static_cast<unsigned char>(*from);
        for (const char c : {'\\', 'x', digit(byte / 16U), digit(byte)}) *at_++ = c;
      }
    }
    return *this;
  }
  template <std::integral Number>
  Line& operator<<(Number number) {
    *at_++ = '\t';
    at_ = std::to_chars(at_, at_ + kNumberRoom, number).ptr;
    return *this;
  }
  [[nodiscard]] char* end() const { return at_; }

 private:
  char* at_;
};

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

/// "AT PERIODS USAGE GRANTED EXACT", or nothing.
std::string encode_refill(const std::optional<Refill>& refill) {
  if (!refill) return {};
  return fmt::format("{} {} {} {} {}", refill->look.at.count(), refill->look.periods,
                     refill->look.usage.count(), refill->granted.count(), refill->exact ? 1 : 0);
}

bool take_refill(const std::string& field, std::optional<Refill>& out) {
  if (field.empty()) return true;
  const auto numbers = words(field);
  std::array<std::int64_t, 5> values{};
  if (numbers.size() != values.size()) return false;
  for (std::size_t n = 0; n < values.size(); ++n)
    if (!take_number(std::string(numbers[n]), values.at(n))) return false;
  out = Refill{.look = {.at = std::chrono::nanoseconds(values[0]),
                        .periods = static_cast<std::uint64_t>(values[1]),
                        .usage = std::chrono::microseconds(values[2])},
               .granted = std::chrono::microseconds(values[3]),
               .exact = values[4] != 0};
  return true;
}

}  // namespace

std::string encode(const Record& record) {
  std::string text;
  encode(record.boot, record.head, record.change, text);
  return text;
}

void encode(std::string_view boot, std::uint64_t head, const Change& c, std::string& out) {
  const std::size_t begin = out.size();
  const std::string refill = encode_refill(c.refill);
  const std::string_view knob = cgroup::info(c.after.knob).file, phase = to_string(c.phase);
  const std::array<std::string_view, 13> texts = {
      kFormat,  boot, phase,          c.who.sudo_user, c.reason,     c.target, c.name,
      c.cgroup, knob, c.after.device, c.before.text,   c.after.text, c.note};
  std::size_t room = kChecksum + 9 * Line::kNumberRoom + Line::room(refill) + 2;
  for (const std::string_view text : texts) room += Line::room(text);
  out.resize_and_overwrite(begin + room, [&](char* text, std::size_t) {
    char* const payload = text + begin + kChecksum;
    Line line(payload);
    line << kFormat << boot << head << c.id.epoch << c.id.index << phase << c.time.count()
         << c.restore_at.count() << c.who.uid;
    if (c.who.login_uid)
      line << *c.who.login_uid;
    else
      line << "";
    line << c.who.sudo_user << c.reason << c.target << c.name << c.cgroup << c.cgroup_id.count() << knob
         << c.after.device << c.before.text << c.after.text << c.note << refill;
    std::uint32_t checksum = crc32({payload + 1, line.end()});
    for (char* at = payload; at != text + begin; checksum >>= 4U) *--at = digit(checksum);
    *line.end() = '\n';
    return static_cast<std::size_t>(line.end() + 1 - text);
  });
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
  if (!take_refill(fields[21], c.refill)) return std::nullopt;
  return record;
}

}  // namespace weir::limits
