// SPDX-License-Identifier: MIT
#include "weir/sample/sampler.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "weir/base/text.h"
#include "weir/sample/parse.h"

namespace weir::sample {
namespace {

/// memory.stat and /proc/vmstat are the largest, with some 4 and 6 KiB; of /proc/stat the first line is read.
constexpr std::size_t kBuffer = 16384;
/// A second, less what a timer may be late or early.
constexpr std::chrono::milliseconds kPressurePause{950};

Sources pressures() {
  Sources sources;
  for (const Source source : {Source::cpu_pressure, Source::memory_pressure, Source::io_pressure})
    sources.set(index(source));
  return sources;
}

std::string_view controller_of(Source source) {
  switch (source) {
    case Source::cpu_stat_local:
    case Source::cpu_max:
      return "cpu";
    case Source::memory_current:
    case Source::memory_events:
    case Source::memory_stat:
    case Source::memory_peak:
    case Source::memory_high:
    case Source::memory_max:
      return "memory";
    case Source::io_stat:
      return "io";
    case Source::pids_current:
      return "pids";
    default:
      return "";
  }
}

}  // namespace

Sources fast_sources() {
  Sources sources;
  for (const Source source : {Source::cpu_stat, Source::cpu_stat_local, Source::memory_current})
    sources.set(index(source));
  return sources;
}

Sources all_sources() { return Sources().set(); }

Sampler::Sampler(const cgroup::Dir& root, const Clock& clock)
    : root_(root), clock_(clock), buffer_(kBuffer) {}

Sampler Sampler::without_host(const cgroup::Dir& root, const Clock& clock) { return {root, clock}; }

Result<Sampler> Sampler::open(const cgroup::Dir& root, const std::string& proc, const Clock& clock) {
  Sampler sampler(root, clock);
  if (const long ticks = ::sysconf(_SC_CLK_TCK); ticks > 0)
    sampler.ticks_ = static_cast<std::uint64_t>(ticks);
  for (std::size_t n = 0; n < kSources; ++n) {
    const std::string_view file = host_file_of(static_cast<Source>(n));
    if (file.empty()) continue;
    const std::string path = proc + "/" + std::string(file);
    sampler.host_[n] = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
    if (!sampler.host_[n].valid() && static_cast<Source>(n) == Source::cpu_stat)
      return std::unexpected(errno_error(errno, path, "open"));
  }
  if (auto io = root.keep(file_of(Source::io_stat), cgroup::Access::read)) sampler.host_io_ = std::move(*io);
  return sampler;
}

Result<CgroupId> Sampler::add(const Container& container) {
  std::unique_ptr<cgroup::Dir> dir;
  WEIR_TRY(dir, cgroup::open_path(root_, container.cgroup));
  const CgroupId id = dir->id();
  if (const auto known = std::ranges::find(frame_.subjects, id, &Subject::cgroup_id);
      known != frame_.subjects.end()) {
    if (known->container != container) ++frame_.generation;
    known->container = container;
    return id;
  }
  const auto controllers = dir->read("cgroup.controllers");
  const std::vector<std::string_view> on =
      controllers ? words(*controllers) : std::vector<std::string_view>();
  Member member{.dir = std::move(dir), .files = {}, .above = above_.of(root_, container.cgroup)};
  Sample sample;
  for (std::size_t n = 0; n < kSources; ++n) {
    const auto source = static_cast<Source>(n);
    const std::string_view controller = controller_of(source);
    const bool off = !controller.empty() && std::ranges::find(on, controller) == on.end();
    auto file = member.dir->keep(file_of(source), cgroup::Access::read);
    if (!file && file.error().kind != ErrorKind::absent && file.error().err != EOPNOTSUPP)
      return std::unexpected(std::move(file).error());
    for (const MetricInfo& metric : metrics_of(source))
      sample.known[index(metric.metric)] = file || off ? Known::not_counted : Known::unsupported;
    if (file) member.files[n] = std::move(*file);
  }
  members_.push_back(std::move(member));
  frame_.subjects.push_back({.container = container, .cgroup_id = id});
  frame_.samples.push_back(sample);
  ++frame_.generation;
  return id;
}

void Sampler::erase(std::size_t at) {
  const auto place = static_cast<std::ptrdiff_t>(at);
  members_.erase(members_.begin() + place);
  frame_.subjects.erase(frame_.subjects.begin() + place);
  frame_.samples.erase(frame_.samples.begin() + place);
  ++frame_.generation;
}

void Sampler::remove(CgroupId cgroup) {
  const auto found = std::ranges::find(frame_.subjects, cgroup, &Subject::cgroup_id);
  if (found != frame_.subjects.end()) erase(static_cast<std::size_t>(found - frame_.subjects.begin()));
}

bool Sampler::read(Member& member, Sources wanted, Sample& sample) {
  for (std::size_t n = 0; n < kSources; ++n) {
    if (!wanted[n] || member.files[n] == nullptr) continue;
    const auto source = static_cast<Source>(n);
    auto text = member.files[n]->read_into(buffer_);
    sample.read_at[n] = clock_.monotonic().count();
    if (text && parse(source, *text, sample)) continue;
    if (!text && text.error().kind == ErrorKind::gone) return false;
    if (!text) parse(source, "?", sample);
    ++unreadable_;
  }
  member.above.lower(wanted, sample);
  return true;
}

void Sampler::read_host(Sources wanted) {
  for (std::size_t n = 0; n < kSources; ++n) {
    if (!wanted[n] || !host_[n].valid()) continue;
    const ssize_t size = ::pread(host_[n].get(), buffer_.data(), buffer_.size(), 0);
    frame_.host.read_at[n] = clock_.monotonic().count();
    const std::string_view text(buffer_.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
    if (!parse_host(static_cast<Source>(n), text, ticks_, frame_.host)) ++unreadable_;
  }
  if (wanted[index(Source::io_stat)] && host_io_) {
    const auto text = host_io_->read_into(buffer_);
    frame_.host.read_at[index(Source::io_stat)] = clock_.monotonic().count();
    if (!parse(Source::io_stat, text ? *text : "?", frame_.host)) ++unreadable_;
  }
  if (!wanted[index(Source::cpu_max)]) return;
  if (const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN); cpus > 0)
    frame_.host.set(Metric::cpu_limit, static_cast<std::uint64_t>(cpus) * 1'000'000);
  frame_.host.read_at[index(Source::cpu_max)] = clock_.monotonic().count();
}

const Frame& Sampler::read(Sources wanted) {
  frame_.at = clock_.monotonic();
  frame_.time = clock_.realtime();
  ++frame_.number;
  ended_.clear();
  unreadable_ = 0;
  if ((wanted & pressures()).any()) {
    if (pressure_at_.count() != 0 && frame_.at - pressure_at_ < kPressurePause)
      wanted &= ~pressures();
    else
      pressure_at_ = frame_.at;
  }
  // The fast ones are of containers: /proc/stat alone costs as much as the cpu.stat of forty.
  const bool reads_host = host_[index(Source::cpu_stat)].valid();
  if (reads_host && (wanted & ~fast_sources()).any()) read_host(wanted);
  above_.read(wanted, buffer_);
  for (std::size_t n = 0; n < members_.size();) {
    if (read(members_[n], wanted, frame_.samples[n])) {
      ++n;
      continue;
    }
    ended_.push_back(std::move(frame_.subjects[n]));
    erase(n);
  }
  return frame_;
}

}  // namespace weir::sample
