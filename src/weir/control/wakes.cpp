// SPDX-License-Identifier: MIT
#include "weir/control/wakes.h"

#include <algorithm>
#include <array>

#include "weir/sample/parse.h"

namespace weir::control {
namespace {

constexpr std::uint32_t kOnce = EPOLLPRI | EPOLLONESHOT;

}  // namespace

Result<Wakes> Wakes::open(WaitSet& waiting, bpf::Onset* onset) {
  if (onset != nullptr) WEIR_CHECK(waiting.add(onset->fd(), EPOLLIN, kFirstNumber));
  return Wakes(waiting, onset);
}

/// Also takes the notification away.
std::uint64_t Wakes::read_high(cgroup::File& events) {
  std::array<char, 512> buffer{};
  Sample sample;
  const auto text = events.read_into(buffer);
  if (!text || !sample::parse(Source::memory_events, *text, sample)) return 0;
  return sample.get(Metric::memory_high).value_or(0);
}

void Wakes::add(const cgroup::Dir& dir) {
  if (onset_ != nullptr) (void)onset_->watch(dir.id());
  auto events = dir.keep(file_of(Source::memory_events), cgroup::Access::read);
  if (!events) return;
  Memory memory{.cgroup = dir.id(), .events = std::move(*events), .high = 0, .fired = false};
  const std::uint64_t number = ++last_number_;
  if (!waiting_->add(memory.events->fd(), kOnce, number)) return;
  memory.high = read_high(*memory.events);
  memory_.emplace(number, std::move(memory));
}

void Wakes::remove(CgroupId cgroup) {
  if (onset_ != nullptr) onset_->ignore(cgroup);
  std::erase_if(memory_, [&](const auto& each) { return each.second.cgroup == cgroup; });
}

std::vector<std::pair<CgroupId, policy::Resource>> Wakes::take(std::span<const Ready> ready) {
  std::vector<std::pair<CgroupId, policy::Resource>> hit;
  if (onset_ != nullptr) {
    onsets_.clear();
    onset_->drain(onsets_);
    for (const onset_event& onset : onsets_)
      if (onset.kind == ONSET_THROTTLED) hit.emplace_back(CgroupId(onset.cgroup), policy::Resource::cpu);
  }
  for (const Ready& each : ready) {
    const auto found = memory_.find(each.number);
    if (found == memory_.end()) continue;
    Memory& memory = found->second;
    memory.fired = true;
    const std::uint64_t high = read_high(*memory.events);
    if (high > memory.high) hit.emplace_back(memory.cgroup, policy::Resource::memory);
    memory.high = high;
  }
  return hit;
}

void Wakes::rearm() {
  for (auto& [number, memory] : memory_)
    if (std::exchange(memory.fired, false)) waiting_->rearm(memory.events->fd(), kOnce, number);
}

}  // namespace weir::control
