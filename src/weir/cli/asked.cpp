// SPDX-License-Identifier: MIT
#include "weir/cli/asked.h"

#include <fmt/format.h>

#include <istream>
#include <iterator>

#include "weir/base/file.h"
#include "weir/base/text.h"
#include "weir/limits/plan_file.h"

namespace weir::cli {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::hours kLongestFor{24 * 365};

/// knob=value; a '=' behind a ':' or a '/' belongs to a target (label:tier=db, /a=b).
bool is_assignment(std::string_view word) {
  const std::size_t equals = word.find('=');
  return equals != std::string_view::npos &&
         word.substr(0, equals).find_first_of(":/") == std::string_view::npos;
}

Result<Asked> parse_words(const std::vector<std::string>& words) {
  Asked asked;
  std::vector<cgroup::Setting> settings;
  for (const std::string& word : words) {
    if (is_assignment(word)) {
      WEIR_TRY(cgroup::Setting setting, cgroup::parse_setting(word));
      settings.push_back(std::move(setting));
    } else {
      WEIR_TRY(container::Target target, container::parse_target(word));
      asked.targets.push_back({.target = std::move(target), .settings = {}, .where = {}});
    }
  }
  constexpr std::string_view kExample = "for example: weir set web cpus=1.5 memory=512M";
  if (asked.targets.empty())
    return std::unexpected(make_error(ErrorKind::invalid, "set", "no target is named", kExample));
  if (settings.empty())
    return std::unexpected(make_error(ErrorKind::invalid, "set", "no knob=value is given", kExample));
  for (Asked::One& one : asked.targets) one.settings = settings;
  return asked;
}

Result<nanoseconds> parse_lasts(const std::string& text, std::string_view subject) {
  WEIR_TRY(const nanoseconds lasts, parse_duration(text));
  if (lasts < std::chrono::milliseconds(1) || lasts > kLongestFor)
    return std::unexpected(
        make_error(ErrorKind::invalid, subject, "must be between 1ms and a year", "for example: 30s"));
  return lasts;
}

Result<Asked> read_plan(const Session& session, const SetOptions& options) {
  constexpr std::size_t kLongestPlan = std::size_t{1} << 20;
  std::string text;
  const bool is_stdin = options.file == "-";
  if (is_stdin) {
    text.assign(std::istreambuf_iterator<char>(session.terminal.in), {});
  } else {
    WEIR_TRY(text, read_file(options.file, kLongestPlan));
  }
  if (text.size() > kLongestPlan)
    return std::unexpected(make_error(ErrorKind::invalid, options.file, "is longer than 1 MiB"));
  WEIR_TRY(limits::PlanFile plan, limits::parse_plan_file(text, is_stdin ? "stdin" : options.file));
  Asked asked;
  asked.reason = std::move(plan.reason);
  asked.sync = plan.sync;
  if (!plan.lasts.empty()) {
    WEIR_TRY(asked.lasts, parse_lasts(plan.lasts, fmt::format("{}: for", options.file)));
  }
  for (limits::PlanFile::Entry& entry : plan.entries) {
    auto target = container::parse_target(entry.target);
    if (!target) return std::unexpected(at_place(entry.where, std::move(target).error()));
    asked.targets.push_back({.target = std::move(*target),
                             .settings = std::move(entry.settings),
                             .where = std::move(entry.where)});
  }
  return asked;
}

}  // namespace

Error at_place(const std::string& where, Error error) {
  if (!where.empty()) error.subject = fmt::format("{}: {}", where, error.subject);
  return error;
}

Result<Asked> parse_asked(const Session& session, const SetOptions& options) {
  if (options.file.empty() == options.words.empty())
    return std::unexpected(make_error(ErrorKind::invalid, "set",
                                      "names targets and limits, or a plan with -f, one of the two",
                                      "for example: weir set web cpus=1.5    weir set -f plan.yml"));
  WEIR_TRY(Asked asked, options.file.empty() ? parse_words(options.words) : read_plan(session, options));
  if (options.sync && options.no_sync)
    return std::unexpected(make_error(ErrorKind::invalid, "set", "takes --sync or --no-sync, not both"));
  asked.sync = (asked.sync || options.sync || options.wait) && !options.no_sync;
  if (options.wait && !asked.sync)
    return std::unexpected(
        make_error(ErrorKind::invalid, "--wait", "waits for --sync, and --no-sync forbids that"));
  if (!options.reason.empty()) asked.reason = options.reason;
  if (asked.reason.size() > 1000)
    return std::unexpected(make_error(ErrorKind::invalid, "the reason", "is longer than 1000 bytes"));
  if (!options.lasts.empty()) {
    WEIR_TRY(asked.lasts, parse_lasts(options.lasts, "--for"));
  }
  WEIR_TRY(asked.budget, parse_duration(options.budget));
  if (asked.budget < std::chrono::seconds(1) || asked.budget > std::chrono::hours(1))
    return std::unexpected(
        make_error(ErrorKind::invalid, "--budget", "must be between 1s and 1h", "for example: 1m"));
  return asked;
}

}  // namespace weir::cli
