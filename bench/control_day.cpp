// SPDX-License-Identifier: MIT
// A day of the controller on a host that is made up, with a clock of its own: containers want CPU in patterns
// that change, get what their limit lets them have, and the frames say so. Faults come in between: writes
// that fail, frames that are late or missing, containers that end and come again, limits that someone else
// sets, takes away or sets out of all bounds, counters that go back. After each step every limit that the
// controller wrote must lie between floor and hard.
//
//   control_day [CONTAINERS [HOURS]]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "weir/control/controller.h"

namespace {

using namespace weir;
using control::Action;
using policy::Resource;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr double kCpus = 256;  // more than all want at once
constexpr double kNobodyKnows = std::numeric_limits<double>::infinity();

class Day {
 public:
  Day(std::size_t containers, std::uint64_t seed)
      : random_(seed), config_(configure(containers)), controller_(config_) {
    frame_.at = seconds(1000);
    frame_.host.set(Metric::cpu_limit, static_cast<std::uint64_t>(kCpus * 1e6));
    for (std::size_t n = 0; n < containers; ++n) {
      frame_.subjects.emplace_back();
      frame_.samples.emplace_back();
      containers_.emplace_back();
      start(n);
    }
  }

  void second() {
    frame_.at += seconds(1) + nanoseconds(chance(0.01) ? 3'000'000'000 : 0);
    frame_.time = frame_.at;
    for (std::size_t n = 0; n < containers_.size(); ++n) {
      live(n);
      if (chance(1e-4)) start(n);  // it ended, and came again
      if (chance(1e-4)) someone_sets(n);
      if (chance(0.01)) carry_out(controller_.wake(frame_.subjects[n].cgroup_id, Resource::cpu, moment()));
    }
    if (!chance(0.01)) carry_out(controller_.see(frame_));  // else the frame is missing
    for (std::size_t n = 0; n < containers_.size(); ++n) add_up(n);
  }

  void report(double spent, double hours) const {
    fmt::print("control_day: {} containers, {} h: {} decided to change, {} writes failed, {} set by others\n",
               containers_.size(), hours, changes_, failed_, foreign_);
    fmt::print("  limits (with bursts) above hard {}, below floor {}, refused by the kernel {} (target 0)\n",
               above_, below_, refused_);
    fmt::print(
        "  {:.1f} changes a container and hour; limit above what was wanted {:.1f} %, short of it {:.2f} %\n",
        static_cast<double>(changes_) / static_cast<double>(containers_.size()) / hours,
        100 * slack_ / wanted_, 100 * lack_ / wanted_);
    fmt::print("  {:.2f} s, {:.2f} us a container and second\n", spent,
               1e6 * spent / static_cast<double>(containers_.size()) / (hours * 3600));
  }
  [[nodiscard]] bool held() const { return above_ + below_ + refused_ == 0; }

 private:
  struct Container {
    double limit = kNobodyKnows;  ///< that the kernel holds
    double burst_usec = 0, period_usec = 100'000;
    bool ours = false;  ///< the controller wrote it last
    double used = 0, throttled = 0, wanted = 0;
    double level = 0.1;
    int until = 0;  ///< seconds that it wants this much
  };

  static control::Config configure(std::size_t containers) {
    control::Config config;
    const std::span<const policy::Policy> all = policy::policies();
    for (std::size_t n = 0; n < containers; ++n) {
      const policy::Policy& policy = all[n % all.size()];
      config.entries.push_back(
          {.target = container::parse_target(fmt::format("c{}", n)).value(),
           .where = {},
           .priority = static_cast<int>(n % 3),
           .resources = {{.resource = Resource::cpu,
                          .device = {},
                          .bounds = {.soft = 0.3, .hard = 2, .floor = 0.1, .step = 0.1, .cooldown = 1},
                          .policy = &policy,
                          .parameters = policy::defaults_of(policy)}}});
    }
    return config;
  }

  bool chance(double share) { return std::uniform_real_distribution(0.0, 1.0)(random_) < share; }
  [[nodiscard]] control::Moment moment() const { return {.at = frame_.at, .time = frame_.time}; }

  void start(std::size_t n) {
    if (frame_.subjects[n].cgroup_id != CgroupId(0)) controller_.remove(frame_.subjects[n].cgroup_id);
    frame_.subjects[n] = {.container = {.name = config_.entries[n].target.text},
                          .cgroup_id = CgroupId(++last_id_)};
    containers_[n] = {};
    frame_.samples[n] = {};
    carry_out(controller_.add(
        frame_.subjects[n], config_.entries[n],
        {{.setting = {cgroup::Knob::cpu_max, "", "max 100000"},
          .eases = {{cgroup::Knob::cpu_max_burst, "", "0"}, {cgroup::Knob::cpu_weight, "", "100"}}}},
        moment()));
  }

  void live(std::size_t n) {
    Container& each = containers_[n];
    if (--each.until <= 0) {
      each.until = std::uniform_int_distribution(5, 600)(random_);
      each.level = std::pow(10.0, std::uniform_real_distribution(-2.0, 0.5)(random_));
    }
    each.wanted = each.level * std::uniform_real_distribution(0.8, 1.2)(random_);
    const double got = std::min(each.wanted, each.limit);
    each.used += got * 1e6;
    if (got < each.wanted) each.throttled += (1 - got / each.wanted) * 1e6;
    if (chance(1e-5)) each.used = each.throttled = 0;  // counters that go back
    Sample& sample = frame_.samples[n];
    for (std::int64_t& read : sample.read_at) read = frame_.at.count();
    sample.set(Metric::cpu_usage, static_cast<std::uint64_t>(each.used));
    for (const Metric metric : {Metric::cpu_throttled, Metric::cpu_throttled_local, Metric::cpu_some})
      sample.set(metric, static_cast<std::uint64_t>(each.throttled));
  }

  void someone_sets(std::size_t n) {
    constexpr std::array kTexts = {"max 100000", "1000 100000", "900000 100000", "50000 50000",
                                   "77000 100000"};
    ++foreign_;
    const cgroup::Setting setting{cgroup::Knob::cpu_max, "", kTexts[random_() % kTexts.size()]};
    if (!set_max(containers_[n], setting)) return;
    containers_[n].ours = false;
    carry_out(controller_.found(frame_.subjects[n].cgroup_id, setting, moment()));
  }

  void carry_out(const std::vector<Action>& actions) {
    for (const Action& action : actions) {
      if (!action.setting && action.eases.empty()) continue;
      ++changes_;
      const auto found = std::ranges::find(frame_.subjects, action.subject.cgroup_id, &Subject::cgroup_id);
      if (write(containers_[static_cast<std::size_t>(found - frame_.subjects.begin())], action))
        controller_.wrote(action, moment());
      else
        ++failed_;
    }
  }

  /// One after the other, until one fails.
  bool write(Container& each, const Action& action) {
    for (const cgroup::Setting& ease : action.eases) {
      if (chance(0.02)) return false;
      if (ease.knob == cgroup::Knob::cpu_max_burst) {
        each.burst_usec = std::atof(ease.text.c_str());
        if (each.burst_usec > each.limit * each.period_usec + 1) ++refused_;
      }
      check(each, action.view.hard);
      controller_.eased(action.subject.cgroup_id, ease, moment());
    }
    if (!action.setting) return true;
    if (chance(0.02)) return false;
    if (!set_max(each, *action.setting)) ++refused_;
    each.ours = true;
    check(each, action.view.hard);
    return true;
  }

  /// As the kernel does: not below the burst.
  static bool set_max(Container& each, const cgroup::Setting& setting) {
    const auto max = cgroup::parse_cpu_max(setting.text);
    const double limit = *control::to_limit(Resource::cpu, setting);
    const auto period = static_cast<double>(max->period.count());
    if (limit * period < each.burst_usec - 0.5) return false;  // of whole microseconds
    each.limit = limit;
    each.period_usec = period;
    return true;
  }

  /// In no single period more than hard.
  void check(const Container& each, double hard) {
    if (each.ours && each.limit + each.burst_usec / each.period_usec > hard + 1e-9) ++above_;
  }

  void add_up(std::size_t n) {
    const Container& each = containers_[n];
    if (!each.ours) return;
    const policy::Bounds& bounds = config_.entries[n].resources[0].bounds;
    if (each.limit > bounds.hard) ++above_;
    if (each.limit < bounds.floor) ++below_;
    const double wanted = std::min(each.wanted, bounds.hard);
    wanted_ += wanted;
    slack_ += std::max(0.0, each.limit - wanted);
    lack_ += std::max(0.0, wanted - each.limit);
  }

  std::mt19937_64 random_;
  control::Config config_;
  control::Controller controller_;
  Frame frame_;
  std::vector<Container> containers_;
  std::uint64_t last_id_ = 0, changes_ = 0, failed_ = 0, foreign_ = 0, above_ = 0, below_ = 0, refused_ = 0;
  double wanted_ = 0, slack_ = 0, lack_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t containers = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200;
  const int hours = argc > 2 ? std::atoi(argv[2]) : 24;
  Day day(containers, 1);
  const auto begin = std::chrono::steady_clock::now();
  for (int n = 0; n < hours * 3600; ++n) day.second();
  const auto spent = std::chrono::steady_clock::now() - begin;
  day.report(std::chrono::duration<double>(spent).count(), hours);
  return day.held() ? 0 : 1;
}
