// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "weir/base/text.h"
#include "weir/container/anchor.h"
#include "weir/container/match.h"
#include "weir/container/scan.h"
#include "weir/container/target.h"
#include "weir/proc/process.h"

namespace weir::container {
namespace {

using Containers = std::vector<Container>;

constexpr std::size_t kMostCandidates = 10;

std::string joined(const std::vector<Note>& notes) {
  std::string text;
  for (const Note& note : notes)
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", note.subject, note.text);
  return text;
}

/// All of one runtime, or of every runtime for Runtime::none.
Scan scan_for(const HostPaths& paths, cgroup::Dir& root, Runtime runtime, std::string_view wanted) {
  Scan scan{.paths = paths, .root = root, .wanted = wanted};
  for (const Source& source : sources())
    if (runtime == Runtime::none || runtime == source.runtime) source.scan(scan);
  return scan;
}

Error unknown(const Target& target, const HostPaths& paths, cgroup::Dir& root,
              const std::vector<Note>& notes) {
  // Only now, when it failed: look at everything, for what the user may have meant.
  const Inventory all = take_inventory(paths, root, Include::containers_and_services);
  std::vector<std::string> names;
  for (const Container& each : all.containers) names.push_back(each.name);
  const std::string& wanted =
      target.kind == TargetKind::k8s && !target.third.empty() ? target.third : target.first;
  std::vector<std::string> near;
  for (const std::string& name : nearest(wanted, names))
    for (const Container& each : all.containers)
      if (each.name == name) near.push_back(paste_text(each, all.containers));
  std::string hint =
      near.empty() ? "weir ls shows what is here" : fmt::format("did you mean {}?", fmt::join(near, ", "));
  if (!notes.empty()) hint += fmt::format(" (not searched: {})", joined(notes));
  return make_error(ErrorKind::absent, target.text,
                    is_set(target) ? "no container that runs here matches" : "no such container runs here",
                    hint);
}

Error ambiguous(const Target& target, const Containers& candidates) {
  std::vector<std::string> texts;
  for (const Container& each : candidates) {
    if (texts.size() == kMostCandidates) {
      texts.emplace_back("…");
      break;
    }
    texts.push_back(paste_text(each, candidates));
  }
  return make_error(ErrorKind::invalid, target.text, fmt::format("means {} containers", candidates.size()),
                    fmt::format("say which one: {}", fmt::join(texts, " ")));
}

/// A name, else the beginning of an id.
Result<Containers> resolve_name(const Target& target, const HostPaths& paths, cgroup::Dir& root) {
  Scan scan = scan_for(paths, root, target.runtime, target.first);
  Containers named, prefixed;
  for (Container& each : scan.found) {
    if (matches(target, each))
      named.push_back(std::move(each));
    else if (has_id_prefix(target, each))
      prefixed.push_back(std::move(each));
  }
  Containers& found = named.empty() ? prefixed : named;
  if (found.empty()) return std::unexpected(unknown(target, paths, root, scan.notes));
  if (found.size() > 1) return std::unexpected(ambiguous(target, found));
  return std::move(found);
}

Result<Containers> resolve_set(const Target& target, const HostPaths& paths, cgroup::Dir& root) {
  Scan scan{.paths = paths, .root = root};
  if (target.kind == TargetKind::label || target.kind == TargetKind::compose)
    scan.labels = Scan::Labels::needed;
  for (const Source& source : sources())
    if (target.runtime == Runtime::none || target.runtime == source.runtime) source.scan(scan);
  std::erase_if(scan.found, [&](const Container& each) { return !matches(target, each); });
  if (scan.found.empty()) return std::unexpected(unknown(target, paths, root, scan.notes));
  if (!is_set(target) && scan.found.size() > 1) return std::unexpected(ambiguous(target, scan.found));
  std::ranges::sort(scan.found, {}, [](const Container& each) { return std::tie(each.name, each.cgroup); });
  return std::move(scan.found);
}

Result<Containers> resolve_unit(const Target& target, const HostPaths& paths, cgroup::Dir& root) {
  Scan scan{.paths = paths, .root = root, .wanted = target.first};
  if (target.first.ends_with(".slice")) {
    WEIR_TRY(const std::string path, slice_path(target.first));
    if (!path.empty() && scan.has_cgroup(path)) {
      Container slice;
      slice.name = target.first;
      slice.runtime = Runtime::systemd;
      slice.cgroup = path;
      scan.found.push_back(std::move(slice));
    }
  } else {
    scan_units(scan);
  }
  if (scan.found.empty()) {
    Error error = unknown(target, paths, root, {});
    error.what = "no such unit runs here: it has no cgroup below the slices";
    return std::unexpected(std::move(error));
  }
  if (scan.found.size() > 1) return std::unexpected(ambiguous(target, scan.found));
  return std::move(scan.found);
}

Result<Containers> resolve_path(const Target& target, const HostPaths& paths, cgroup::Dir& root) {
  if (target.first != "/")
    if (auto dir = cgroup::open_path(root, target.first); !dir) {
      Error error = std::move(dir).error();
      if (error.kind == ErrorKind::absent)
        error = make_error(ErrorKind::gone, target.text, "there is no such cgroup",
                           "weir ls --all shows every cgroup");
      return std::unexpected(std::move(error));
    }
  return Containers{identify(target.first, paths, root)};
}

Result<Containers> resolve_pid(const Target& target, const HostPaths& paths, cgroup::Dir& root) {
  const Pid pid(
      static_cast<std::int32_t>(parse_u64(target.first).value_or(0)));  // in range: parse_target saw to it
  WEIR_TRY(const std::string path, proc::read_cgroup_path(paths.proc, pid));
  Container container = identify(path, paths, root);
  if (container.runtime == Runtime::none || container.runtime == Runtime::systemd) container.pid = pid;
  return Containers{std::move(container)};
}

}  // namespace

Container identify(const std::string& path, const HostPaths& paths, cgroup::Dir& root) {
  std::string_view wanted = id_in_path(path);
  if (wanted.empty()) wanted = last_component(path);
  if (constexpr std::string_view kPayload = "lxc.payload."; wanted.starts_with(kPayload))
    wanted.remove_prefix(kPayload.size());
  Container plain;
  plain.name = path;
  plain.cgroup = path;
  if (wanted.empty()) return plain;
  Scan scan = scan_for(paths, root, Runtime::none, wanted);
  scan.wanted = last_component(path);
  scan_units(scan);
  for (Container& each : scan.found)
    if (each.cgroup == path) return std::move(each);
  return plain;
}

Result<Containers> resolve(const Target& target, const HostPaths& paths, cgroup::Dir& root) {
  switch (target.kind) {
    case TargetKind::name:
    case TargetKind::runtime_name:
      return resolve_name(target, paths, root);
    case TargetKind::unit:
      return resolve_unit(target, paths, root);
    case TargetKind::path:
      return resolve_path(target, paths, root);
    case TargetKind::pid:
      return resolve_pid(target, paths, root);
    default:
      return resolve_set(target, paths, root);
  }
}

Result<Containers> resolve(const Target& target, const HostPaths& paths) {
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(paths.cgroup_root));
  return resolve(target, paths, *root);
}

}  // namespace weir::container
