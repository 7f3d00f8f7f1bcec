// SPDX-License-Identifier: MIT
#include "weir/events/rungs.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "weir/base/text.h"
#include "weir/events/probe_cgroup.h"

namespace weir::events {
namespace {

using cgroup::PsiShare;
using cgroup::PsiWindow;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// A fifth of the time, as the thresholds of the frames. The second is what everybody may have.
constexpr std::array<PsiWindow, 2> kWindows = {{
    {.stalled = microseconds(200'000), .window = microseconds(1'000'000)},
    {.stalled = microseconds(400'000), .window = microseconds(2'000'000)},
}};
/// A tenth of a CPU: two that spin wait nine tenths of the time, and are throttled for as long.
constexpr std::string_view kProbeCpu = "10000 100000";

/// Waits for `what` (POLLIN, POLLPRI) on the file; how long that took.
std::optional<nanoseconds> wait(int file, short what, nanoseconds limit, const Clock& clock,
                                nanoseconds since) {
  for (;;) {
    const nanoseconds left = since + limit - clock.monotonic();
    if (left <= nanoseconds(0)) return std::nullopt;
    struct pollfd wanted{.fd = file, .events = what, .revents = 0};
    const auto timeout = std::chrono::duration_cast<milliseconds>(left) + milliseconds(1);
    if (::poll(&wanted, 1, static_cast<int>(timeout.count())) > 0 && (wanted.revents & what) != 0)
      return clock.monotonic() - since;
  }
}

class Probe {
 public:
  Probe(ProbeCgroup place, const Clock& clock, Rungs& rungs)
      : place_(std::move(place)), clock_(clock), rungs_(rungs) {}

  /// Two that spin: a trigger and the throttle hook tell of them.
  void probe_waits(Wanted wanted) {
    const bool limited = place_.dir().write("cpu.max", kProbeCpu).has_value();
    std::optional<cgroup::PsiTrigger> trigger;
    PsiWindow window;
    for (std::size_t n = 0; wanted.poll && !trigger && n < kWindows.size(); ++n) {
      auto opened = cgroup::PsiTrigger::open(place_.dir(), "cpu.pressure", PsiShare::some, kWindows.at(n));
      if (!opened) continue;
      trigger.emplace(std::move(*opened));
      window = kWindows.at(n);
    }
    if (rungs_.onset) (void)rungs_.onset->watch(place_.dir().id());
    for (int n = 0; n < 2; ++n)
      if (!place_.start(ProbeCgroup::Work::spin)) return;
    const nanoseconds since = clock_.monotonic();
    place_.release();
    if (rungs_.onset) probe_throttling(limited);
    if (trigger) {
      // What is not told by then is not to be trusted: the two have waited for much longer than asked.
      const auto after = wait(trigger->fd(), POLLPRI, 2 * window.window + seconds(1), clock_, since);
      if (after) {
        rungs_.window = window;
        say("waits",
            fmt::format("PSI triggers ({} in {})", format_duration(window.stalled),
                        format_duration(window.window)),
            after);
      }
    }
    place_.end_processes();
    if (rungs_.onset) rungs_.onset->ignore(place_.dir().id());
  }

  /// One that takes more than memory.high.
  void probe_memory() {
    const auto file = place_.dir().keep("memory.events", cgroup::Access::read);
    if (!file || !place_.dir().write("memory.high", "4096") || !(*file)->read() ||
        !place_.start(ProbeCgroup::Work::touch))
      return;
    const nanoseconds since = clock_.monotonic();
    place_.release();
    const auto after = wait((*file)->fd(), POLLPRI, seconds(3), clock_, since);
    rungs_.notices = after.has_value();
    if (after) say("memory limits", "memory.events", after);
    place_.end_processes();
  }

 private:
  void probe_throttling(bool limited) {
    if (!rungs_.onset->kill_hook().empty())
      say("victims of kills", fmt::format("BPF ({})", rungs_.onset->kill_hook()), std::nullopt);
    if (rungs_.onset->throttle_hook().empty()) return;
    std::optional<nanoseconds> after;
    if (limited && wait(rungs_.onset->fd(), POLLIN, seconds(3), clock_, clock_.monotonic())) {
      std::vector<onset_event> onsets;
      rungs_.onset->drain(onsets);
      const nanoseconds now = clock_.monotonic();
      for (const onset_event& onset : onsets)
        if (onset.kind == ONSET_THROTTLED && CgroupId(onset.cgroup) == place_.dir().id() && !after)
          after = now - nanoseconds(static_cast<std::int64_t>(onset.time_ns));
    }
    // Without a CPU controller at the top it cannot be tried, and says nothing wrong either.
    if (after || !limited) say("throttling", fmt::format("BPF ({})", rungs_.onset->throttle_hook()), after);
  }
  void say(std::string what, std::string by, std::optional<nanoseconds> after) {
    rungs_.rungs.push_back({.what = std::move(what), .by = std::move(by), .told_after = after});
  }

  ProbeCgroup place_;
  const Clock& clock_;
  Rungs& rungs_;
};

}  // namespace

Rungs find_rungs(cgroup::Dir& root, const Clock& clock, Wanted wanted) {
  Rungs rungs;
  if (!wanted.bpf && !wanted.poll) return rungs;
  auto place = ProbeCgroup::make(root);
  if (!place) {  // whoever may not make a cgroup may not ask for the rest either
    rungs.why_none = place.error().message();
    return rungs;
  }
  if (wanted.bpf)
    if (auto onset = bpf::Onset::open()) rungs.onset.emplace(std::move(*onset));
  Probe probe(std::move(*place), clock, rungs);
  probe.probe_waits(wanted);
  if (wanted.poll) probe.probe_memory();
  return rungs;
}

}  // namespace weir::events
