// SPDX-License-Identifier: MIT
// The Controller against a host that is made up: containers want CPU, get what their limit lets them have,
// and the frames say so.
#include "weir/control/controller.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace weir::control {
namespace {

using policy::Resource;
using policy::Verdict;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr milliseconds kTick{200};
using Demand = std::function<double(double seconds)>;

Managed cpu(policy::Bounds bounds, std::string_view policy = "step") {
  const policy::Policy* found = policy::find_policy(policy);
  return {.resource = Resource::cpu,
          .device = {},
          .bounds = bounds,
          .policy = found,
          .parameters = policy::defaults_of(*found)};
}

Entry entry(std::string_view name, Managed managed, int priority = 0) {
  return {.target = container::parse_target(name).value(),
          .where = {},
          .create = false,
          .pids = {},
          .priority = priority,
          .resources = {std::move(managed)}};
}

class Host {
 public:
  explicit Host(Config config, double cpus = 8)
      : config_(std::move(config)), controller_(config_), cpus_(cpus) {
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
  [[nodiscard]] std::size_t count(Verdict verdict) const {
    return static_cast<std::size_t>(std::ranges::count(told_, verdict));
  }
  [[nodiscard]] const std::vector<Verdict>& told() const { return told_; }
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
        state.limit = *to_limit(Resource::cpu, *action.setting);
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
  double cpus_;
  Frame frame_{.at = std::chrono::seconds(1)};
  std::vector<State> state_;
  double others_ = 0;
  std::vector<Verdict> told_;
};

constexpr policy::Bounds kBounds{.soft = 0.5, .hard = 2, .floor = 0.2, .step = 0.25, .cooldown = 0.2};
double idle(double) { return 0.05; }
double busy(double) { return 10; }

TEST(Controller, BeginsWithTheSoftLimit) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, idle);
  EXPECT_EQ(host.limit(), 0.5);
}

TEST(Controller, GoesOnFromWhatAControllerBeforeItSet) {
  Config config{.entries = {entry("web", cpu(kBounds))}};
  Controller controller(config);
  const Controller::Present present{.setting = {cgroup::Knob::cpu_max, "", "125000 100000"}, .resumed = true};
  EXPECT_THAT(controller.add({.container = {}, .cgroup_id = CgroupId(7)}, config.entries[0], {present}, {}),
              IsEmpty());
}

TEST(Controller, FollowsTheLoadUpAndDown) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, [](double seconds) { return seconds < 20 ? 1.2 : 0.3; });
  host.run(10);
  EXPECT_GE(host.limit(), 1.2);
  EXPECT_LE(host.limit(), 1.5);
  host.run(40);
  EXPECT_LE(host.limit(), 0.6);
  EXPECT_GE(host.limit(), 0.3);
}

TEST(Controller, TellsTheHardLimitOnceAndChangesNothing) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, busy);
  host.run(60);
  EXPECT_EQ(host.limit(), 2);
  EXPECT_EQ(host.count(Verdict::at_hard), 1U);
  EXPECT_EQ(host.count(Verdict::lower), 1U);  // the first: from max to soft
}

TEST(Controller, WhatComesAndGoesInTurnIsToldOnceEach) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, [](double) { return 2.5; });
  host.run(10);
  for (int n = 0; n < 10; ++n) {
    host.crowd(n % 2 == 0 ? 1 : 0);
    host.run(1);
  }
  EXPECT_EQ(host.count(Verdict::at_hard), 1U);
  EXPECT_EQ(host.count(Verdict::refused), 1U);
}

TEST(Controller, ASteadyLoadIsLeftAlone) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, [](double) { return 0.6; });
  host.run(30);
  const std::size_t before = host.told().size();
  host.run(600);
  EXPECT_EQ(host.told().size(), before);
}

TEST(Controller, WhatTheKernelTellsIsDecidedAtOnce) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, idle);
  host.run(5);
  const auto actions = host.controller().wake(host.id(), Resource::cpu, host.moment());
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_TRUE(actions[0].urgent);
  EXPECT_EQ(actions[0].decision.verdict, Verdict::raise);
  EXPECT_THAT(host.controller().wake(CgroupId(1), Resource::cpu, host.moment()), IsEmpty());
}

TEST(Controller, ALimitThatWasNotWrittenIsNotInForce) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, idle);
  host.run(5);
  const auto first = host.controller().wake(host.id(), Resource::cpu, host.moment());
  const auto again = host.controller().wake(host.id(), Resource::cpu, host.moment());
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(first[0].decision.limit, again[0].decision.limit);
}

TEST(Controller, AFrameWithoutTheHostLeavesItsLoadAsItWas) {
  Config config{.entries = {entry("web", cpu(kBounds))}};
  Controller controller(config);
  const Subject web{.container = {}, .cgroup_id = CgroupId(7)};
  (void)controller.add(web, config.entries[0],
                       {{.setting = {cgroup::Knob::cpu_max, "", "50000 100000"}, .resumed = true}}, {});
  Frame host, plain{.subjects = {web}, .samples = {{}}};
  host.host.set(Metric::cpu_limit, 2'000'000);
  for (const std::uint64_t second : {1U, 2U, 3U}) {
    host.at = plain.at = std::chrono::seconds(second);
    host.host.set(Metric::cpu_usage, second * 1'000'000);
    for (Sample* sample : {&host.host, &plain.samples[0]})
      for (std::int64_t& read : sample->read_at) read = host.at.count();
    plain.samples[0].set(Metric::cpu_usage, second * 100'000);
    (void)controller.see(host);
    (void)controller.see(plain);
  }
  ASSERT_THAT(controller.looks(), SizeIs(1));
  EXPECT_EQ(controller.looks()[0].view.host_busy, 0.5);
}

TEST(Controller, ARaiseThatWaitsIsTakenBackWhenItIsNotNeededAnyMore) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, idle);
  host.run(2);
  const double before = host.limit();
  const auto raise = host.controller().wake(host.id(), Resource::cpu, host.moment());
  ASSERT_THAT(raise, SizeIs(1));
  const std::size_t told = host.told().size();
  host.run(0.2);
  ASSERT_EQ(host.told().size(), told + 1);
  EXPECT_EQ(host.told().back(), Verdict::keep);
  EXPECT_EQ(host.limit(), before);
  host.run(0.2);
  EXPECT_EQ(host.told().size(), told + 1);
}

TEST(Controller, NeverGivesAwayMoreThanTheHostHasLeft) {
  Host host({.entries = {entry("a", cpu(kBounds)), entry("b", cpu(kBounds))}, .reserve_cpus = 0.5}, 3);
  host.start(0, busy);
  host.start(1, busy);
  host.run(30);
  EXPECT_LE(host.limit(0) + host.limit(1), 2.5);
  EXPECT_EQ(host.count(Verdict::refused), 2U);  // each told once
}

TEST(Controller, APriorityTakesWhatALowerOneHoldsAndDoesNotUse) {
  policy::Bounds wide = kBounds;
  wide.soft = 2;
  Managed held = cpu(wide);
  held.parameters[1] = 3600;  // by itself it would stay up
  for (const int priority : {0, 9}) {
    Host host({.entries = {entry("low", held, 1), entry("high", cpu(kBounds), priority)}}, 2.5);
    host.start(0, idle);
    host.start(1, busy);
    host.run(10);
    EXPECT_EQ(host.limit(0), priority == 9 ? 0.2 : 2);
    EXPECT_EQ(host.limit(1), priority == 9 ? 2 : 0.5);
  }
}

TEST(Controller, WhatSomeoneElseSetCountsFromThenOn) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, idle);
  host.run(1);
  EXPECT_THAT(host.controller().found(host.id(), {cgroup::Knob::cpu_max, "", "50000 50000"}, host.moment()),
              IsEmpty());
  const auto actions = host.controller().wake(host.id(), Resource::cpu,
                                              {.at = host.moment().at + std::chrono::seconds(1), .time = {}});
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_EQ(actions[0].setting->text, "62500 50000");  // by their period, too
}

TEST(Controller, ALimitThatSomeoneTookAwayIsWrittenAgain) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, idle);
  const auto actions =
      host.controller().found(host.id(), {cgroup::Knob::cpu_max, "", "max 100000"}, host.moment());
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_EQ(actions[0].decision.limit, 0.5);
}

TEST(Controller, AFirstLimitThatCouldNotBeWrittenIsTriedAgain) {
  const Config config{.entries = {entry("web", cpu(kBounds))}};
  Controller controller(config);
  const Subject web{.container = {.name = "web"}, .cgroup_id = CgroupId(7)};
  const cgroup::Setting none{cgroup::Knob::cpu_max, "", "max 100000"};
  ASSERT_THAT(controller.add(web, config.entries[0], {{.setting = none}}, {}), SizeIs(1));
  const auto actions = controller.found(web.cgroup_id, none, {});
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_EQ(actions[0].decision.limit, kBounds.soft);
}

TEST(Controller, RoomIsMadeWithinTheBoundsAlsoWhereNoLimitIsInForce) {
  Host host({.entries = {entry("web", cpu(kBounds)), entry("db", cpu(kBounds), 9)}}, 2);
  host.start(0, [](double) { return 5.0; });
  host.run(1);
  host.take_away(0);
  host.run(0.4);  // it uses more than it ever may
  host.start(1, busy);
  host.run(1);
  EXPECT_LE(host.limit(0), kBounds.hard);
}

/// Suggests that share of the hard limit.
learn::Model suggests(double share) {
  learn::Predictor predictor{
      .resource = "cpu", .form = learn::Linear{.weights = {}, .intercept = share}, .rows = 600};
  predictor.least.fill(0);
  predictor.most.fill(2);
  return learn::Model::make({.id = "m1"}, {std::move(predictor)}).value();
}
/// A container at its soft limit, under a model that suggests 1.6 CPUs; its raise.
struct Modelled {
  explicit Modelled(MlMode mode, double canary_share = 0)
      : host({.entries = {entry("web", cpu(kBounds, "learned"))},
              .ml_mode = mode,
              .canary_share = canary_share}) {
    host.controller().use(&model);
    host.start(0, idle);
    host.run(2);
    action = host.controller().wake(host.id(), Resource::cpu, host.moment()).at(0);
  }
  learn::Model model = suggests(0.8);
  Host host;
  Action action;
};

TEST(Controller, InShadowAModelIsOnlyAsked) {
  const Modelled web(MlMode::shadow);
  EXPECT_EQ(web.action.decision.limit, 0.75);
  ASSERT_TRUE(web.action.suggestion.has_value());
  EXPECT_DOUBLE_EQ(web.action.suggestion->limit, 1.6);
  EXPECT_EQ(web.action.suggestion->mode, MlMode::shadow);
}

TEST(Controller, AnActiveModelDecidesAndSaysSo) {
  const Modelled web(MlMode::active);
  EXPECT_DOUBLE_EQ(web.action.decision.limit, 1.6);
  EXPECT_EQ(web.action.suggestion->step_would, 0.75);
  const auto says = [](const Event& event, std::string_view name) {
    return std::ranges::any_of(event.details, [&](const auto& each) { return each.first == name; });
  };
  EXPECT_TRUE(says(to_event(web.action, {}), "model"));
  const Event event = to_ml_event(web.action, {});
  EXPECT_EQ(event.kind, EventKind::ml_adjustment);
  for (const char* name : {"mode", "suggested", "step_would", "held", "available"})
    EXPECT_TRUE(says(event, name)) << name;
}

TEST(Controller, ACanaryIsAShareOfTheContainers) {
  const Modelled all(MlMode::canary, 1), none(MlMode::canary, 0);
  EXPECT_EQ(all.action.suggestion->mode, MlMode::canary);
  EXPECT_DOUBLE_EQ(all.action.decision.limit, 1.6);
  EXPECT_EQ(none.action.suggestion->mode, MlMode::shadow);
  EXPECT_EQ(none.action.decision.limit, 0.75);
}

TEST(Controller, WithoutAModelThePolicyThatAsksOneDecidesAsStep) {
  Host host({.entries = {entry("web", cpu(kBounds, "learned"))}, .ml_mode = MlMode::active});
  host.start(0, idle);
  host.run(2);
  const Action action = host.controller().wake(host.id(), Resource::cpu, host.moment()).at(0);
  EXPECT_EQ(action.decision.limit, 0.75);
  EXPECT_FALSE(action.suggestion.has_value());
}

TEST(Controller, BurstsAreLetInBeforeTheLimitIsRaised) {
  Host host({.entries = {entry("web", cpu(kBounds, "burst"))}});
  host.start(0, idle);
  host.run(1);
  const auto actions = host.controller().wake(host.id(), Resource::cpu, host.moment());
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_FALSE(actions[0].setting);
  ASSERT_THAT(actions[0].eases, SizeIs(1));
  EXPECT_EQ(actions[0].eases[0], (cgroup::Setting{cgroup::Knob::cpu_max_burst, "", "50000"}));
  EXPECT_TRUE(actions[0].urgent);
  host.carry_out(actions);
  EXPECT_EQ(host.burst(), 0.5);
  EXPECT_EQ(host.limit(), 0.5);
  host.run(60);  // nothing holds it back any more
  EXPECT_EQ(host.burst(), 0);
  EXPECT_LT(host.limit(), 0.5);
}

TEST(Controller, AUseThatStaysAtTheLimitRaisesItUpToTheHardOneAndDownAgain) {
  Host host({.entries = {entry("web", cpu(kBounds, "burst"))}});
  host.start(0, [](double seconds) { return seconds < 20 ? 10 : 0.1; });
  host.run(15);
  EXPECT_EQ(host.limit(), 2);
  EXPECT_EQ(host.burst(), 0);
  EXPECT_EQ(host.count(Verdict::at_hard), 1U);
  host.run(60);
  EXPECT_EQ(host.limit(), 0.2);
  EXPECT_EQ(host.burst(), 0);
}

TEST(Controller, ABurstThatSomeoneSetsCountsWithinTheHardLimit) {
  Host host(
      {.entries = {entry(
           "web", cpu({.soft = 1.5, .hard = 2, .floor = 0.2, .step = 0.25, .cooldown = 0.2}, "burst"))}});
  host.start(0, idle);
  using cgroup::Knob;
  EXPECT_THAT(host.controller().found(host.id(), {Knob::cpu_max_burst, "", "40000"}, host.moment()),
              IsEmpty());
  const auto actions = host.controller().found(host.id(), {Knob::cpu_max_burst, "", "90000"}, host.moment());
  ASSERT_THAT(actions, SizeIs(1));
  ASSERT_THAT(actions[0].eases, SizeIs(1));
  EXPECT_EQ(actions[0].eases[0].text, "50000");
  EXPECT_FALSE(actions[0].setting);
}

TEST(Controller, WhatEasedALimitBeforeAKillIsKnownAgain) {
  const Config config{.entries = {entry("web", cpu(kBounds, "burst"))}};
  Controller controller(config);
  Controller::Present present{.setting = {cgroup::Knob::cpu_max, "", "125000 100000"}, .resumed = true};
  present.eases = {{cgroup::Knob::cpu_max_burst, "", "50000"}, {cgroup::Knob::cpu_weight, "", "400"}};
  present.weight_before = 100;
  EXPECT_THAT(controller.add({.container = {}, .cgroup_id = CgroupId(7)}, config.entries[0], {present}, {}),
              IsEmpty());
  (void)controller.wake(CgroupId(7), Resource::cpu, {});
  ASSERT_THAT(controller.looks(), SizeIs(1));
  const policy::View& view = controller.looks()[0].view;
  EXPECT_EQ(view.burst, 0.5);
  EXPECT_EQ(view.burst_most, 0.75);
  EXPECT_EQ(view.weight, 400);
  EXPECT_EQ(view.weight_before, 100);
}

TEST(ToEvent, SaysEverythingThatTheDecisionWasMadeBy) {
  Host host({.entries = {entry("web", cpu(kBounds))}});
  host.start(0, idle);
  host.run(5);
  const auto actions = host.controller().wake(host.id(), Resource::cpu, host.moment());
  const Event event = to_event(actions[0], host.moment());
  EXPECT_EQ(event.kind, EventKind::soft_limit_raised);
  for (const policy::Field& field : policy::kFields)
    EXPECT_TRUE(std::ranges::any_of(event.details, [&](const auto& each) {
      return each.first == field.name;
    })) << field.name;
}

TEST(ToSetting, IsWhatTheKernelTakes) {
  using cgroup::Knob;
  EXPECT_EQ(to_setting(Resource::cpu, 1.5, "", std::chrono::microseconds(50'000)).text, "75000 50000");
  EXPECT_EQ(to_setting(Resource::cpu, 0.0001, "", std::chrono::microseconds(100'000)).text, "1000 100000");
  EXPECT_EQ(to_setting(Resource::memory, 10'000, "", {}).text, "8192");
  const cgroup::Setting io = to_setting(Resource::io_write, 4096, "8:0", {});
  EXPECT_EQ(io.device, "8:0");
  EXPECT_EQ(to_limit(Resource::io_write, io), 4096);
  EXPECT_EQ(to_limit(Resource::io_read, io), std::nullopt);
}

}  // namespace
}  // namespace weir::control
