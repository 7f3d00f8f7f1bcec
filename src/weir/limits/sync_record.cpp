// SPDX-License-Identifier: MIT
#include "weir/limits/sync_record.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <thread>
#include <utility>

#include "weir/base/file.h"
#include "weir/base/json.h"
#include "weir/docker/containers.h"

namespace weir::limits {
namespace {

constexpr std::size_t kLargestRecord = std::size_t{256} << 10;
constexpr std::size_t kMostRecords = 20'000;
constexpr std::size_t kLongestUnit = 200;
constexpr std::array<std::pair<SyncState, std::string_view>, 3> kStates = {
    {{SyncState::pending, "pending"}, {SyncState::agreed, "agreed"}, {SyncState::failed, "failed"}}};

bool is_unit_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestUnit && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("-_.:@\\").find(c) != std::string_view::npos;
         });
}

Json to_json(const Values& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) json[name] = value;
  return json;
}

Values values_of(const Json& object, std::string_view key) {
  Values values;
  const Json* found = member(object, key);
  if (found == nullptr || !found->is_object()) return values;
  for (const auto& [name, value] : found->items())
    if (value.is_string()) values.emplace(name, value.get<std::string>());
  return values;
}

std::uint64_t number_of(const Json& object, std::string_view key) {
  const Json* found = member(object, key);
  return found != nullptr && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

bool flag_of(const Json& object, std::string_view key) {
  const Json* found = member(object, key);
  return found != nullptr && found->is_boolean() && found->get<bool>();
}

std::chrono::nanoseconds time_of(const Json& object, std::string_view key) {
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(std::min<std::uint64_t>(number_of(object, key), INT64_MAX)));
}

/// The members of an array; none where it is no array.
std::vector<const Json*> each_of(const Json& object, std::string_view key) {
  std::vector<const Json*> items;
  const Json* found = member(object, key);
  if (found != nullptr && found->is_array())
    for (const Json& item : *found) items.push_back(&item);
  return items;
}

Result<SyncPlace> place_of(const Json& json) {
  const cgroup::KnobInfo* knob = cgroup::find_knob(string_member(json, "knob"));
  if (knob == nullptr) return std::unexpected(make_error(ErrorKind::invalid, "sync record", "names no knob"));
  SyncPlace place{
      .knob = knob->knob, .device = string_member(json, "device"), .told = string_member(json, "told")};
  for (const Json* ask : each_of(json, "asks"))
    place.asks.push_back({.epoch = number_of(*ask, "epoch"),
                          .time = time_of(*ask, "time_ns"),
                          .boot = string_member(*ask, "boot"),
                          .value = string_member(*ask, "value")});
  place.noted = flag_of(json, "noted");
  place.engine_before = values_of(json, "engine_before");
  place.unit_before = values_of(json, "unit_before");
  return place;
}

Result<void> check_trust(int fd, std::string_view path, mode_t type) {
  struct stat st{};
  if (::fstat(fd, &st) != 0) return std::unexpected(errno_error(errno, path, "stat"));
  if ((st.st_mode & S_IFMT) != type || (st.st_uid != 0 && st.st_uid != ::geteuid()) ||
      (st.st_mode & 022U) != 0)
    return std::unexpected(make_error(ErrorKind::refused, path,
                                      "can be written by others, so it is not believed",
                                      "remove it, or make it yours (chown root, chmod go-w)"));
  return {};
}

Result<SyncRecord> read_record(int directory, const std::string& path, const std::string& name) {
  const Fd file(::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) return std::unexpected(errno_error(errno, path + "/" + name, "open"));
  WEIR_CHECK(check_trust(file.get(), path + "/" + name, S_IFREG));
  WEIR_TRY(const std::string text, read_all(file.get(), path + "/" + name, kLargestRecord));
  WEIR_TRY(SyncRecord record, decode_sync(text));
  WEIR_TRY(const std::string own, sync_file(record.subject));
  if (own != name)
    return std::unexpected(make_error(ErrorKind::invalid, path + "/" + name, "is about another"));
  return record;
}

Result<SyncRecords> read_directory(int directory, const std::string& path) {
  const int again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // the stream owns it
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(again < 0 ? nullptr : ::fdopendir(again), &::closedir);
  if (!stream) return std::unexpected(errno_error(errno, path, "list"));
  SyncRecords found;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (!name.ends_with(".json") || name.front() == '.') continue;
    if (found.records.size() >= kMostRecords)
      return std::unexpected(make_error(ErrorKind::failed, path, "holds too many records"));
    auto record = read_record(directory, path, name);
    if (record)
      found.records.push_back(std::move(*record));
    else if (record.error().kind != ErrorKind::absent)  // removed just now
      ++found.damaged;
  }
  std::ranges::sort(found.records, {}, [](const SyncRecord& r) { return std::pair(r.time, r.subject.name); });
  return found;
}

}  // namespace

std::string_view to_string(SyncState state) {
  return std::ranges::find(kStates, state, &decltype(kStates)::value_type::first)->second;
}

std::string encode_sync(const SyncRecord& record) {
  const Subject& s = record.subject;
  Json places = Json::array();
  for (const SyncPlace& place : record.places) {
    Json asks = Json::array();
    for (const SyncAsk& ask : place.asks)
      asks.push_back(
          {{"epoch", ask.epoch}, {"time_ns", ask.time.count()}, {"boot", ask.boot}, {"value", ask.value}});
    places.push_back({{"knob", std::string(cgroup::info(place.knob).file)},
                      {"device", place.device},
                      {"asks", std::move(asks)},
                      {"told", place.told},
                      {"noted", place.noted},
                      {"engine_before", to_json(place.engine_before)},
                      {"unit_before", to_json(place.unit_before)}});
  }
  Json holds = Json::array();
  for (const SyncHold& hold : record.holds)
    holds.push_back({{"knob", std::string(cgroup::info(hold.value.knob).file)},
                     {"device", hold.value.device},
                     {"value", hold.value.text},
                     {"taken_back", hold.taken_back}});
  return dump_json({{"weir_sync", 1},
                    {"id", s.id},
                    {"unit", s.unit},
                    {"name", s.name},
                    {"cgroup", s.cgroup},
                    {"cgroup_id", s.cgroup_id.count()},
                    {"boot", s.boot},
                    {"places", std::move(places)},
                    {"holds", std::move(holds)},
                    {"state", std::string(to_string(record.state))},
                    {"why", record.why},
                    {"hint", record.hint},
                    {"notes", record.notes},
                    {"tries", record.tries},
                    {"rewrites", record.rewrites},
                    {"time_ns", record.time.count()}}) +
         "\n";
}

Result<SyncRecord> decode_sync(std::string_view text) {
  WEIR_TRY(const Json json, parse_json(text, "sync record", kLargestRecord));
  if (number_of(json, "weir_sync") != 1)
    return std::unexpected(make_error(ErrorKind::invalid, "sync record", "is none of this version"));
  SyncRecord record{.subject = {.id = string_member(json, "id"),
                                .unit = string_member(json, "unit"),
                                .name = string_member(json, "name"),
                                .cgroup = string_member(json, "cgroup"),
                                .cgroup_id = CgroupId(number_of(json, "cgroup_id")),
                                .boot = string_member(json, "boot")}};
  WEIR_CHECK(sync_file(record.subject));
  for (const Json* place : each_of(json, "places")) {
    WEIR_TRY(SyncPlace parsed, place_of(*place));
    record.places.push_back(std::move(parsed));
  }
  for (const Json* hold : each_of(json, "holds"))
    if (const cgroup::KnobInfo* knob = cgroup::find_knob(string_member(*hold, "knob")))
      record.holds.push_back(
          {.value = {knob->knob, string_member(*hold, "device"), string_member(*hold, "value")},
           .taken_back = flag_of(*hold, "taken_back")});
  const std::string state = string_member(json, "state");
  const auto* found = std::ranges::find(kStates, state, &decltype(kStates)::value_type::second);
  if (found == kStates.end())
    return std::unexpected(make_error(ErrorKind::invalid, "sync record", "has no state"));
  record.state = found->first;
  record.why = string_member(json, "why");
  record.hint = string_member(json, "hint");
  for (const Json* note : each_of(json, "notes"))
    if (note->is_string()) record.notes.push_back(note->get<std::string>());
  record.tries = number_of(json, "tries");
  record.rewrites = number_of(json, "rewrites");
  record.time = time_of(json, "time_ns");
  return record;
}

Result<std::string> sync_file(const Subject& subject) {
  if (docker::is_full_id(subject.id) && (subject.unit.empty() || is_unit_name(subject.unit)))
    return fmt::format("docker-{}.json", subject.id);
  if (subject.id.empty() && is_unit_name(subject.unit)) return fmt::format("unit-{}.json", subject.unit);
  return std::unexpected(make_error(ErrorKind::invalid, subject.name,
                                    "has neither a container's id nor a unit's name to keep it by"));
}

Result<SyncStore> SyncStore::open(const std::string& state_dir, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPause{20};
  if (auto parent = open_private_directory(state_dir, 0755); !parent) return std::unexpected(parent.error());
  const std::string path = state_dir + "/sync";
  WEIR_TRY(Fd directory, open_private_directory(path, 0750));
  for (auto waited = std::chrono::milliseconds(0); ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0;
       waited += kPause) {
    if (errno != EWOULDBLOCK && errno != EINTR) return std::unexpected(errno_error(errno, path, "lock"));
    if (waited >= patience)
      return std::unexpected(make_error(ErrorKind::failed, path,
                                        "another weir is telling a runtime and has not finished",
                                        "try again, or look for it: pgrep -a weir"));
    std::this_thread::sleep_for(kPause);
  }
  SyncStore store(std::move(directory), path);
  store.clean();
  return store;
}

void SyncStore::clean() const {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(path_.c_str()), &::closedir);
  if (!stream) return;
  while (const dirent* entry = ::readdir(stream.get()))
    if (std::string_view(entry->d_name).ends_with(".tmp")) ::unlinkat(directory_.get(), entry->d_name, 0);
}

Result<SyncRecords> SyncStore::read() const { return read_directory(directory_.get(), path_); }

Result<void> SyncStore::save(const SyncRecord& record) const {
  WEIR_TRY(const std::string name, sync_file(record.subject));
  return replace_file(path_ + "/" + name, encode_sync(record), 0640, Durable::yes);
}

Result<void> SyncStore::remove(const SyncRecord& record) const {
  WEIR_TRY(const std::string name, sync_file(record.subject));
  if (::unlinkat(directory_.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return std::unexpected(errno_error(errno, path_ + "/" + name, "remove"));
  if (::fsync(directory_.get()) != 0) return std::unexpected(errno_error(errno, path_, "fsync"));
  return {};
}

Result<SyncRecords> read_syncs(const std::string& state_dir) {
  const std::string path = state_dir + "/sync";
  const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory.valid() && errno == ENOENT) return SyncRecords{};
  if (!directory.valid())
    return std::unexpected(errno_error(errno, path, "open").with_hint("run it as root"));
  WEIR_CHECK(check_trust(directory.get(), path, S_IFDIR));
  return read_directory(directory.get(), path);
}

}  // namespace weir::limits
