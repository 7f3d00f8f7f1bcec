// SPDX-License-Identifier: MIT
#include "weir/container/match.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/escape.h"
#include "weir/base/text.h"

namespace weir::container {
namespace {

constexpr std::size_t kShortestId = 4;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool of_runtime(const Target& target, const Container& container) {
  return target.runtime == Runtime::none || target.runtime == container.runtime;
}

/// Image without digest and default registry; its tag cut off into `tag`.
std::string_view normal_repository(std::string_view image, std::string_view& tag) {
  image = image.substr(0, image.find('@'));
  for (const std::string_view registry : {"index.docker.io/", "docker.io/", "localhost/"})
    if (image.starts_with(registry)) image.remove_prefix(registry.size());
  if (image.starts_with("library/")) image.remove_prefix(8);
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
  tag = colon == std::string_view::npos ? "latest" : image.substr(colon + 1);
  return image.substr(0, colon);
}

}  // namespace

bool matches(const Target& target, const Container& container) {
  switch (target.kind) {
    case TargetKind::name:
    case TargetKind::runtime_name:
      return of_runtime(target, container) && container.name == target.first;
    case TargetKind::glob:
      return of_runtime(target, container) && glob_match(target.first, container.name);
    case TargetKind::k8s:
      return container.k8s_namespace == target.first && container.k8s_pod == target.second &&
             (target.third.empty() || container.k8s_container == target.third);
    case TargetKind::label: {
      const auto label = container.labels.find(target.first);
      return label != container.labels.end() && (target.third.empty() || label->second == target.second);
    }
    case TargetKind::image:
      return image_matches(target.first, target.second, container.image);
    case TargetKind::compose:
      return container.compose_project == target.first &&
             (target.second.empty() || container.compose_service == target.second);
    case TargetKind::unit:
      return container.runtime == Runtime::systemd && container.name == target.first;
    case TargetKind::path:
      return container.cgroup == target.first;
    case TargetKind::pid:
      return false;
  }
  return false;
}

bool has_id_prefix(const Target& target, const Container& container) {
  return of_runtime(target, container) && target.first.size() >= kShortestId && is_hex(target.first) &&
         is_hex(container.id) && container.id.starts_with(target.first);
}

bool image_matches(std::string_view repository, std::string_view tag, std::string_view image) {
  std::string_view wanted_default, image_tag;
  return !image.empty() &&
         normal_repository(repository, wanted_default) == normal_repository(image, image_tag) &&
         (tag.empty() || tag == image_tag);
}

std::string paste_text(const Container& container, const std::vector<Container>& all) {
  const auto means_only_this = [&](const std::string& text) {
    const auto target = parse_target(text);
    if (!target || is_set(*target)) return false;
    const auto count = [&](auto what) {
      return std::ranges::count_if(all, [&](const Container& each) { return what(*target, each); });
    };
    if (matches(*target, container)) return count(matches) == 1;
    return count(matches) == 0 && has_id_prefix(*target, container) && count(has_id_prefix) == 1;
  };
  std::string text = container.cgroup;
  if (container.runtime == Runtime::systemd) {
    if (std::string unit = fmt::format("unit:{}", container.name); means_only_this(unit))
      text = std::move(unit);
  } else if (container.runtime != Runtime::none) {
    for (const std::string& known : {container.name, container.id.substr(0, 12), container.id}) {
      std::string candidate = fmt::format("{}:{}", to_string(container.runtime), known);
      if (known.empty() || !means_only_this(candidate)) continue;
      text = std::move(candidate);
      break;
    }
  }
  const bool plain = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(":/._-@").find(c) != std::string_view::npos;
  });
  return plain ? text : shell_quote(text);
}

}  // namespace weir::container
