// SPDX-License-Identifier: MIT
#include "weir/base/json.h"

namespace weir {

Result<Json> parse_json(std::string_view text, std::string_view name, std::size_t cap) {
  if (text.size() > cap)
    return std::unexpected(make_error(ErrorKind::invalid, name, "JSON text is too large"));
  bool too_deep = false;
  const auto guard = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > 64;
    return !too_deep;
  };
  Json json = Json::parse(text, guard, /*allow_exceptions=*/false);
  if (too_deep) return std::unexpected(make_error(ErrorKind::invalid, name, "JSON is nested too deeply"));
  if (json.is_discarded()) return std::unexpected(make_error(ErrorKind::invalid, name, "is not valid JSON"));
  return json;
}

std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

const Json* member(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(std::string(key));
  return it == object.end() ? nullptr : &*it;
}

std::string string_member(const Json& object, std::string_view key) {
  const Json* found = member(object, key);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace weir
