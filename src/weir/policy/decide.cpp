// SPDX-License-Identifier: MIT
#include "weir/policy/decide.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace weir::policy {
namespace {

/// Of a step, so that 0.5 - 0.4 is one of 0.1.
constexpr double kAlmost = 0.999;
/// A limit goes down only that long after it went up, in cooldowns: what comes again soon need not be asked
/// for again.
constexpr double kStaysUp = 2;

constexpr std::array<std::string_view, 5> kVerdicts = {"keep", "raise", "lower", "at_hard", "refused"};
constexpr std::array<std::string_view, 6> kCauses = {"none",       "own_limit", "limit_above",
                                                     "contention", "bounds",    "budget"};

}  // namespace

std::string_view to_string(Verdict verdict) { return kVerdicts[static_cast<std::size_t>(verdict)]; }
std::string_view to_string(Cause cause) { return kCauses[static_cast<std::size_t>(cause)]; }

Cause cause_of(const View& view) {
  // A limit above that is not wider than this one, or that did hold it back more: a raise here moves nothing.
  const bool above = view.limit_above > 0 && view.limit_above <= view.limit;
  const bool hit = view.woken > 0 || view.held > kNoticed;
  if (view.held_above > std::max(view.held, kNoticed) || (above && (hit || view.held_above > kNoticed)))
    return Cause::limit_above;
  if (hit && (view.woken > 0 || view.held >= view.contention)) return Cause::own_limit;
  if (view.contention > kNoticed) return Cause::contention;
  return hit ? Cause::own_limit : Cause::none;
}

namespace {

bool may_raise(const View& view) { return view.since_raise >= view.cooldown; }
bool may_lower(const View& view) {
  return view.since_change >= view.cooldown && view.since_raise >= kStaysUp * view.cooldown;
}

/// Where the limit should be, whatever eases it.
Decision decide_limit(const View& view, const Policy& policy, std::span<const double> parameters,
                      const learn::Model* model) {
  Decision decision{.verdict = Verdict::keep, .cause = cause_of(view), .limit = view.limit};
  const double proposed = policy.propose(view, parameters, model);
  if (!std::isfinite(proposed)) return decision;
  double wanted = std::clamp(proposed, view.floor, view.hard);
  if (view.limit_above > 0) wanted = std::min(wanted, std::max(view.limit, view.limit_above));
  // What is out of its bounds is brought back, whatever anything says.
  if (view.limit > view.hard || view.limit < view.floor) {
    decision.limit = std::clamp(view.limit, view.floor, view.hard);
    decision.cause = Cause::bounds;
    decision.verdict = view.limit > view.hard ? Verdict::lower : Verdict::raise;
    return decision;
  }
  if (proposed > view.limit) {
    if (decision.cause == Cause::none) return decision;
    if (decision.cause != Cause::own_limit) {
      decision.verdict = Verdict::refused;
      return decision;
    }
    if (view.limit >= view.hard) {
      decision.verdict = Verdict::at_hard;
      return decision;
    }
    if (!may_raise(view)) return decision;
    const double more = std::min(wanted - view.limit, view.available);
    // The last of what is left below the hard limit may be less than a step.
    if (more < kAlmost * std::min(view.step, view.hard - view.limit)) {
      decision.verdict = Verdict::refused;
      decision.cause = Cause::budget;
      return decision;
    }
    decision.verdict = Verdict::raise;
    decision.limit = view.limit + more;
    return decision;
  }
  if (view.limit - wanted < kAlmost * view.step && wanted > view.floor) return decision;
  if (wanted >= view.limit || !may_lower(view)) return decision;
  decision.verdict = Verdict::lower;
  decision.limit = wanted;
  return decision;
}

bool in_bounds(const View& view) { return view.limit >= view.floor && view.limit <= view.hard; }

/// What is given before a raise: bursts where the limit itself holds it back, weight where others do.
bool eases_more(const View& view, const Ease& ease, Decision& decision) {
  if (!in_bounds(view) || !may_raise(view)) return false;
  if (decision.cause == Cause::own_limit && kAlmost * ease.burst > view.burst) decision.burst = ease.burst;
  if (decision.cause == Cause::contention && ease.weight > view.weight) decision.weight = ease.weight;
  if (decision.burst == view.burst && decision.weight == view.weight) return false;
  decision.verdict = Verdict::raise;
  return true;
}

/// What is taken when the limit itself stays.
void ease_less(const View& view, const Ease& ease, Decision& decision) {
  if (decision.verdict != Verdict::keep || !may_lower(view)) return;
  if (ease.weight < view.weight) decision.weight = ease.weight;
  if (ease.burst < decision.burst) decision.burst = ease.burst;
  if (decision.burst != view.burst || decision.weight != view.weight) decision.verdict = Verdict::lower;
}

}  // namespace

Decision with_limit(const View& view, Verdict verdict, Cause cause, double limit) {
  return {.verdict = verdict,
          .cause = cause,
          .limit = limit,
          .burst = std::min({view.burst, limit, std::max(0.0, view.hard - limit)}),
          .weight = view.weight};
}

Decision decide(const View& view, const Policy& policy, std::span<const double> parameters,
                const learn::Model* model) {
  const Ease ease = policy.ease == nullptr ? Ease{.burst = view.burst, .weight = view.weight}
                                           : policy.ease(view, parameters);
  Decision decision{.verdict = Verdict::keep,
                    .cause = cause_of(view),
                    .limit = view.limit,
                    .burst = view.burst,
                    .weight = view.weight};
  if (eases_more(view, ease, decision)) return decision;
  decision = decide_limit(view, policy, parameters, model);
  decision = with_limit(view, decision.verdict, decision.cause, decision.limit);
  ease_less(view, ease, decision);
  return decision;
}

}  // namespace weir::policy
