// SPDX-License-Identifier: MIT
#include "weir/doctor/record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "weir/base/file.h"
#include "weir/base/json.h"
#include "weir/base/text.h"

namespace weir::doctor {
namespace {

constexpr std::array kKinds{StepKind::sysctl, StepKind::mount, StepKind::controller};

std::string file(const HostPaths& paths) { return paths.state_dir + "/doctor.json"; }

Result<Step> parse_step(const Json& json) {
  for (const StepKind kind : kKinds)
    if (string_member(json, "kind") == to_string(kind) && !string_member(json, "subject").empty())
      return Step{.kind = kind,
                  .subject = string_member(json, "subject"),
                  .before = string_member(json, "before"),
                  .after = string_member(json, "after")};
  return std::unexpected(
      make_error(ErrorKind::invalid, "doctor.json", "holds a step that is not understood",
                 "an older weir wrote it? look at it, take its steps back by hand and remove it"));
}

}  // namespace

Result<Record> parse_record(std::string_view text) {
  WEIR_TRY(const Json json, parse_json(text, "doctor.json", kSmallFile));
  Record record{.boot_id = string_member(json, "boot_id"), .steps = {}};
  const Json* steps = member(json, "steps");
  if (record.boot_id.empty() || steps == nullptr || !steps->is_array())
    return std::unexpected(make_error(ErrorKind::invalid, "doctor.json", "is not a record of weir doctor"));
  for (const Json& each : *steps) {
    WEIR_TRY(Step step, parse_step(each));
    record.steps.push_back(std::move(step));
  }
  return record;
}

std::string to_text(const Record& record) {
  Json steps = Json::array();
  for (const Step& step : record.steps)
    steps.push_back({{"kind", std::string(to_string(step.kind))},
                     {"subject", step.subject},
                     {"before", step.before},
                     {"after", step.after}});
  return dump_json({{"schema", 1}, {"boot_id", record.boot_id}, {"steps", std::move(steps)}}) + "\n";
}

Result<Record> load_record(const HostPaths& paths) {
  WEIR_TRY(const std::string boot_id, read_file(paths.proc + "/sys/kernel/random/boot_id"));
  Record none{.boot_id = std::string(trim(boot_id)), .steps = {}};
  const auto text = read_file(file(paths));
  if (!text && text.error().kind == ErrorKind::absent) return none;
  if (!text) return std::unexpected(text.error());
  WEIR_TRY(Record record, parse_record(*text));
  if (record.boot_id == none.boot_id) return record;
  return none;  // a restart undoes all of it
}

Result<void> save_record(const HostPaths& paths, const Record& record) {
  if (!record.steps.empty()) return replace_file(file(paths), to_text(record), 0640, Durable::yes);
  if (unlink(file(paths).c_str()) != 0 && errno != ENOENT)
    return std::unexpected(errno_error(errno, file(paths), "remove"));
  return {};
}

Result<Fd> lock_record(const HostPaths& paths) {
  WEIR_TRY(Fd folder, open_private_directory(paths.state_dir, 0750));
  if (flock(folder.get(), LOCK_EX | LOCK_NB) != 0)
    return std::unexpected(errno == EWOULDBLOCK ? make_error(ErrorKind::refused, paths.state_dir,
                                                             "another weir doctor is at work", "wait for it")
                                                : errno_error(errno, paths.state_dir, "lock"));
  return folder;
}

}  // namespace weir::doctor
