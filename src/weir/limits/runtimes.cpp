// SPDX-License-Identifier: MIT
#include "weir/limits/runtimes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <thread>
#include <utility>

#include "weir/base/file.h"
#include "weir/base/text.h"
#include "weir/cgroup/value.h"

namespace weir::limits {
namespace {

using cgroup::Setting;
using systemd::Property;

constexpr std::uint64_t kHundredthsSince = 257;  // measured there; 252 writes whole percents into its file

Values values_of(const docker::Client::Resources& r) {
  return {{"NanoCpus", fmt::to_string(r.nano_cpus)},
          {"CpuQuota", fmt::to_string(r.cpu_quota)},
          {"CpuPeriod", fmt::to_string(r.cpu_period)},
          {"CpuShares", fmt::to_string(r.cpu_shares)},
          {"Memory", fmt::to_string(r.memory)},
          {"MemorySwap", fmt::to_string(r.memory_swap)},
          {"MemoryReservation", fmt::to_string(r.memory_reservation)},
          {"PidsLimit", fmt::to_string(r.pids_limit)},
          {"CpusetCpus", cgroup::canonical_list(r.cpuset_cpus).value_or(r.cpuset_cpus)},
          {"CpusetMems", cgroup::canonical_list(r.cpuset_mems).value_or(r.cpuset_mems)}};
}

void add(const Property& property, Values& values) {
  if (const auto* number = std::get_if<std::uint64_t>(&property.value))
    values[property.name] = fmt::to_string(*number);
  else if (const auto* mask = std::get_if<std::vector<std::uint8_t>>(&property.value))
    values[property.name] = cpu_list(*mask);
  else if (const auto* devices = std::get_if<Property::Devices>(&property.value))
    for (const auto& [path, limit] : *devices)
      values[fmt::format("{} {}", property.name, path)] = fmt::to_string(limit);
}

/// Values as properties: those of several devices together.
std::vector<Property> properties_of(const Values& values) {
  std::vector<Property> properties;
  for (const auto& [key, value] : values) {
    const std::size_t blank = key.find(' ');
    const std::string name = key.substr(0, blank);
    const std::uint64_t number = parse_u64(value).value_or(0);
    if (blank == std::string::npos && name.starts_with("Allowed")) {
      properties.push_back({name, cpu_mask(value)});
    } else if (blank == std::string::npos) {
      properties.push_back({name, number});
    } else {
      if (properties.empty() || properties.back().name != name)
        properties.push_back({name, Property::Devices()});
      std::get<Property::Devices>(properties.back().value).emplace_back(key.substr(blank + 1), number);
    }
  }
  return properties;
}

/// The values that `says` has otherwise.
Values those_that_differ(const Values& wanted, const Values& says) {
  Values differ;
  for (const auto& [name, value] : wanted)
    if (!differences({{name, value}}, says).empty()) differ[name] = value;
  return differ;
}

/// Whether the host's size is needed to translate: for no limit, for an old value (which may have been none),
/// and for more CPUs than there are. The Engine takes its time over that question.
bool needs_host(const Setting& setting) {
  if (setting.text.empty() || setting.text.starts_with("max")) return true;
  const auto value =
      setting.knob == cgroup::Knob::cpu_max ? cgroup::parse_cpu_max(setting.text) : cgroup::CpuMax{};
  return value && !value->quota.is_unlimited() && value->cpus().value() > std::thread::hardware_concurrency();
}

/// "/dev/vda" of "254:0"; systemd knows devices by their nodes.
std::string device_path(const HostPaths& paths, const std::string& device) {
  if (!cgroup::is_device_number(device)) return {};
  const auto text = read_file(fmt::format("{}/dev/block/{}/uevent", paths.sys, device));
  if (!text) return {};
  for (const std::string_view line : split(*text, '\n'))
    if (line.starts_with("DEVNAME=")) return fmt::format("/dev/{}", line.substr(8));
  return {};
}

}  // namespace

Result<docker::Client*> Runtimes::docker() {
  if (docker_hangs_) return std::unexpected(*docker_hangs_);
  if (!docker_) {
    auto client =
        docker::Client::connect({.socket = paths_.host(docker::kDockerSocket), .timeout = timeout_});
    if (!client) return std::unexpected(std::move(client).error().context("docker cannot be told"));
    docker_ = std::move(*client);
  }
  return &*docker_;
}

Result<systemd::Bus*> Runtimes::bus() {
  if (!bus_) {
    WEIR_TRY(bus_, systemd::Bus::connect({.timeout = timeout_}));
    WEIR_TRY(const std::string version, bus_->version());
    const auto number =
        parse_u64(std::string_view(version).substr(0, version.find_first_not_of("0123456789")));
    if (number && *number >= kHundredthsSince) quota_step_ = kHundredthsOfPercents;
  }
  return &*bus_;
}

std::uint64_t Runtimes::quota_step() {
  if (paths_.host_root.empty() && systemd::is_running(paths_)) (void)bus();
  return quota_step_;
}

Result<void> Runtimes::ask_engine(const Subject& subject, Listeners& listeners) {
  WEIR_TRY(docker::Client * client, docker());
  const auto inspected = client->inspect(subject.id);
  if (!inspected && inspected.error().err == ETIMEDOUT) docker_hangs_ = inspected.error();
  WEIR_TRY(const docker::Client::Inspect inspect, inspected);
  if (inspect.id != subject.id)
    return std::unexpected(make_error(ErrorKind::failed, "docker", "answered about another container"));
  listeners.engine = true;
  listeners.engine_says = values_of(inspect.resources);
  return {};
}

Result<void> Runtimes::ask_host(Listeners& listeners) {
  if (!host_) {
    WEIR_TRY(docker::Client * client, docker());
    WEIR_TRY(host_, client->info());
  }
  constexpr std::uint64_t kMostCpus = 1U << 20;
  listeners.host_cpus = std::min(host_->cpus, kMostCpus);
  listeners.host_memory = host_->memory;
  return {};
}

Result<void> Runtimes::ask_unit(const Subject& subject, const std::vector<Setting>& settings,
                                Listeners& listeners) {
  WEIR_TRY(systemd::Bus * manager, bus());
  const auto path = manager->control_group(subject.unit);
  if (!path && path.error().kind != ErrorKind::absent) return std::unexpected(path.error());
  if (!path || *path != subject.cgroup) return {};
  listeners.unit = true;
  listeners.quota_step = quota_step_;
  std::set<std::string> names;
  for (const Setting& setting : settings) {
    if (std::string node = device_path(paths_, setting.device); !node.empty())
      listeners.device_paths[setting.device] = std::move(node);
    for (const std::string& name : unit_names(setting, listeners))
      names.insert(name.substr(0, name.find(' ')));
  }
  WEIR_TRY(const std::vector<Property> properties,
           manager->unit_properties(subject.unit, {names.begin(), names.end()}));
  for (const Property& property : properties) add(property, listeners.unit_says);
  return {};
}

Result<Listeners> Runtimes::listen(const Subject& subject, const std::vector<Setting>& settings) {
  Listeners listeners;
  if (!subject.id.empty()) WEIR_CHECK(ask_engine(subject, listeners));
  if (listeners.engine && std::ranges::any_of(settings, needs_host)) WEIR_CHECK(ask_host(listeners));
  if (!subject.unit.empty() && paths_.host_root.empty() && systemd::is_running(paths_))
    WEIR_CHECK(ask_unit(subject, settings, listeners));
  if (!listeners.engine && !listeners.unit)
    return std::unexpected(
        make_error(ErrorKind::gone, subject.name, "is no running unit of systemd's any more"));
  return listeners;
}

Result<std::uint64_t> Runtimes::tell(const Subject& subject, const std::vector<Setting>& settings,
                                     const Telling& telling, Listeners& listeners) {
  std::uint64_t rewrites = 0;
  if (listeners.engine && !differences(telling.engine, listeners.engine_says).empty()) {
    rewrites += listeners.unit ? 2 : 1;  // by systemd, and by runc
    WEIR_TRY(docker::Client * client, docker());
    WEIR_CHECK(client->update(subject.id, {engine_json(telling.engine)}));
    WEIR_TRY(listeners, listen(subject, settings));
  }
  if (!listeners.unit) return rewrites;
  const Values rest = those_that_differ(telling.unit, listeners.unit_says);
  if (rest.empty()) return rewrites;
  WEIR_TRY(systemd::Bus * manager, bus());
  WEIR_CHECK(manager->set_unit_properties(subject.unit, properties_of(rest)));
  listeners.unit_says.clear();
  WEIR_CHECK(ask_unit(subject, settings, listeners));
  return rewrites + 1;
}

}  // namespace weir::limits
