// SPDX-License-Identifier: MIT
#include "weir/limits/plan_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "weir/base/text.h"
#include "weir/limits/change.h"

namespace weir::limits {
namespace {

constexpr std::size_t kMostEntries = 10'000;

class Parser {
 public:
  explicit Parser(std::string_view name) : name_(name) {}

  [[nodiscard]] Result<PlanFile> parse(const YAML::Node& root) const {
    if (!root.IsMap()) return wrong(root.Mark(), "is no plan", "it begins like: limits: {web: {cpus: 1.5}}");
    PlanFile plan;
    std::set<std::string> seen;
    for (const auto& item : root) {
      const YAML::Node& key_node = item.first;
      const YAML::Node& value = item.second;
      WEIR_TRY(const std::string key, scalar(key_node, "a key"));
      if (!seen.insert(key).second) return wrong(key_node.Mark(), fmt::format("'{}' is given twice", key));
      if (key == "reason") {
        WEIR_TRY(plan.reason, scalar(value, "the reason"));
      } else if (key == "for") {
        WEIR_TRY(plan.lasts, scalar(value, "the time"));
      } else if (key == "sync") {
        WEIR_TRY(const std::string text, scalar(value, "sync"));
        if (text != "yes" && text != "true" && text != "no" && text != "false")
          return wrong(value.Mark(), "sync is yes or no");
        plan.sync = text == "yes" || text == "true";
      } else if (key == "limits") {
        WEIR_TRY(plan.entries, entries(value));
      } else {
        const std::vector<std::string> near = nearest(key, {"limits", "reason", "for", "sync"});
        return wrong(key_node.Mark(), fmt::format("'{}' is unknown", key),
                     near.empty() ? "known are limits, reason, for, sync"
                                  : fmt::format("did you mean '{}'?", near.front()));
      }
    }
    if (plan.entries.empty()) return wrong(root.Mark(), "sets nothing", "name what to change below limits:");
    return plan;
  }

  [[nodiscard]] std::unexpected<Error> wrong(const YAML::Mark& mark, std::string_view what,
                                             std::string_view hint = {}) const {
    return std::unexpected(make_error(ErrorKind::invalid, place(mark), what, hint));
  }

 private:
  [[nodiscard]] std::string place(const YAML::Mark& mark) const {
    return mark.is_null() ? name_ : fmt::format("{}:{}:{}", name_, mark.line + 1, mark.column + 1);
  }

  [[nodiscard]] Result<std::string> scalar(const YAML::Node& node, std::string_view what) const {
    if (!node.IsScalar()) return wrong(node.Mark(), fmt::format("{} must be one value", what));
    return node.Scalar();
  }

  [[nodiscard]] Result<std::vector<PlanFile::Entry>> entries(const YAML::Node& limits) const {
    if (!limits.IsMap())
      return wrong(limits.Mark(), "limits: names targets", "for example: limits: {web: {cpus: 1.5}}");
    std::vector<PlanFile::Entry> all;
    std::set<std::string> seen;
    for (const auto& item : limits) {
      const YAML::Node& target_node = item.first;
      const YAML::Node& knobs = item.second;
      PlanFile::Entry entry{.target = {}, .where = place(target_node.Mark()), .settings = {}};
      WEIR_TRY(entry.target, scalar(target_node, "a target"));
      if (!seen.insert(entry.target).second)
        return wrong(target_node.Mark(), fmt::format("'{}' is named twice", entry.target));
      if (!knobs.IsMap() || knobs.size() == 0)
        return wrong(target_node.Mark(), fmt::format("'{}' has no limits", entry.target),
                     "for example: {cpus: 1.5, memory: 512M}");
      for (const auto& each : knobs) {
        WEIR_TRY(const std::string knob, scalar(each.first, "a limit's name"));
        if (cgroup::find_knob(knob) == nullptr) {
          Error error = cgroup::parse_setting(knob + "=").error();  // names the near ones
          return wrong(each.first.Mark(), fmt::format("{} {}", error.subject, error.what), error.hint);
        }
        WEIR_CHECK(add(knob, each.second, entry.settings));
      }
      all.push_back(std::move(entry));
      if (all.size() > kMostEntries)
        return wrong(limits.Mark(), fmt::format("has more than {} targets", kMostEntries));
    }
    return all;
  }

  /// A value, or a list of them: one for each device.
  [[nodiscard]] Result<void> add(const std::string& knob, const YAML::Node& value,
                                 std::vector<cgroup::Setting>& settings) const {
    if (value.IsSequence()) {
      if (value.size() == 0) return wrong(value.Mark(), fmt::format("{} has no value", knob));
      for (const YAML::Node& each : value) {
        if (!each.IsScalar()) return wrong(each.Mark(), fmt::format("a value of {} must be one word", knob));
        WEIR_CHECK(add(knob, each, settings));
      }
      return {};
    }
    WEIR_TRY(const std::string text, scalar(value, fmt::format("the value of {}", knob)));
    auto setting = cgroup::parse_setting(fmt::format("{}={}", knob, text));
    if (!setting) {
      Error error = std::move(setting).error();
      error.subject = fmt::format("{}: {}", place(value.Mark()), error.subject);
      return std::unexpected(std::move(error));
    }
    const bool twice = std::ranges::any_of(
        settings, [&](const cgroup::Setting& other) { return same_place(other, *setting); });
    if (twice) return wrong(value.Mark(), fmt::format("{} is given twice", cgroup::info(setting->knob).file));
    settings.push_back(std::move(*setting));
    return {};
  }

  std::string name_;
};

}  // namespace

Result<PlanFile> parse_plan_file(std::string_view text, std::string_view name) {
  const Parser parser(name);
  try {
    return parser.parse(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {  // yaml-cpp has no other way to say that it is no YAML
    return parser.wrong(error.mark, fmt::format("is no YAML: {}", error.msg));
  }
}

}  // namespace weir::limits
