// SPDX-License-Identifier: MIT
#pragma once
// YamlFile: what is the same for every YAML file that people write: one document, keys that are known and
// given once, errors that say where. It asks what a node is before it takes it: nothing throws but load(),
// which catches.

#include <yaml-cpp/yaml.h>

#include <expected>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "weir/base/error.h"

namespace weir::limits {

/// The values of a map by its keys.
class YamlKeys {
 public:
  explicit YamlKeys(std::map<std::string, YAML::Node, std::less<>> values) : values_(std::move(values)) {}
  /// nullptr: it is not given.
  [[nodiscard]] const YAML::Node* find(std::string_view key) const;

 private:
  std::map<std::string, YAML::Node, std::less<>> values_;
};

class YamlFile {
 public:
  /// `name` stands before line and column in what is said.
  explicit YamlFile(std::string_view name) : name_(name) {}

  /// The one document of `text`; null where there is none.
  [[nodiscard]] Result<YAML::Node> load(std::string_view text) const;
  /// "plan.yml:4:3"
  [[nodiscard]] std::string place(const YAML::Mark& mark) const;

  [[nodiscard]] std::unexpected<Error> wrong(const YAML::Node& at, std::string_view what,
                                             std::string_view hint = {}) const;
  /// What the parser of a text said, with the place in front.
  [[nodiscard]] std::unexpected<Error> wrong(const YAML::Node& at, Error error) const;
  /// The hint names what is near to `word` among the known ones, or all of them.
  [[nodiscard]] std::unexpected<Error> unknown(const YAML::Node& at, std::string_view what,
                                               std::string_view word,
                                               std::span<const std::string_view> known) const;

  [[nodiscard]] Result<std::string> scalar(const YAML::Node& node, std::string_view what) const;
  [[nodiscard]] Result<YamlKeys> keys(const YAML::Node& map, std::string_view what,
                                      std::span<const std::string_view> known) const;

 private:
  std::string name_;
};

}  // namespace weir::limits
