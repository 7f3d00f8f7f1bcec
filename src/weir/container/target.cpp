// SPDX-License-Identifier: MIT
#include "weir/container/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "weir/base/text.h"
#include "weir/cgroup/dir.h"

namespace weir::container {
namespace {

constexpr std::size_t kLongest = 4096;

struct Prefix {
  std::string_view text;
  TargetKind kind;
  Runtime runtime = Runtime::none;
  std::string_view syntax;
};
constexpr Prefix kPrefixes[] = {
    {"docker", TargetKind::runtime_name, Runtime::docker, "docker:NAME"},
    {"podman", TargetKind::runtime_name, Runtime::podman, "podman:NAME"},
    {"lxc", TargetKind::runtime_name, Runtime::lxc, "lxc:NAME"},
    {"containerd", TargetKind::runtime_name, Runtime::containerd, "containerd:NAME"},
    {"cri-o", TargetKind::runtime_name, Runtime::crio, "cri-o:NAME"},
    {"k8s", TargetKind::k8s, Runtime::none, "k8s:NAMESPACE/POD[/CONTAINER]"},
    {"label", TargetKind::label, Runtime::none, "label:KEY[=VALUE]"},
    {"image", TargetKind::image, Runtime::none, "image:NAME[:TAG]"},
    {"compose", TargetKind::compose, Runtime::none, "compose:PROJECT[/SERVICE]"},
    {"unit", TargetKind::unit, Runtime::none, "unit:NAME.service"},
    {"pid", TargetKind::pid, Runtime::none, "pid:NUMBER"},
};

std::unexpected<Error> invalid(std::string_view text, std::string_view what, std::string_view hint = {}) {
  return std::unexpected(make_error(ErrorKind::invalid, text, what, hint));
}

bool is_glob(std::string_view text) { return text.find_first_of("*?") != std::string_view::npos; }

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<Target> unknown_prefix(std::string_view text, std::string_view prefix) {
  std::vector<std::string> known;
  for (const Prefix& each : kPrefixes) known.emplace_back(each.text);
  const std::vector<std::string> near = nearest(prefix, known, 1);
  return invalid(text, fmt::format("'{}:' is no kind of target", prefix),
                 near.empty() ? fmt::format("the kinds are: {}", fmt::join(known, " "))
                              : fmt::format("did you mean {}:?", near.front()));
}

/// "a/b/c" into the target's parts; empty parts are wrong.
Result<void> take_parts(Target& target, std::string_view rest, std::size_t least, std::size_t most,
                        std::string_view syntax) {
  const std::vector<std::string_view> parts = split(rest, '/');
  if (parts.size() < least || parts.size() > most || std::ranges::any_of(parts, &std::string_view::empty))
    return invalid(target.text, fmt::format("is not {}", syntax));
  target.first = parts[0];
  if (parts.size() > 1) target.second = parts[1];
  if (parts.size() > 2) target.third = parts[2];
  return {};
}

Result<void> take_rest(Target& target, std::string_view rest, std::string_view syntax) {
  switch (target.kind) {
    case TargetKind::k8s:
      return take_parts(target, rest, 2, 3, syntax);
    case TargetKind::compose:
      return take_parts(target, rest, 1, 2, syntax);
    case TargetKind::label: {
      const std::size_t equals = rest.find('=');
      target.first = rest.substr(0, equals);
      if (equals != std::string_view::npos) target.second = rest.substr(equals + 1);
      target.third = equals == std::string_view::npos ? "" : "=";
      if (target.first.empty()) return invalid(target.text, "has no label key: label:KEY[=VALUE]");
      return {};
    }
    case TargetKind::image: {
      // A colon after the last slash begins the tag; before it, a registry's port.
      const std::size_t slash = rest.rfind('/');
      const std::size_t colon = rest.find(':', slash == std::string_view::npos ? 0 : slash);
      target.first = rest.substr(0, colon);
      if (colon != std::string_view::npos) target.second = rest.substr(colon + 1);
      if (target.first.empty() || (colon != std::string_view::npos && target.second.empty()))
        return invalid(target.text, fmt::format("is not {}", syntax));
      return {};
    }
    case TargetKind::unit:
      if (rest.find('/') != std::string_view::npos) return invalid(target.text, "a unit's name has no slash");
      target.first =
          rest.find('.') == std::string_view::npos ? fmt::format("{}.service", rest) : std::string(rest);
      return {};
    case TargetKind::pid: {
      const auto number = parse_u64(rest);
      if (!number || *number == 0 ||
          *number > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()))
        return invalid(target.text, "is not pid:NUMBER");
      target.first = rest;
      return {};
    }
    default:
      target.first = rest;
      if (is_glob(rest)) target.kind = TargetKind::glob;
      return {};
  }
}

}  // namespace

bool is_set(const Target& target) {
  switch (target.kind) {
    case TargetKind::label:
    case TargetKind::image:
    case TargetKind::compose:
    case TargetKind::glob:
      return true;
    case TargetKind::k8s:
      return target.third.empty();
    default:
      return false;
  }
}

Result<Target> parse_target(std::string_view text) {
  if (text.empty()) return invalid(text, "the target is empty", "name a container, or see weir ls");
  if (text.size() > kLongest)
    return invalid(text.substr(0, 32),
                   fmt::format("… is too long: {} bytes, at most {}", text.size(), kLongest));
  if (has_control_character(text))
    return invalid(text, "has a control character", "use the container's id, or its cgroup path");
  for (const std::string_view part : split(text, '/'))
    if (part == "..")
      return invalid(text, "'..' is refused: a target says where it is, not how to get there");

  Target target{.text = std::string(text)};
  if (text.starts_with('/')) {
    WEIR_CHECK(cgroup::check_path(text));
    target.kind = TargetKind::path;
    target.first = text;
    return target;
  }
  // A label's value and an image's registry may hold a colon or slash of their own: the first colon decides.
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    target.kind = is_glob(text) ? TargetKind::glob : TargetKind::name;
    target.first = text;
    return target;
  }
  std::string_view prefix = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (prefix == "crio") prefix = "cri-o";
  const auto* const known = std::ranges::find(kPrefixes, prefix, &Prefix::text);
  if (known == std::end(kPrefixes)) return unknown_prefix(text, prefix);
  if (rest.empty()) return invalid(text, fmt::format("names nothing: {}", known->syntax));
  target.kind = known->kind;
  target.runtime = known->runtime;
  WEIR_CHECK(take_rest(target, rest, known->syntax));
  return target;
}

}  // namespace weir::container
