// SPDX-License-Identifier: MIT
#pragma once
// ControlHost: a Controller and a host that is made up: containers want CPU, get what their limit lets them
// have, and the frames say so. Who uses it links weir_control.

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "weir/control/controller.h"

namespace weir::control {

inline Managed cpu_of(policy::Bounds bounds, std::string_view policy = "step") {
  const policy::Policy* found = policy::find_policy(policy);
  return {.resource = policy::Resource::cpu,
          .device = {},
          .bounds = bounds,
          .policy = found,
          .parameters = policy::defaults_of(*found)};
}

inline Entry entry(std::string_view name, Managed managed, int priority = 0) {
  return {.target = container::parse_target(name).value(),
          .where = {},
          .create = false,
          .pids = {},
          .priority = priority,
          .resources = {std::move(managed)}};
}

class ControlHost {
 public:
  using Demand = std::function<double(double seconds)>;

  explicit ControlHost(Config config, double cpus = 8) : config_(std::move(config)), controller_(config_) {
    frame_.host.set(Metric::cpu_limit, static_cast<std::uint64_t>(cpus * 1e6));
  }

  void start(std::size_t entry, Demand demand, std::string now = "max 100000") {
    const CgroupId id(100 + frame_.subjects.size());
    frame_.subjects.push_back({.container = {.name = config_.entries[entry].target.text}, .cgroup_id = id});
    frame_.samples.emplace_back();
    state_.push_back({.demand = std::move(demand), .limit = 1e9});
    Controller::Present present{.setting = {cgroup::Knob::cpu_max, "", std::move(now)}};
    if (config_.entries[entry].resources[0].policy->ease != nullptr)
      present.eases = {{cgroup::Knob::cpu_max_burst, "", "0"}, {cgroup::Knob::cpu_weight, "", "100"}};
    carry_out(controller_.add(frame_.subjects.back(), config_.entries[entry], {present}, moment()));
  }

  void run(double seconds) {
    const auto ticks = static_cast<int>(std::lround(seconds * 5));
    for (int n = 0; n < ticks; ++n) tick();
  }

  /// From now on all wait for others for that share of the time, beside what their limits hold.
  void crowd(double share) { others_ = share; }
  [[nodiscard]] double limit(std::size_t container = 0) const { return state_[container].limit; }
  [[nodiscard]] double burst(std::size_t container = 0) const { return state_[container].burst; }
  [[nodiscard]] std::size_t count(policy::Verdict verdict) const {
    return static_cast<std::size_t>(std::ranges::count(told_, verdict));
  }
  [[nodiscard]] const std::vector<policy::Verdict>& told() const { return told_; }
  [[nodiscard]] Controller& controller() { return controller_; }
  [[nodiscard]] CgroupId id(std::size_t container = 0) const { return frame_.subjects[container].cgroup_id; }
  [[nodiscard]] Moment moment() const { return {.at = frame_.at, .time = frame_.at}; }
  /// Someone takes its limit away, and the controller hears of it, and cannot write.
  void take_away(std::size_t container) {
    state_[container].limit = 1e9;
    (void)controller_.found(id(container), {cgroup::Knob::cpu_max, "", "max 100000"}, moment());
  }
  void carry_out(const std::vector<Action>& actions) {
    for (const Action& action : actions) {
      told_.push_back(action.decision.verdict);
      const auto found = std::ranges::find(frame_.subjects, action.subject.cgroup_id, &Subject::cgroup_id);
      State& state = state_[static_cast<std::size_t>(found - frame_.subjects.begin())];
      for (const cgroup::Setting& ease : action.eases) {
        if (ease.knob != cgroup::Knob::cpu_max_burst) continue;
        state.burst = std::stod(ease.text) / 1e5;
        EXPECT_LE(state.burst, state.limit);
        if (state.limit <= action.view.hard) EXPECT_LE(state.limit + state.burst, action.view.hard + 1e-9);
      }
      if (action.setting) {
        state.limit = *to_limit(policy::Resource::cpu, *action.setting);
        EXPECT_LE(state.limit + state.burst, action.view.hard + 1e-9);
        EXPECT_LE(state.burst, state.limit);
        EXPECT_GE(state.limit, action.view.floor);
      }
      controller_.wrote(action, moment());
    }
  }

 private:
  struct State {
    Demand demand;
    double limit;
    double burst = 0;
    double used = 0, throttled = 0, waited = 0;  ///< microseconds
  };

  void tick() {
    constexpr std::chrono::milliseconds kTick{200};
    constexpr double kSeconds = std::chrono::duration<double>(kTick).count();
    frame_.at += kTick;
    frame_.time = frame_.at;
    for (std::size_t n = 0; n < state_.size(); ++n) {
      State& state = state_[n];
      const double wanted = state.demand(std::chrono::duration<double>(frame_.at).count());
      const double got = std::min(wanted, state.limit);
      state.used += got * kSeconds * 1e6;
      if (wanted > got) state.throttled += (1 - got / wanted) * kSeconds * 1e6;
      Sample& sample = frame_.samples[n];
      for (std::int64_t& read : sample.read_at) read = frame_.at.count();
      sample.set(Metric::cpu_usage, static_cast<std::uint64_t>(state.used));
      for (const Metric metric : {Metric::cpu_throttled, Metric::cpu_throttled_local})
        sample.set(metric, static_cast<std::uint64_t>(state.throttled));
      state.waited += others_ * kSeconds * 1e6;
      sample.set(Metric::cpu_some, static_cast<std::uint64_t>(state.throttled + state.waited));
    }
    carry_out(controller_.see(frame_));
  }

  Config config_;
  Controller controller_;
  Frame frame_{.at = std::chrono::seconds(1)};
  std::vector<State> state_;
  double others_ = 0;
  std::vector<policy::Verdict> told_;
};

inline constexpr policy::Bounds kBounds{.soft = 0.5, .hard = 2, .floor = 0.2, .step = 0.25, .cooldown = 0.2};
inline double idle(double) { return 0.05; }
inline double busy(double) { return 10; }

}  // namespace weir::control
