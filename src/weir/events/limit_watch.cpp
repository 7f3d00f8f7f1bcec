// SPDX-License-Identifier: MIT
#include "weir/events/limit_watch.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "weir/limits/journal.h"

namespace weir::events {
namespace {

using cgroup::Setting;

/// How long a runtime takes at most until a new container has its limits.
constexpr std::chrono::seconds kSettles{5};

Result<std::vector<Setting>> read_knob(const cgroup::Dir& dir, cgroup::Knob knob) {
  WEIR_TRY(const std::string text, dir.read(cgroup::info(knob).file));
  return cgroup::parse_kernel_text(knob, text);
}

const Setting* find(const std::vector<Setting>& settings, const std::string& device) {
  const auto found = std::ranges::find(settings, device, &Setting::device);
  return found == settings.end() ? nullptr : &*found;
}

}  // namespace

void LimitWatch::add(const Subject& subject, Begin begin) {
  auto dir = cgroup::open_path(sources_.root, subject.container.cgroup);
  if (!dir || (*dir)->id() != subject.cgroup_id) return;
  remove(subject.cgroup_id);
  Watched watched{.subject = subject, .dir = std::move(*dir), .settings = {}, .files = {}, .settled_at = {}};
  if (begin == Begin::just_started) watched.settled_at = sources_.clock.monotonic() + kSettles;
  for (const cgroup::KnobInfo& info : cgroup::knobs()) {
    // Watched before it is read, so that nothing is missed in between.
    if (sources_.knobs != nullptr)
      if (const auto file = watched.dir->file_id(info.file); file && sources_.knobs->watch(*file)) {
        watched.files.push_back(*file);
        files_.insert_or_assign(*file, File{.cgroup = subject.cgroup_id, .knob = info.knob});
      }
    if (auto settings = read_knob(*watched.dir, info.knob))
      watched.settings.insert_or_assign(info.knob, std::move(*settings));
  }
  watched_.insert_or_assign(subject.cgroup_id, std::move(watched));
}

void LimitWatch::rename(const Subject& subject) {
  const auto found = watched_.find(subject.cgroup_id);
  if (found != watched_.end()) found->second.subject = subject;
}

void LimitWatch::remove(CgroupId cgroup) {
  const auto found = watched_.find(cgroup);
  if (found == watched_.end()) return;
  for (const std::uint64_t file : found->second.files) {
    sources_.knobs->ignore(file);
    files_.erase(file);
  }
  watched_.erase(found);
}

void LimitWatch::say(const Watched& watched, const Setting& before, const Setting& after,
                     const knob_watch_event* write, std::vector<Event>& events) const {
  Event event{.kind = EventKind::limit_changed,
              .time = sources_.clock.realtime(),
              .subject = watched.subject,
              .details = {}};
  event.details.emplace_back("knob", std::string(cgroup::info(after.knob).file));
  if (!after.device.empty()) event.details.emplace_back("device", after.device);
  event.details.emplace_back("old", before.text);
  event.details.emplace_back("new", after.text);
  if (write != nullptr) {
    event.details.emplace_back("by_comm",
                               std::string(write->comm, ::strnlen(write->comm, sizeof write->comm)));
    event.details.emplace_back("by_pid", std::int64_t{write->tgid});
    event.details.emplace_back("by_uid", std::int64_t{write->uid});
  }
  bool by_weir = false;
  if (!sources_.boot_id.empty()) {
    const limits::Place place{watched.subject.cgroup_id, after.knob, after.device};
    const auto last = limits::read_last(sources_.paths.run_dir, sources_.boot_id, place);
    const bool set = last && *last && limits::in_force(**last) && (*last)->after == after;
    const bool undone = last && *last && (*last)->phase == limits::Phase::undone && (*last)->before == after;
    by_weir = set || undone;
    if (by_weir) {
      event.details.emplace_back("by_weir", std::string(set ? "set" : "undo"));
      if (!(*last)->reason.empty()) event.details.emplace_back("reason", (*last)->reason);
    }
  }
  if (by_weir || sources_.clock.monotonic() >= watched.settled_at) events.push_back(std::move(event));
}

void LimitWatch::check(Watched& watched, cgroup::Knob knob, const knob_watch_event* write,
                       std::vector<Event>& events) {
  auto now = read_knob(*watched.dir, knob);
  if (!now) return;  // gone: its end is told by the roster; or a controller that is off
  std::vector<Setting>& before = watched.settings[knob];
  for (const Setting& each : *now) {
    const Setting* old = find(before, each.device);
    if (old == nullptr || *old != each)
      say(watched, old != nullptr ? *old : Setting{.knob = knob, .device = each.device, .text = ""}, each,
          write, events);
  }
  for (const Setting& each : before)
    if (find(*now, each.device) == nullptr)
      say(watched, each, {.knob = knob, .device = each.device, .text = ""}, write, events);
  before = std::move(*now);
}

void LimitWatch::check(const knob_watch_event& write, std::vector<Event>& events) {
  const auto file = files_.find(write.file);
  if (file != files_.end()) check(watched_.at(file->second.cgroup), file->second.knob, &write, events);
}

std::vector<Event> LimitWatch::take() {
  std::vector<Event> events;
  if (sources_.knobs != nullptr) {
    writes_ = std::exchange(early_, {});
    sources_.knobs->drain(sources_.knobs->sees_value() ? writes_ : early_);
    for (const knob_watch_event& write : writes_) check(write, events);
    if (const std::uint64_t lost = sources_.knobs->lost(); std::exchange(lost_, lost) != lost) look_again();
  }
  if (found_.empty()) return events;
  for (const knob_watch_event& write : early_) check(write, events);
  for (const auto& [cgroup, knob] : std::exchange(found_, {}))
    if (const auto watched = watched_.find(cgroup); watched != watched_.end())
      check(watched->second, knob, nullptr, events);
  return events;
}

void LimitWatch::look_again() {
  for (auto& [id, watched] : watched_)
    for (const auto& [knob, before] : watched.settings)
      if (const auto now = read_knob(*watched.dir, knob); now && *now != before)
        found_.emplace_back(id, knob);
}

}  // namespace weir::events
