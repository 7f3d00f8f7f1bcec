// SPDX-License-Identifier: MIT
#include "weir/control/made_cgroups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "weir/base/file.h"
#include "weir/base/json.h"

namespace weir::control {
namespace {

constexpr std::string_view kFile = "control.made";
constexpr std::size_t kLargest = std::size_t{16} << 20;
constexpr std::size_t kMost = 100'000;

std::unexpected<Error> damaged() {
  return std::unexpected(make_error(ErrorKind::invalid, kFile, "is no record of cgroups that weir made",
                                    "remove it: the cgroups stay then, and rmdir removes them"));
}

Result<void> remove(cgroup::Dir& root, const MadeCgroup& made) {
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> dir, cgroup::open_path(root, made.path));
  if (made.id && dir->id() != *made.id) return {};  // another one has its path
  const std::size_t slash = made.path.rfind('/');
  const std::string name = made.path.substr(slash + 1);
  if (slash == 0) return root.remove(name);
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> parent, cgroup::open_path(root, made.path.substr(0, slash)));
  return parent->remove(name);
}

}  // namespace

Result<std::vector<MadeCgroup>> parse_made(std::string_view text, std::string_view boot_id) {
  WEIR_TRY(const Json json, parse_json(text, kFile, kLargest));
  const Json* const cgroups = member(json, "cgroups");
  if (cgroups == nullptr || !cgroups->is_array() || cgroups->size() > kMost) return damaged();
  std::vector<MadeCgroup> made;
  for (const Json& each : *cgroups) {
    MadeCgroup one{.path = string_member(each, "cgroup"), .id = {}};
    if (one.path == "/" || !cgroup::check_path(one.path)) return damaged();
    if (const Json* id = member(each, "id"); id != nullptr && id->is_number_unsigned())
      one.id = CgroupId(id->get<std::uint64_t>());
    made.push_back(std::move(one));
  }
  if (string_member(json, "boot_id") != boot_id) made.clear();
  return made;
}

std::string format_made(const std::vector<MadeCgroup>& made, std::string_view boot_id) {
  Json cgroups = Json::array();
  for (const MadeCgroup& each : made) {
    Json one = {{"cgroup", each.path}};
    if (each.id) one["id"] = each.id->count();
    cgroups.push_back(std::move(one));
  }
  return dump_json(Json{{"schema", 1}, {"boot_id", boot_id}, {"cgroups", std::move(cgroups)}}, -1) + "\n";
}

Result<MadeCgroups> MadeCgroups::open(const std::string& run_dir, std::string boot_id) {
  WEIR_TRY(const Fd directory, open_private_directory(run_dir, 0755));
  std::vector<MadeCgroup> made;
  const auto text = read_file_at(directory.get(), std::string(kFile), kLargest);
  if (!text && text.error().kind != ErrorKind::absent) return std::unexpected(text.error());
  if (text) {
    WEIR_TRY(made, parse_made(*text, boot_id));
  }
  return MadeCgroups(fmt::format("{}/{}", run_dir, kFile), std::move(boot_id), std::move(made));
}

Result<void> MadeCgroups::save() const {
  return replace_file(file_, format_made(made_, boot_id_), 0640, Durable::no);
}

Result<void> MadeCgroups::will_make(const std::string& path) {
  std::erase_if(made_, [&](const MadeCgroup& each) { return each.path == path; });
  made_.push_back({.path = path, .id = {}});
  return save();
}

Result<void> MadeCgroups::has_made(const std::string& path, CgroupId id) {
  const auto found = std::ranges::find(made_, path, &MadeCgroup::path);
  if (found != made_.end()) found->id = id;
  return save();
}

std::vector<std::string> MadeCgroups::remove_all(cgroup::Dir& root) {
  std::vector<std::string> stay;
  std::ranges::stable_sort(made_, std::greater(),
                           [](const MadeCgroup& each) { return std::ranges::count(each.path, '/'); });
  std::erase_if(made_, [&](const MadeCgroup& each) {
    const auto removed = remove(root, each);
    if (removed || removed.error().kind == ErrorKind::gone || removed.error().kind == ErrorKind::absent)
      return true;
    stay.push_back(removed.error().err == EBUSY
                       ? fmt::format("{} stays: there are processes in it, or cgroups below it", each.path)
                       : fmt::format("{} stays: {}", each.path, removed.error().message()));
    return false;
  });
  if (const auto saved = save(); !saved) stay.push_back(saved.error().message());
  return stay;
}

}  // namespace weir::control
