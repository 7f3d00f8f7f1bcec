// SPDX-License-Identifier: MIT
#include "weir/base/flat_json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>
#include <charconv>
#include <limits>

namespace weir {

/// What Boost.JSON's parser calls; it reads the numbers' text, since Boost 1.81 itself rounds some wrongly.
class FlatJson::Handler {
 public:
  using Code = boost::json::error_code;
  using Part = boost::json::string_view;
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = max_object_size, max_key_size = max_object_size,
                               max_string_size = max_object_size;

  explicit Handler(FlatJson& json) : json_(json) {}

  bool on_document_begin(Code& /*error*/) { return true; }
  bool on_document_end(Code& /*error*/) { return true; }
  bool on_object_begin(Code& /*error*/) {
    ++depth_;
    if (arrays_ == 0 && depth_ <= 2) json_.next_section(depth_ == 1 ? std::string_view() : key_);
    return true;
  }
  bool on_object_end(std::size_t /*size*/, Code& /*error*/) {
    --depth_;
    return true;
  }
  bool on_array_begin(Code& /*error*/) {
    add(Other());
    ++arrays_;
    return true;
  }
  bool on_array_end(std::size_t /*size*/, Code& /*error*/) {
    --arrays_;
    return true;
  }
  bool on_key_part(Part part, std::size_t size, Code& /*error*/) {
    take_key(part, size == part.size());
    return true;
  }
  bool on_key(Part part, std::size_t size, Code& /*error*/) {
    take_key(part, size == part.size());
    return true;
  }
  bool on_string_part(Part part, std::size_t size, Code& /*error*/) {
    take_string(part, size == part.size());
    return true;
  }
  bool on_string(Part part, std::size_t size, Code& /*error*/) {
    take_string(part, size == part.size());
    add(Text());
    return true;
  }
  bool on_number_part(Part /*part*/, Code& /*error*/) { return true; }  // of a text in pieces
  bool on_int64(std::int64_t value, Part /*text*/, Code& /*error*/) {
    add(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, Part /*text*/, Code& /*error*/) {
    add(static_cast<double>(value));
    return true;
  }
  bool on_double(double /*value*/, Part text, Code& error) {
    double value = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (wrong != std::errc() || end != text.data() + text.size()) {
      error = boost::json::error::exponent_overflow;
      return false;
    }
    add(value);
    return true;
  }
  bool on_bool(bool /*value*/, Code& /*error*/) {
    add(Other());
    return true;
  }
  bool on_null(Code& /*error*/) {
    add(Other());
    return true;
  }
  bool on_comment_part(Part /*part*/, Code& /*error*/) { return true; }
  bool on_comment(Part /*part*/, Code& /*error*/) { return true; }

 private:
  void take_key(Part part, bool first) {
    if (first) key_.clear();
    key_.append(part.data(), part.size());
  }
  void take_string(Part part, bool first) {
    if (first) string_.clear();
    string_.append(part.data(), part.size());
  }
  template <typename Value>
  void add(Value value) {
    if (depth_ < 1 || depth_ > 2 || arrays_ > 0) return;
    Member& member = json_.next_member();
    member.section = depth_ == 1 ? 0 : json_.section_count_ - 1;
    member.key = key_;
    member.value = value;
    if constexpr (std::is_same_v<Value, Text>) member.string = string_;
  }

  FlatJson& json_;
  std::string key_, string_;
  int depth_ = 0, arrays_ = 0;
};

FlatJson::Member& FlatJson::next_member() {
  if (member_count_ == members_.size()) members_.emplace_back();
  return members_[member_count_++];
}

void FlatJson::next_section(std::string_view name) {
  if (section_count_ == sections_.size()) sections_.emplace_back();
  sections_[section_count_++] = name;
}

Result<void> FlatJson::read(std::string_view text, std::string_view name, std::size_t cap) {
  section_count_ = member_count_ = last_ = 0;
  if (text.size() > cap)
    return std::unexpected(make_error(ErrorKind::invalid, name, "JSON text is too large"));
  boost::json::basic_parser<Handler> parser({}, *this);
  boost::json::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error || read < text.size())
    return std::unexpected(make_error(ErrorKind::invalid, name, "is not valid JSON"));
  if (section_count_ == 0) return std::unexpected(make_error(ErrorKind::invalid, name, "is no JSON object"));
  return {};
}

const FlatJson::Member* FlatJson::find(std::string_view section, std::string_view key) const {
  for (std::size_t n = 0; n < member_count_; ++n) {
    const std::size_t at = last_ + n < member_count_ ? last_ + n : last_ + n - member_count_;
    const Member& member = members_[at];
    if (member.key != key || sections_[member.section] != section) continue;
    last_ = at + 1 < member_count_ ? at + 1 : 0;
    return &member;
  }
  return nullptr;
}

bool FlatJson::has(std::string_view section, std::string_view key) const {
  return find(section, key) != nullptr;
}

bool FlatJson::has_section(std::string_view section) const {
  const auto end = sections_.begin() + static_cast<std::ptrdiff_t>(section_count_);
  return std::find(sections_.begin(), end, section) != end;
}

std::optional<double> FlatJson::number(std::string_view section, std::string_view key) const {
  const Member* const member = find(section, key);
  if (member == nullptr) return std::nullopt;
  if (const auto* whole = std::get_if<std::int64_t>(&member->value)) return static_cast<double>(*whole);
  const auto* value = std::get_if<double>(&member->value);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::int64_t> FlatJson::integer(std::string_view section, std::string_view key) const {
  const Member* const member = find(section, key);
  const auto* value = member == nullptr ? nullptr : std::get_if<std::int64_t>(&member->value);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::string_view FlatJson::string(std::string_view section, std::string_view key) const {
  const Member* const member = find(section, key);
  return member == nullptr || !std::holds_alternative<Text>(member->value) ? std::string_view()
                                                                           : member->string;
}

}  // namespace weir
