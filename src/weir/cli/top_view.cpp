// SPDX-License-Identifier: MIT
#include "weir/cli/top_view.h"

#include <algorithm>
#include <array>

#include "weir/container/match.h"

namespace weir::cli {
namespace {

using std::chrono::nanoseconds;

constexpr std::array<std::string_view, kTopSorts> kSorts = {"name", "cpu",      "throttled", "memory",
                                                            "io",   "pressure", "pids",      "kills"};
/// Less is noise: then an ancestor's throttling is not worth a word.
constexpr double kNoticeable = 0.01;
/// Two pictures are never nearer, whatever the sampler's pace.
constexpr std::chrono::milliseconds kShortest{500};

/// Of microseconds: CPUs, or the share of the time.
std::optional<double> of_time(const Sample& before, const Sample& now, Metric metric) {
  const auto usec = rate(before, now, metric);
  return usec ? std::optional(*usec / 1e6) : std::nullopt;
}

std::optional<double> share_of_time(const Sample& before, const Sample& now, Metric metric) {
  const auto share = of_time(before, now, metric);
  return share ? std::optional(std::min(*share, 1.0)) : std::nullopt;
}

TopUse make_use(const Sample* before, const Sample& now) {
  TopUse use{.now = now};
  if (before == nullptr) return use;
  use.cpu = of_time(*before, now, Metric::cpu_usage);
  use.cpu_user = of_time(*before, now, Metric::cpu_user);
  use.cpu_system = of_time(*before, now, Metric::cpu_system);
  use.steal = of_time(*before, now, Metric::cpu_steal);
  use.io_read = rate(*before, now, Metric::io_rbytes);
  use.io_written = rate(*before, now, Metric::io_wbytes);
  use.io_reads = rate(*before, now, Metric::io_rios);
  use.io_writes = rate(*before, now, Metric::io_wios);
  use.some = {.cpu = share_of_time(*before, now, Metric::cpu_some),
              .memory = share_of_time(*before, now, Metric::memory_some),
              .io = share_of_time(*before, now, Metric::io_some)};
  use.full = {.cpu = share_of_time(*before, now, Metric::cpu_full),
              .memory = share_of_time(*before, now, Metric::memory_full),
              .io = share_of_time(*before, now, Metric::io_full)};
  return use;
}

void carry_over(const TopUse& before, TopUse& now) {
  const auto keep = [&](Source source, std::optional<double> TopPressure::* which) {
    if (now.now.read_at[index(source)] != before.now.read_at[index(source)]) return;
    if (!(now.some.*which)) now.some.*which = before.some.*which;
    if (!(now.full.*which)) now.full.*which = before.full.*which;
  };
  keep(Source::cpu_pressure, &TopPressure::cpu);
  keep(Source::memory_pressure, &TopPressure::memory);
  keep(Source::io_pressure, &TopPressure::io);
}

void add_throttling(TopRow& row, const Sample& before, const Sample& now) {
  const auto periods = rate(before, now, Metric::cpu_periods),
             held = rate(before, now, Metric::cpu_throttled_periods);
  if (periods && held) row.throttled = *periods > 0 ? std::min(*held / *periods, 1.0) : 0.0;
  if (row.throttled.value_or(0) >= kNoticeable) return;
  // Counted over all run queues: with several of them it can pass 1.
  const auto above = share_of_time(before, now, Metric::cpu_throttled_local);
  if (!above || *above < kNoticeable) return;
  row.throttled = above;
  row.throttled_above = true;
}

/// What a row is sorted by; nullopt goes last. Names are compared apart.
std::optional<double> key(const TopRow& row, TopSort sort) {
  const auto gauge = [&](Metric metric) -> std::optional<double> {
    const auto value = row.use.now.get(metric);
    return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
  };
  switch (sort) {
    case TopSort::name:
      return std::nullopt;
    case TopSort::cpu:
      return row.use.cpu;
    case TopSort::throttled:
      return row.throttled;
    case TopSort::memory:
      return gauge(Metric::memory_current);
    case TopSort::io:
      return row.io;
    case TopSort::pressure: {
      const auto wait = worst(row.use.some);
      return wait ? std::optional(wait->share) : std::nullopt;
    }
    case TopSort::pids:
      return gauge(Metric::pids_current);
    case TopSort::kills:
      return gauge(Metric::memory_oom_kill);
  }
  return std::nullopt;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool has(std::string_view text, std::string_view piece) {
  return !std::ranges::search(text, piece, {}, lower, lower).empty();
}

bool has_text(const Container& container, std::string_view text) {
  if (has(container.name, text) || has(container.image, text) || has(to_string(container.runtime), text) ||
      (!container.id.empty() && container.id.starts_with(text)))
    return true;
  return std::ranges::any_of(container.labels,
                             [&](const auto& label) { return has(label.first + "=" + label.second, text); });
}

}  // namespace

std::optional<TopWait> worst(const TopPressure& pressure) {
  std::optional<TopWait> most;
  for (const auto& [name, share] : {std::pair<std::string_view, std::optional<double>>("cpu", pressure.cpu),
                                    {"memory", pressure.memory},
                                    {"io", pressure.io}})
    if (share && (!most || *share > most->share)) most = TopWait{.resource = name, .share = *share};
  return most;
}

bool is_next(const Frame& before, const Frame& now) {
  // The host's vmstat is read with everything, and never with the fast files alone.
  constexpr std::size_t kSlow = index(Source::memory_events);
  return now.at - before.at >= kShortest && now.host.read_at[kSlow] > before.host.read_at[kSlow];
}

TopView make_view(const Frame& before, const Frame& now) {
  TopView view{
      .time = now.time, .span = now.at - before.at, .host = make_use(&before.host, now.host), .rows = {}};
  view.rows.reserve(now.subjects.size());
  std::map<CgroupId, const Sample*> earlier;
  for (std::size_t n = 0; n < before.subjects.size(); ++n)
    earlier.emplace(before.subjects[n].cgroup_id, &before.samples[n]);
  for (std::size_t n = 0; n < now.subjects.size(); ++n) {
    const auto found = earlier.find(now.subjects[n].cgroup_id);
    const Sample* from = found == earlier.end() ? nullptr : found->second;
    TopRow row{.subject = now.subjects[n], .use = make_use(from, now.samples[n])};
    if (from != nullptr) add_throttling(row, *from, now.samples[n]);
    if (row.use.io_read && row.use.io_written) row.io = *row.use.io_read + *row.use.io_written;
    view.rows.push_back(std::move(row));
  }
  return view;
}

void carry_over(const TopView& before, TopView& now) {
  carry_over(before.host, now.host);
  std::map<CgroupId, const TopRow*> earlier;
  for (const TopRow& row : before.rows) earlier.emplace(row.subject.cgroup_id, &row);
  for (TopRow& row : now.rows)
    if (const auto found = earlier.find(row.subject.cgroup_id); found != earlier.end())
      carry_over(found->second->use, row.use);
}

std::optional<Limit<double>> cpu_limit(const Sample& sample) {
  const auto usec = sample.get(Metric::cpu_limit);
  if (!usec) return std::nullopt;
  return *usec == kNoLimit ? Limit<double>::unlimited() : Limit(static_cast<double>(*usec) / 1e6);
}

std::optional<Limit<Bytes>> memory_limit(const Sample& sample) {
  const auto high = sample.get(Metric::memory_high_limit), max = sample.get(Metric::memory_max_limit);
  if (!high && !max) return std::nullopt;
  const std::uint64_t lower = std::min(high.value_or(kNoLimit), max.value_or(kNoLimit));
  return lower == kNoLimit ? Limit<Bytes>::unlimited() : Limit(Bytes(lower));
}

std::string_view to_string(TopSort sort) { return kSorts[static_cast<std::size_t>(sort)]; }

std::optional<TopSort> parse_top_sort(std::string_view text) {
  const auto found = std::ranges::find(kSorts, text);
  if (found == kSorts.end()) return std::nullopt;
  return static_cast<TopSort>(found - kSorts.begin());
}

void sort_rows(std::vector<TopRow>& rows, TopSort sort, TopOrder order) {
  const bool turned = order == TopOrder::reversed;
  std::ranges::stable_sort(rows, [&](const TopRow& a, const TopRow& b) {
    const auto x = key(a, sort), y = key(b, sort);
    if (x.has_value() != y.has_value()) return x.has_value();
    if (x && y && *x != *y) return (*x > *y) != turned;
    const std::string& one = a.subject.container.name;
    const std::string& other = b.subject.container.name;
    if (one != other) return (one < other) != (turned && sort == TopSort::name);
    return a.subject.cgroup_id < b.subject.cgroup_id;
  });
}

bool passes(const TopFilter& filter, const Container& container) {
  const bool named = std::ranges::any_of(filter.targets, [&](const container::Target& target) {
    return container::matches(target, container) || container::has_id_prefix(target, container);
  });
  if (!filter.targets.empty() && !named) return false;
  if (!named && !filter.services && container.runtime == Runtime::systemd) return false;
  return filter.text.empty() || has_text(container, filter.text);
}

void TopHistory::see(const TopView& view) {
  const auto append = [](TopTrack& track, const TopPoint& point) {
    track.push_back(point);
    if (track.size() > kPoints) track.pop_front();
  };
  ++views_;
  append(host_, {.some = view.host.some, .cpu = view.host.cpu, .throttled = std::nullopt});
  for (const TopRow& row : view.rows) {
    Track& track = tracks_[row.subject.cgroup_id];
    track.seen = views_;
    append(track.points, {.some = row.use.some, .cpu = row.use.cpu, .throttled = row.throttled});
  }
  std::erase_if(tracks_, [&](const auto& each) { return each.second.seen != views_; });
}

const TopTrack* TopHistory::of(CgroupId cgroup) const {
  const auto found = tracks_.find(cgroup);
  return found == tracks_.end() ? nullptr : &found->second.points;
}

}  // namespace weir::cli
