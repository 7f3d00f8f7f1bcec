// SPDX-License-Identifier: MIT
#include "weir/limits/plan_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "weir/limits/change.h"
#include "weir/limits/yaml_file.h"

namespace weir::limits {
namespace {

constexpr std::size_t kMostEntries = 10'000;
constexpr std::array<std::string_view, 4> kKeys = {"limits", "reason", "for", "sync"};

class Parser {
 public:
  explicit Parser(std::string_view name) : file_(name) {}

  [[nodiscard]] Result<PlanFile> parse(std::string_view text) const {
    WEIR_TRY(const YAML::Node root, file_.load(text));
    if (!root.IsMap()) return file_.wrong(root, "is no plan", "it begins like: limits: {web: {cpus: 1.5}}");
    WEIR_TRY(const YamlKeys keys, file_.keys(root, "the plan", kKeys));
    PlanFile plan;
    if (const YAML::Node* reason = keys.find("reason")) {
      WEIR_TRY(plan.reason, file_.scalar(*reason, "the reason"));
    }
    if (const YAML::Node* lasts = keys.find("for")) {
      WEIR_TRY(plan.lasts, file_.scalar(*lasts, "the time"));
    }
    if (const YAML::Node* sync = keys.find("sync")) {
      WEIR_TRY(const std::string said, file_.scalar(*sync, "sync"));
      if (said != "yes" && said != "true" && said != "no" && said != "false")
        return file_.wrong(*sync, "sync is yes or no");
      plan.sync = said == "yes" || said == "true";
    }
    if (const YAML::Node* limits = keys.find("limits")) {
      WEIR_TRY(plan.entries, entries(*limits));
    }
    if (plan.entries.empty()) return file_.wrong(root, "sets nothing", "name what to change below limits:");
    return plan;
  }

 private:
  [[nodiscard]] Result<std::vector<PlanFile::Entry>> entries(const YAML::Node& limits) const {
    if (!limits.IsMap())
      return file_.wrong(limits, "limits: names targets", "for example: limits: {web: {cpus: 1.5}}");
    std::vector<PlanFile::Entry> all;
    std::set<std::string> seen;
    for (const auto& item : limits) {
      const YAML::Node& target_node = item.first;
      const YAML::Node& knobs = item.second;
      PlanFile::Entry entry{.target = {}, .where = file_.place(target_node.Mark()), .settings = {}};
      WEIR_TRY(entry.target, file_.scalar(target_node, "a target"));
      if (!seen.insert(entry.target).second)
        return file_.wrong(target_node, fmt::format("'{}' is named twice", entry.target));
      if (!knobs.IsMap() || knobs.size() == 0)
        return file_.wrong(target_node, fmt::format("'{}' has no limits", entry.target),
                           "for example: {cpus: 1.5, memory: 512M}");
      for (const auto& each : knobs) {
        WEIR_TRY(const std::string knob, file_.scalar(each.first, "a limit's name"));
        if (cgroup::find_knob(knob) == nullptr) {
          Error error = cgroup::parse_setting(knob + "=").error();  // names the near ones
          return file_.wrong(each.first, fmt::format("{} {}", error.subject, error.what), error.hint);
        }
        WEIR_CHECK(add(knob, each.second, entry.settings));
      }
      all.push_back(std::move(entry));
      if (all.size() > kMostEntries)
        return file_.wrong(limits, fmt::format("has more than {} targets", kMostEntries));
    }
    return all;
  }

  /// A value, or a list of them: one for each device.
  [[nodiscard]] Result<void> add(const std::string& knob, const YAML::Node& value,
                                 std::vector<cgroup::Setting>& settings) const {
    if (value.IsSequence()) {
      if (value.size() == 0) return file_.wrong(value, fmt::format("{} has no value", knob));
      for (const YAML::Node& each : value) {
        if (!each.IsScalar()) return file_.wrong(each, fmt::format("a value of {} must be one word", knob));
        WEIR_CHECK(add(knob, each, settings));
      }
      return {};
    }
    WEIR_TRY(const std::string text, file_.scalar(value, fmt::format("the value of {}", knob)));
    auto setting = cgroup::parse_setting(fmt::format("{}={}", knob, text));
    if (!setting) return file_.wrong(value, std::move(setting).error());
    const bool twice = std::ranges::any_of(
        settings, [&](const cgroup::Setting& other) { return same_place(other, *setting); });
    if (twice) return file_.wrong(value, fmt::format("{} is given twice", cgroup::info(setting->knob).file));
    settings.push_back(std::move(*setting));
    return {};
  }

  YamlFile file_;
};

}  // namespace

Result<PlanFile> parse_plan_file(std::string_view text, std::string_view name) {
  return Parser(name).parse(text);
}

}  // namespace weir::limits
