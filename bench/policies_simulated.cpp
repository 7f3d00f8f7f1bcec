// SPDX-License-Identifier: MIT
// What policies make of the loads of learned_patterns, in a simulation: the Controller of `weir control`, a
// look every 200 ms, a wake at each throttle, limits in force at once, periods of 100 ms, and a load that
// drops what it could not do in one. No kernel and no root; the same numbers on every machine, in a second:
// to try an idea before it is measured. `learned` has a model of what step made of other loads.
//
//   policies_simulated [CALM [SECONDS]]     CALM: of the policies, 3 unless given; SECONDS: to learn from
#include <fmt/format.h>

#include "load_patterns.h"
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/control/controller.h"
#include "weir/control/samples.h"
#include "weir/control/training.h"

namespace {

using namespace weir;
using control::Action;
using policy::Resource;
using std::chrono::nanoseconds;

constexpr std::chrono::milliseconds kPeriod{100};
constexpr double kPeriodSeconds = 0.1, kMicroseconds = 1e6;
constexpr int kPeriodsALook = 2;
constexpr std::chrono::seconds kJudged{600};
constexpr policy::Bounds kBounds{.soft = 0.1, .hard = 0.9, .floor = 0.06, .step = 0.05, .cooldown = 0.2};

control::Config config_of(const policy::Policy& policy, double calm) {
  control::Managed managed{.resource = Resource::cpu,
                           .device = {},
                           .bounds = kBounds,
                           .policy = &policy,
                           .parameters = policy::defaults_of(policy)};
  for (std::size_t n = 0; n < policy.parameters.size(); ++n) {
    if (policy.parameters[n].name == "margin") managed.parameters[n] = 0.05;
    if (policy.parameters[n].name == "calm") managed.parameters[n] = calm;
  }
  control::Config config{.entries = {{.target = container::parse_target("*").value(),
                                      .where = {},
                                      .create = false,
                                      .pids = {},
                                      .priority = 0,
                                      .resources = {managed}}}};
  config.ml_mode = control::MlMode::active;
  return config;
}

/// Three containers, each with a load, under one policy.
class Simulation {
 public:
  Simulation(const bench::Loads& loads, control::Config config, const learn::Model* model)
      : config_(std::move(config)), controller_(config_) {
    controller_.use(model);
    frame_.host.set(Metric::cpu_limit, 2'000'000);
    for (const bench::Load& load : loads) {
      const Subject subject{.container = {.name = fmt::format("load{}", containers_.size())},
                            .cgroup_id = CgroupId(1 + containers_.size())};
      frame_.subjects.push_back(subject);
      frame_.samples.emplace_back();
      containers_.push_back({.load = load});
      carry_out(controller_.add(subject, config_.entries[0],
                                {{.setting = {cgroup::Knob::cpu_max, "", "max 100000"}}}, moment()));
    }
  }

  void run(nanoseconds span) {
    for (const nanoseconds end = frame_.at + span; frame_.at < end; ++periods_) period();
  }
  [[nodiscard]] const control::TrainingRows& rows() const { return rows_; }

  /// Throttled: of all containers; the rest is their mean.
  void print(std::string_view name) const {
    const double seconds = static_cast<double>(periods_) * kPeriodSeconds;
    const double all = seconds * static_cast<double>(containers_.size());
    double throttled = 0, used = 0, limit = 0;
    for (const Container& each : containers_) {
      throttled += each.throttled;
      used += each.used;
      limit += each.limits;
    }
    fmt::print("  {:12} throttled {:6.2f} s a minute, used {:.3f} CPUs, limit {:.3f}: slack {:5.1f} %", name,
               throttled * 60 / seconds, used / all, limit / all, 100 * (limit / used - 1));
    fmt::print(", {:.1f} changes a minute\n", changes_ * 60 / seconds);
  }

 private:
  struct Container {
    bench::Load load;
    double limit = 1;
    double used = 0, throttled = 0, limits = 0;  ///< seconds, but for the last, which is CPUs times seconds
  };

  [[nodiscard]] control::Moment moment() const { return {.at = frame_.at, .time = frame_.at}; }

  void carry_out(const std::vector<Action>& actions) {
    for (const Action& action : actions) {
      if (action.setting) {
        containers_[action.subject.cgroup_id.count() - 1].limit =
            *control::to_limit(Resource::cpu, *action.setting);
        ++changes_;
      }
      controller_.wrote(action, moment());
    }
  }
  void decided(const std::vector<Action>& actions) {
    samples_.see(controller_.looks(), moment());
    carry_out(actions);
    for (const std::string& line : samples_.take()) rows_.take(line);
  }

  void period() {
    frame_.at += kPeriod;
    frame_.time = frame_.at;
    std::vector<CgroupId> held;
    for (std::size_t n = 0; n < containers_.size(); ++n) {
      Container& container = containers_[n];
      const double wanted = container.load(frame_.at);
      container.used += std::min(wanted, container.limit) * kPeriodSeconds;
      container.limits += container.limit * kPeriodSeconds;
      if (wanted > container.limit) {
        container.throttled += std::max(0.0, 1 - container.limit) * kPeriodSeconds;
        held.push_back(frame_.subjects[n].cgroup_id);
      }
      count(container, frame_.samples[n]);
    }
    for (const CgroupId id : held) decided(controller_.wake(id, Resource::cpu, moment()));
    if (periods_ % kPeriodsALook == 0) decided(controller_.see(frame_));
  }
  void count(const Container& container, Sample& sample) const {
    for (std::int64_t& read : sample.read_at) read = frame_.at.count();
    sample.set(Metric::cpu_usage, static_cast<std::uint64_t>(container.used * kMicroseconds));
    for (const Metric metric : {Metric::cpu_throttled, Metric::cpu_throttled_local, Metric::cpu_some})
      sample.set(metric, static_cast<std::uint64_t>(container.throttled * kMicroseconds));
  }

  control::Config config_;
  control::Controller controller_;
  Frame frame_{.at = std::chrono::seconds(1)};
  std::vector<Container> containers_;
  control::Samples samples_;
  control::TrainingRows rows_;
  std::uint64_t periods_ = 0;
  double changes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const double calm = argc > 1 ? std::atof(argv[1]) : 3;
  const std::chrono::seconds learning(argc > 2 ? std::atoi(argv[2]) : 600);
  Simulation school(bench::kLearnedFrom, config_of(*policy::find_policy("step"), calm), nullptr);
  school.run(learning);
  const auto training = control::train_model(school.rows(), nullptr, {});
  const learn::Model* model = training && training->model ? &*training->model : nullptr;
  if (model == nullptr) fmt::print("nothing was learned: learned decides as step\n");
  fmt::print("3 loads at once, {} s, calm {}\n", kJudged.count(), calm);
  for (const policy::Policy& policy : policy::policies()) {
    if (policy.ease != nullptr) continue;  // the loads here know neither bursts nor weights
    Simulation simulation(bench::kLater, config_of(policy, calm), model);
    simulation.run(kJudged);
    simulation.print(policy.name);
  }
  return 0;
}
