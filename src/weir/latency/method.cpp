// SPDX-License-Identifier: MIT
#include "weir/latency/method.h"

#include <algorithm>
#include <array>

namespace weir::latency {
namespace {

using cgroup::Knob;

constexpr std::array kMethods{
    MethodInfo{Method::docker_cli, "docker_cli", "docker update", Speed::slow},
    MethodInfo{Method::docker_api, "docker_api", "Docker Engine API", Speed::slow},
    MethodInfo{Method::runc, "runc", "runc update", Speed::slow},
    MethodInfo{Method::systemd, "systemd", "systemd SetUnitProperties", Speed::slow},
    MethodInfo{Method::open_write_close, "open_write_close", "open + write + close", Speed::direct},
    MethodInfo{Method::pwrite, "pwrite", "pwrite on a kept fd", Speed::direct},
};

constexpr std::array kKnobs{
    KnobInfo{Knob::cpu_max, "cpu.max", "cpu_max_write", bpf::HandlerKind::of_file, bpf::Effect::throttle, ""},
    KnobInfo{Knob::memory_max, "memory.max", "memory_max_write", bpf::HandlerKind::of_file,
             bpf::Effect::reclaim, ""},
    KnobInfo{Knob::memory_high, "memory.high", "memory_high_write", bpf::HandlerKind::of_file,
             bpf::Effect::reclaim, ""},
    KnobInfo{Knob::cpu_weight, "cpu.weight", "cpu_weight_write_u64", bpf::HandlerKind::of_number,
             bpf::Effect::none,
             "a weight takes no moment to hold: it shifts shares over many scheduling periods"},
};

}  // namespace

std::span<const MethodInfo> methods() { return kMethods; }
const MethodInfo& info(Method method) { return kMethods.at(static_cast<std::size_t>(method)); }

std::optional<Method> parse_method(std::string_view name) {
  const auto* found = std::ranges::find(kMethods, name, &MethodInfo::name);
  return found == kMethods.end() ? std::nullopt : std::optional(found->method);
}

std::string_view to_string(Stage stage) {
  static constexpr std::array<std::string_view, 4> kNames{"call", "write_entry", "handler_done",
                                                          "first_effect"};
  return kNames.at(static_cast<std::size_t>(stage));
}

std::string_view to_string(Direction direction) {
  static constexpr std::array<std::string_view, 3> kNames{"any", "cut", "raise"};
  return kNames.at(static_cast<std::size_t>(direction));
}

std::span<const KnobInfo> raced_knobs() { return kKnobs; }

const KnobInfo& raced(Knob knob) {
  const auto* found = std::ranges::find(kKnobs, knob, &KnobInfo::knob);
  WEIR_ASSERT(found != kKnobs.end());
  return *found;
}

std::optional<Knob> parse_raced_knob(std::string_view file) {
  const auto* found = std::ranges::find(kKnobs, file, &KnobInfo::file);
  return found == kKnobs.end() ? std::nullopt : std::optional(found->knob);
}

std::optional<std::string_view> unsupported(Method method, Knob knob) {
  if (knob != Knob::memory_high) return std::nullopt;
  if (method == Method::docker_cli) return "docker update has no option for memory.high";
  if (method == Method::docker_api) return "the Engine API has no field for memory.high";
  return std::nullopt;
}

}  // namespace weir::latency
