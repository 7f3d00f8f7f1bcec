// SPDX-License-Identifier: MIT
#pragma once
// One resource of one container in a Config: {soft: 0.5, hard: 2, …}. What is not given comes from a table;
// what comes out is what policy::Bounds promises.

#include <utility>

#include "weir/control/config.h"
#include "weir/limits/yaml_file.h"

namespace weir::control {

/// What holds for every container that does not say otherwise.
struct Defaults {
  const policy::Policy* policy = nullptr;
  double cooldown = 1;  ///< seconds
  int priority = 0;
};

/// Reads the values of one file; `what` is what they are called in errors.
class SectionParser {
 public:
  explicit SectionParser(limits::YamlFile file) : file_(std::move(file)) {}

  [[nodiscard]] Result<Managed> managed(const YAML::Node& section, policy::Resource resource,
                                        const Defaults& defaults) const;

  /// CPUs, bytes or bytes a second; sizes are whole, those of memory in pages.
  [[nodiscard]] Result<double> amount(const YAML::Node& node, std::string_view what,
                                      policy::Resource resource, double least) const;
  [[nodiscard]] Result<double> number(const YAML::Node& node, std::string_view what, double low,
                                      double high) const;
  /// In seconds.
  [[nodiscard]] Result<double> cooldown(const YAML::Node& node, std::string_view what) const;
  [[nodiscard]] Result<const policy::Policy*> policy(const YAML::Node& node, std::string_view what) const;

 private:
  /// What the parser of a text said about it.
  [[nodiscard]] std::unexpected<Error> refused(const YAML::Node& node, std::string_view what,
                                               const Error& error) const;
  [[nodiscard]] Result<policy::Bounds> bounds(const YAML::Node& section, const limits::YamlKeys& keys,
                                              policy::Resource resource) const;
  [[nodiscard]] Result<policy::Parameters> parameters(const YAML::Node& node,
                                                      const policy::Policy& policy) const;

  limits::YamlFile file_;
};

}  // namespace weir::control
