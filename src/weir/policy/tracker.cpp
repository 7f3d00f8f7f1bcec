// SPDX-License-Identifier: MIT
#include "weir/policy/tracker.h"

#include <algorithm>
#include <cmath>

namespace weir::policy {
namespace {

using std::chrono::nanoseconds;

/// Of a limit on IO nothing tells that it was hit: who waits for IO and uses that much of it was held by it.
constexpr double kFull = 0.9;

double seconds(nanoseconds span) { return std::chrono::duration<double>(span).count(); }

/// Of a counter in microseconds: its share of the time, at most all of it.
std::optional<double> share(const Sample& before, const Sample& now, Metric metric) {
  const auto per_second = rate(before, now, metric);
  return per_second ? std::optional(std::min(*per_second / 1e6, 1.0)) : std::nullopt;
}

struct Metrics {
  Metric use;
  bool is_rate;
  double unit;  ///< of the metric in one of the resource
  Metric some;
  Source look;  ///< the file by which it is looked at: the slowest of those that say what held it back
};
constexpr std::array<Metrics, kResources> kOf = {{
    {Metric::cpu_usage, true, 1e6, Metric::cpu_some, Source::cpu_stat},
    {Metric::memory_current, false, 1, Metric::memory_some, Source::memory_events},
    {Metric::io_rbytes, true, 1, Metric::io_some, Source::io_stat},
    {Metric::io_wbytes, true, 1, Metric::io_some, Source::io_stat},
}};

}  // namespace

void Tracker::limit_is(double limit, nanoseconds at) {
  if (at.count() != 0 && limit > limit_) raised_at_ = at;
  if (at.count() != 0 && limit != limit_) changed_at_ = at;
  limit_ = limit;
}

std::optional<double> Tracker::use_of(const Sample& now) const {
  const Metrics& of = kOf[index(resource_)];
  if (of.is_rate) {
    const auto per_second = rate(*before_, now, of.use);
    return per_second ? std::optional(*per_second / of.unit) : std::nullopt;
  }
  const auto value = now.get(of.use);
  return value ? std::optional(static_cast<double>(*value) / of.unit) : std::nullopt;
}

void Tracker::see_held(const Sample& now) {
  switch (resource_) {
    case Resource::cpu:
      if (const auto own = share(*before_, now, Metric::cpu_throttled)) held_ = *own;
      // What a limit above held is in the local count alone (Linux 6.6).
      if (const auto all = share(*before_, now, Metric::cpu_throttled_local))
        held_above_ = std::max(0.0, *all - held_);
      hit_ = false;
      break;
    case Resource::memory:
      if (const auto high = rate(*before_, now, Metric::memory_high)) hit_ = *high > 0;
      held_ = hit_ ? pressure_ : 0;
      break;
    case Resource::io_read:
    case Resource::io_write:
      hit_ = limit_ > 0 && use_ >= kFull * limit_;
      held_ = hit_ ? pressure_ : 0;
      break;
  }
}

/// Over the time between two readings of the pressure.
void Tracker::see_waiting(const Sample& now, const Around& around) {
  const auto some = share(*waited_before_, now, kOf[index(resource_)].some);
  if (!some) return;
  pressure_ = *some;
  // Tasks that a limit holds count as waiting, too.
  double limits = hit_ ? pressure_ : 0;
  if (resource_ == Resource::cpu) {
    const double own = share(*waited_before_, now, Metric::cpu_throttled).value_or(0);
    limits = std::max(own, share(*waited_before_, now, Metric::cpu_throttled_local).value_or(0));
  }
  contention_ = around.lost ? std::min(around.lost->waited, pressure_) : std::max(0.0, pressure_ - limits);
  if (around.lost && !now.get(Metric::cpu_throttled_local)) held_above_ = around.lost->held_above;
  take_newer(*waited_before_, now);
}

void Tracker::remember(double use, double span) {
  peak_ = std::max(use, peak_ * std::exp2(-span / kPeakHalfLife));
  const double fade = std::exp2(-span / kUseHalfLife);
  for (double& weight : weights_) weight *= fade;
  const double step = std::max(use, 0.0) / bounds_.hard * static_cast<double>(kSteps);
  weights_[std::min(static_cast<std::size_t>(std::min(step, 1e6)), kSteps - 1)] += span;
}

/// The upper end of the step in which it is.
double Tracker::percentile(double wanted) const {
  double all = 0;
  for (const double weight : weights_) all += weight;
  double sum = 0;
  for (std::size_t n = 0; n < kSteps; ++n) {
    sum += weights_[n];
    if (all > 0 && sum >= wanted * all)
      return bounds_.hard * static_cast<double>(n + 1) / static_cast<double>(kSteps);
  }
  return 0;
}

bool Tracker::see(const Sample& sample, const Around& around) {
  const nanoseconds at(sample.read_at[weir::index(kOf[index(resource_)].look)]);
  if (!before_) {
    before_ = waited_before_ = sample;
    seen_at_ = at;
    return false;
  }
  const double span = seconds(at - seen_at_);
  if (span < kWorthLooking) return false;
  const auto use = use_of(sample);
  if (use) {
    use_ = *use;
    remember(*use, span);
  }
  limit_above_ = around.limit_above;
  host_busy_ = around.host_busy;
  see_held(sample);
  see_waiting(sample, around);
  if (resource_ != Resource::cpu && hit_) held_ = pressure_;
  const bool held = hit_ || held_ > kNoticed;
  if (held || held_at_.count() == 0) held_at_ = at;
  if (!held)
    held_since_.reset();
  else if (!held_since_)
    held_since_ = seen_at_;
  take_newer(*before_, sample);
  seen_at_ = at;
  return use.has_value();
}

View Tracker::view(nanoseconds at, bool woken) const {
  const auto since = [&](nanoseconds then) { return then.count() == 0 ? 3600.0 : seconds(at - then); };
  return {.resource = resource_,
          .limit = limit_,
          .hard = bounds_.hard,
          .floor = bounds_.floor,
          .step = bounds_.step,
          .cooldown = bounds_.cooldown,
          .use = use_,
          .peak = peak_,
          .p50 = percentile(0.50),
          .p90 = percentile(0.90),
          .p95 = percentile(0.95),
          .p99 = percentile(0.99),
          .held = held_,
          .held_above = held_above_,
          .limit_above = limit_above_,
          .pressure = pressure_,
          .contention = contention_,
          .host_busy = host_busy_,
          .since_raise = since(raised_at_),
          .since_change = since(changed_at_),
          .held_for = held_since_ ? seconds(at - *held_since_) : 0,
          .calm = woken ? 0 : since(held_at_),
          .woken = woken || hit_ ? 1.0 : 0.0};
}

}  // namespace weir::policy
