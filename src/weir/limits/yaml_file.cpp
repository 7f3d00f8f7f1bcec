// SPDX-License-Identifier: MIT
#include "weir/limits/yaml_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "weir/base/text.h"

namespace weir::limits {
namespace {

constexpr std::size_t kLongestShown = 256, kLongestSaid = 1024;

/// Where a document begins.
struct Begin : YAML::EventHandler {
  void OnDocumentStart(const YAML::Mark& at) override { mark = at; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}

  YAML::Mark mark;
};

}  // namespace

const YAML::Node* YamlKeys::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

Result<YAML::Node> YamlFile::load(std::string_view text) const {
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    Begin begin;
    // LoadAll() never ends for a file that begins with a comma: each document of it is empty.
    if (parser.HandleNextDocument(begin) && parser.HandleNextDocument(begin))
      return std::unexpected(make_error(ErrorKind::invalid, place(begin.mark), "is not part of the document",
                                        "a file is one document; take out what begins here"));
    return YAML::Load(in.str());
  } catch (const YAML::Exception& error) {  // yaml-cpp has no other way to say that it is no YAML
    return std::unexpected(
        make_error(ErrorKind::invalid, place(error.mark), fmt::format("is no YAML: {}", error.msg)));
  }
}

std::string YamlFile::place(const YAML::Mark& mark) const {
  return mark.is_null() ? name_ : fmt::format("{}:{}:{}", name_, mark.line + 1, mark.column + 1);
}

std::unexpected<Error> YamlFile::wrong(const YAML::Node& at, std::string_view what,
                                       std::string_view hint) const {
  return std::unexpected(
      make_error(ErrorKind::invalid, place(at.Mark()), what.substr(0, kLongestSaid), hint));
}

std::unexpected<Error> YamlFile::wrong(const YAML::Node& at, Error error) const {
  error.subject = fmt::format("{}: {}", place(at.Mark()), error.subject.substr(0, kLongestShown));
  return std::unexpected(std::move(error));
}

std::unexpected<Error> YamlFile::unknown(const YAML::Node& at, std::string_view what, std::string_view word,
                                         std::span<const std::string_view> known) const {
  const std::vector<std::string> near = nearest(word, {known.begin(), known.end()}, 1);
  return wrong(at, fmt::format("'{}' {}", word.substr(0, kLongestShown), what),
               near.empty() ? fmt::format("known are {}", fmt::join(known, ", "))
                            : fmt::format("did you mean '{}'?", near.front()));
}

Result<std::string> YamlFile::scalar(const YAML::Node& node, std::string_view what) const {
  if (!node.IsScalar()) return wrong(node, fmt::format("{} must be one value", what));
  return node.Scalar();
}

Result<YamlKeys> YamlFile::keys(const YAML::Node& map, std::string_view what,
                                std::span<const std::string_view> known) const {
  if (!map.IsMap())
    return wrong(map, fmt::format("{} must have keys", what),
                 fmt::format("known are {}", fmt::join(known, ", ")));
  std::map<std::string, YAML::Node, std::less<>> values;
  for (const auto& item : map) {
    WEIR_TRY(const std::string key, scalar(item.first, "a key"));
    if (std::ranges::find(known, key) == known.end()) return unknown(item.first, "is unknown", key, known);
    if (item.second.IsNull())
      return wrong(item.first, fmt::format("'{}' has no value", key), "give it one, or take it out");
    if (!values.emplace(key, item.second).second)
      return wrong(item.first, fmt::format("'{}' is given twice", key), "keep one of them");
  }
  return YamlKeys(std::move(values));
}

}  // namespace weir::limits
