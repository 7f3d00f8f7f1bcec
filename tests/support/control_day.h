// SPDX-License-Identifier: MIT
#pragma once
// ControlDay: `weir control` on a host that is made up, with a clock of its own: the whole of it, as it runs
// on a real one, on a cgroup tree in memory that behaves as the kernel does. Cgroups want CPU in patterns
// that change, get what their limit lets them have, and their files say so. Faults come in between: writes
// that fail, looks that are late or missing, cgroups that end and come again, limits that someone else sets,
// takes away or sets out of all bounds, counters that go back, and controllers that are killed. Each write is
// looked at before the kernel takes it; at the end the controller is stopped, and everything must be as
// before it. Always the same. Who uses it links weir_control.

#include <fmt/format.h>

#include "support/fake_cgroupfs.h"
#include "support/temp_dir.h"
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "weir/base/text.h"
#include "weir/control/runner.h"

namespace weir::testing {

class ControlDay {
 public:
  struct Counts {
    std::uint64_t changes = 0, writes = 0, failed = 0, foreign = 0, ended = 0, killed = 0;
    /// Must be 0: limits (with bursts) above hard and below floor, writes that the kernel refuses, files that
    /// are not as before after the stop.
    std::uint64_t above = 0, below = 0, refused = 0, left = 0;
    double wanted = 0, slack = 0, lack = 0;  ///< CPU seconds
  };

  /// `faults`: how many times as many as is usual; `policy`: of all cgroups; "": each in turn has another
  /// one.
  ControlDay(std::size_t cgroups, double faults, std::string_view policy = "")
      : faults_(faults), policy_(policy::find_policy(policy)) {
    fs_.set("", "cgroup.subtree_control", "cpu");
    for (std::size_t n = 0; n < cgroups; ++n) start(cgroups_.emplace_back(fmt::format("/c{}", n)));
    fs_.before_write([this](auto path, auto file, auto text) { see_write(path, file, text); });
    paths_.cgroup_root = folder_.path("none");
    paths_.run_dir = folder_.path("run");
    paths_.proc = folder_.path("proc");
    std::filesystem::create_directory(paths_.proc);
    std::ofstream(paths_.proc + "/stat") << "cpu  1 0 1 100 0 0 0 0 0 0\n";
    clock_.tick(std::chrono::seconds(1000));
    begin();
  }

  void second() {
    for (Cgroup& each : cgroups_) {
      if (fault(1e-4)) {
        fs_.remove(each.path);
        start(each);
        ++counts_.ended;
      }
      if (fault(1e-4)) someone_sets(each);
      want(each);
    }
    if (fault(1e-4)) {
      ++counts_.killed;
      begin();
    }
    for (int n = 0; n < 10; ++n) {
      for (Cgroup& each : cgroups_) live(each);
      const std::chrono::nanoseconds end = clock_.monotonic() + kPeriod;
      if (fault(0.01)) clock_.tick(kPeriod);  // it was kept from looking
      while (clock_.monotonic() < end) {
        turn();
        const std::chrono::nanoseconds now = clock_.monotonic();
        clock_.tick(std::min(std::max(runner_->again(), now + std::chrono::milliseconds(1)), end) - now);
      }
    }
    if (fault(0.01)) clock_.tick(std::chrono::seconds(3));  // the host stood still
    for (Cgroup& each : cgroups_) add_up(each);
  }

  /// As Ctrl-C does.
  void stop() {
    stopping_ = true;
    if (!runner_->restore()) std::abort();
    for (const Cgroup& each : cgroups_)
      for (const auto& [file, text] :
           {std::pair("cpu.max", each.foreign.c_str()), {"cpu.max.burst", "0"}, {"cpu.weight", "100"}})
        if (trim(fs_.get(each.path, file)) != text) ++counts_.left;
  }

  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  static constexpr double kCpus = 256;  ///< more than all want at once
  static constexpr policy::Bounds kBounds{.soft = 0.3, .hard = 2, .floor = 0.1, .step = 0.1, .cooldown = 1};
  static constexpr std::chrono::milliseconds kPeriod{100};
  static constexpr double kPeriodUsec = 100'000;
  static constexpr int kMostOutside = 60;  ///< seconds, whoever set it and whatever fails
  static constexpr const char* kAtFirst = "max 100000";

  struct Cgroup {
    explicit Cgroup(std::string where) : path(std::move(where)) {}
    std::string path;
    std::string foreign = kAtFirst;  ///< what its cpu.max is but for the controller
    bool ours = false;               ///< the controller wrote it last
    std::uint64_t periods = 0;
    double used = 0, throttled = 0, wanted = 0;
    double level = 0.1;
    int until = 0;    ///< seconds that it wants this much
    int outside = 0;  ///< seconds that its limit has been none that it may have
  };

  [[nodiscard]] control::Config configure() const {
    control::Config config;
    // This host has CPUs of its own, which do not matter.
    config.reserve_cpus = std::thread::hardware_concurrency() - kCpus;
    const std::span<const policy::Policy> all = policy::policies();
    for (std::size_t n = 0; n < cgroups_.size(); ++n) {
      const policy::Policy& policy = policy_ != nullptr ? *policy_ : all[n % all.size()];
      config.entries.push_back({.target = container::parse_target(cgroups_[n].path).value(),
                                .where = {},
                                .priority = static_cast<int>(n % 3),
                                .resources = {{.resource = policy::Resource::cpu,
                                               .device = {},
                                               .bounds = kBounds,
                                               .policy = &policy,
                                               .parameters = policy::defaults_of(policy)}}});
    }
    return config;
  }

  /// A controller that knows of the one before it only what that wrote down.
  void begin() {
    runner_.reset();
    waiting_.reset();
    frames_.reset();
    frames_.emplace(
        sample::Frames::open(*root_, paths_, clock_, {.fast_tick = control::Places::kTick}).value());
    waiting_.emplace(WaitSet::open().value());
    runner_.emplace(control::Runner::open({.root = *root_,
                                           .paths = paths_,
                                           .clock = clock_,
                                           .frames = *frames_,
                                           .waiting = *waiting_,
                                           .who = {},
                                           .guarded = {},
                                           .boot_id = "a-day"},
                                          configure())
                        .value());
  }

  void turn() {
    const auto events = runner_->turn({});
    if (!events) std::abort();
    for (const Event& event : *events)
      if (event.kind == EventKind::soft_limit_raised || event.kind == EventKind::soft_limit_lowered)
        ++counts_.changes;
    (void)runner_->take_notes();
    (void)runner_->take_said();
  }

  bool fault(double share) { return std::uniform_real_distribution(0.0, 1.0)(random_) < share * faults_; }

  void start(Cgroup& each) {
    each = Cgroup(each.path);
    fs_.add(each.path);
  }

  [[nodiscard]] double number(const Cgroup& each, std::string_view file) const {
    return static_cast<double>(parse_u64(trim(fs_.get(each.path, file))).value());
  }
  /// CPUs.
  [[nodiscard]] static double limit_in(std::string_view cpu_max) {
    return control::to_limit(policy::Resource::cpu, {cgroup::Knob::cpu_max, "", std::string(trim(cpu_max))})
        .value_or(std::numeric_limits<double>::infinity());
  }
  [[nodiscard]] double limit_of(const Cgroup& each) const { return limit_in(fs_.get(each.path, "cpu.max")); }

  void want(Cgroup& each) {
    if (--each.until <= 0) {
      each.until = std::uniform_int_distribution(5, 600)(random_);
      each.level = std::pow(10.0, std::uniform_real_distribution(-2.0, 0.5)(random_));
    }
    each.wanted = each.level * std::uniform_real_distribution(0.8, 1.2)(random_);
    if (fault(1e-5)) each.used = each.throttled = 0;  // counters that go back
  }

  /// A period of it.
  void live(Cgroup& each) {
    const double got = std::min(each.wanted, limit_of(each));
    each.used += got * kPeriodUsec;
    ++each.periods;
    const auto used = static_cast<std::uint64_t>(each.used);
    if (got < each.wanted) show_throttled(each, (1 - got / each.wanted) * kPeriodUsec);
    fs_.set(each.path, "cpu.stat",
            fmt::format("usage_usec {}\nuser_usec {}\nsystem_usec 0\nnr_periods {}\nnr_throttled 0\n"
                        "throttled_usec {}\nnr_bursts 0\nburst_usec 0\n",
                        used, used, each.periods, static_cast<std::uint64_t>(each.throttled)));
  }

  void show_throttled(Cgroup& each, double more) {
    each.throttled += more;
    const auto throttled = static_cast<std::uint64_t>(each.throttled);
    fs_.set(each.path, "cpu.stat.local", fmt::format("throttled_usec {}\n", throttled));
    fs_.set(each.path, "cpu.pressure",
            fmt::format("some avg10=0.00 avg60=0.00 avg300=0.00 total={}\n"
                        "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
                        throttled));
  }

  void someone_sets(Cgroup& each) {
    constexpr std::array kTexts = {"max 100000", "1000 100000", "900000 100000", "50000 50000",
                                   "77000 100000"};
    ++counts_.foreign;
    const char* const text = kTexts[random_() % kTexts.size()];
    someone_ = true;
    fs_.fail_writes(each.path, "cpu.max", 0);
    if (fs_.dir(each.path)->write("cpu.max", text)) {
      each.foreign = text;
      each.ours = false;
    }
    someone_ = false;
  }

  /// In no single period more than hard, in the long run not less than floor; what the kernel would refuse.
  void see_write(std::string_view path, std::string_view file, std::string_view text) {
    if (someone_) return;
    const auto found = std::ranges::find(cgroups_, path, &Cgroup::path);
    const bool fails = !stopping_ && fault(0.02);
    fs_.fail_writes(path, file, fails ? EIO : 0);
    ++counts_.writes;
    if (fails) ++counts_.failed;
    if (stopping_ || fails || file == "cpu.weight") return;
    const bool is_limit = file == "cpu.max";
    const double limit = is_limit ? limit_in(text) : limit_of(*found);
    const double burst =
        (is_limit ? number(*found, "cpu.max.burst") : static_cast<double>(parse_u64(trim(text)).value())) /
        static_cast<double>(
            cgroup::parse_cpu_max(trim(is_limit ? text : fs_.get(path, "cpu.max")))->period.count());
    const bool refused = burst > limit + 1e-9;
    if (refused && found->ours) ++counts_.refused;  // else someone else was quicker
    if (is_limit && !refused) found->ours = true;
    if (!found->ours) return;
    if (limit + burst > kBounds.hard + 1e-9) ++counts_.above;
    if (limit < kBounds.floor - 1e-9) ++counts_.below;
  }

  void add_up(Cgroup& each) {
    const double limit = limit_of(each);
    each.outside = limit < kBounds.floor - 1e-9 || limit > kBounds.hard + 1e-9 ? each.outside + 1 : 0;
    if (each.outside == kMostOutside) ++(limit > kBounds.hard ? counts_.above : counts_.below);
    if (!each.ours) return;
    const double wanted = std::min(each.wanted, kBounds.hard);
    counts_.wanted += wanted;
    counts_.slack += std::max(0.0, limit - wanted);
    counts_.lack += std::max(0.0, wanted - limit);
  }

  double faults_;
  const policy::Policy* policy_;  ///< null: all of them
  std::mt19937_64 random_;        // always the same
  TempDir folder_;
  FakeCgroupfs fs_;
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
  HostPaths paths_;
  ManualClock clock_;
  std::vector<Cgroup> cgroups_;
  std::optional<sample::Frames> frames_;
  std::optional<WaitSet> waiting_;
  std::optional<control::Runner> runner_;
  Counts counts_;
  bool someone_ = false, stopping_ = false;
};

}  // namespace weir::testing
