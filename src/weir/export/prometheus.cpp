// SPDX-License-Identifier: MIT
#include "weir/export/prometheus.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <span>

#include "weir/base/escape.h"
#include "weir/base/version.h"

namespace weir::exports {
namespace {

constexpr std::size_t kShortId = 12;  // as `docker ps` shows it
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Not more than `most` bytes of valid UTF-8, and no half of a character.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return text.substr(0, most);
}

std::string_view runtime_of(const Container& container) {
  return container.runtime == Runtime::none ? "none" : to_string(container.runtime);
}

bool is_limit(Metric metric) {
  return metric == Metric::cpu_limit || metric == Metric::memory_high_limit ||
         metric == Metric::memory_max_limit;
}

/// In base units: seconds (or CPUs: seconds in a second), bytes.
std::string value_text(const MetricInfo& metric, std::uint64_t value) {
  if (value == kNoLimit && is_limit(metric.metric)) return "+Inf";
  constexpr std::uint64_t kMicro = 1'000'000;
  if (metric.unit != MetricUnit::usec) return fmt::format_int(value).str();
  std::string text = fmt::format_int(value / kMicro).str();
  text += '.';
  const fmt::format_int rest(value % kMicro + kMicro);  // with the zeros in front
  return text.append(rest.data() + 1, rest.size() - 1);
}

/// Writes families: HELP and TYPE in front of the first sample, and nothing of one that has none.
class Writer {
 public:
  Writer(std::string& out, Dialect dialect) : out_(out), dialect_(dialect) {}

  void begin(Family family) {
    family_ = std::move(family);
    begun_ = false;
  }
  void sample(std::string_view labels, std::string_view more, std::string_view value) {
    if (!begun_) head();
    begun_ = true;
    out_ += family_.name;
    if (!labels.empty() || !more.empty()) {
      out_ += '{';
      out_ += labels;
      if (!labels.empty() && !more.empty()) out_ += ',';
      out_ += more;
      out_ += '}';
    }
    out_ += ' ';
    out_ += value;
    out_ += '\n';
  }

 private:
  void head() {
    const bool counter = family_.kind == MetricKind::counter;
    std::string_view name = family_.name;
    if (counter && dialect_ == Dialect::openmetrics) name.remove_suffix(std::string_view("_total").size());
    fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", name, family_.help, name,
                   counter ? "counter" : "gauge");
  }

  std::string& out_;
  Dialect dialect_;
  Family family_;
  bool begun_ = false;
};

/// The metrics of samples, a family at a time.
void write_samples(Writer& writer, Scope scope, std::span<const Sample> samples,
                   std::span<const std::string> labels) {
  const std::vector<Family> all = families(scope);
  const std::span<const SeriesName> names = series_names();
  std::size_t family = 0;
  for (std::size_t begin = 0, end = 0; begin < names.size(); begin = end) {
    while (end < names.size() && names[end].name == names[begin].name) ++end;
    if (!is_of(names[begin], scope)) continue;
    writer.begin(all[family++]);
    for (std::size_t n = 0; n < samples.size(); ++n)
      for (const SeriesName& series : names.subspan(begin, end - begin))
        if (const auto value = samples[n].get(series.metric))
          writer.sample(labels[n], series.labels, value_text(info(series.metric), *value));
  }
}

/// The labels of each, made distinct: no two series may have the same.
std::vector<std::string> labels_of(const std::vector<Subject>& subjects) {
  std::vector<std::string> all;
  std::set<std::string> taken;
  all.reserve(subjects.size());
  for (const Subject& subject : subjects) {
    std::string labels = container_labels(subject.container);
    if (!taken.insert(labels).second) labels += fmt::format(",cgroup_id=\"{}\"", subject.cgroup_id.count());
    all.push_back(std::move(labels));
  }
  return all;
}

bool happens_to_host(EventKind kind) {
  return kind == EventKind::psi_spike || kind == EventKind::io_stall || kind == EventKind::oom_kill;
}

void write_own(Writer& writer, const Frame& frame, const Watching& watching) {
  const std::vector<Family> all = own_families();
  const auto begin = [&](std::string_view name) {
    writer.begin(*std::ranges::find(all, name, &Family::name));
  };
  begin("weir_build_info");
  writer.sample(fmt::format("version=\"{}\"", kVersion), "", "1");
  if (frame.number != 0) {
    begin("weir_frame_timestamp_seconds");
    writer.sample("", "",
                  fmt::format("{}.{:06}", frame.time.count() / 1'000'000'000,
                              frame.time.count() % 1'000'000'000 / 1000));
    std::map<std::string_view, std::size_t> runtimes;
    for (const Subject& subject : frame.subjects) ++runtimes[runtime_of(subject.container)];
    begin("weir_containers");
    for (const auto& [runtime, count] : runtimes)
      writer.sample(fmt::format("runtime=\"{}\"", runtime), "", fmt::format("{}", count));
    begin("weir_sampler_frames_total");
    writer.sample("", "", fmt::format("{}", frame.number));
  }
  begin("weir_sampler_role");
  if (!watching.role.empty()) writer.sample(fmt::format("role=\"{}\"", watching.role), "", "1");
  begin("weir_sampler_unreadable_files");
  if (watching.unreadable_files) writer.sample("", "", fmt::format("{}", *watching.unreadable_files));
  begin("weir_events_total");
  for (std::size_t n = 0; n < kEventKinds; ++n)
    for (const Scope scope : {Scope::container, Scope::host}) {
      const auto kind = static_cast<EventKind>(n);
      const std::uint64_t count = watching.events.get(kind, scope);
      if (scope == Scope::host && count == 0 && !happens_to_host(kind)) continue;
      writer.sample(fmt::format("event=\"{}\"", to_string(kind)),
                    scope == Scope::host ? R"(scope="host")" : R"(scope="container")",
                    fmt::format("{}", count));
    }
  begin("weir_events_lost_total");
  for (const auto& [output, count] : watching.lost)
    writer.sample(fmt::format("output=\"{}\"", output), "", fmt::format("{}", count));
}

}  // namespace

std::string_view content_type(Dialect dialect) {
  return dialect == Dialect::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                         : "text/plain; version=0.0.4; charset=utf-8";
}

std::string label_value(std::string_view bytes) {
  const std::string valid = valid_utf8(bytes.substr(0, kLongestLabel + 4));
  std::string out;
  for (const char c : cut(valid, kLongestLabel)) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '"')
      out += "\\\"";
    else if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += kReplacement;
    else
      out += c;
  }
  return out;
}

std::string container_labels(const Container& container) {
  std::string out = fmt::format("name=\"{}\"", label_value(container.name));
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format(",{}=\"{}\"", name, label_value(value));
  };
  add("id", std::string_view(container.id).substr(0, kShortId));
  add("image", container.image);
  add("runtime", runtime_of(container));
  add("namespace", container.k8s_namespace);
  add("pod", container.k8s_pod);
  add("container", container.k8s_container);
  return out;
}

std::string prometheus_text(const Frame& frame, const Watching& watching, Dialect dialect) {
  std::string out;
  Writer writer(out, dialect);
  write_own(writer, frame, watching);
  if (frame.number != 0) {
    const std::vector<std::string> labels = labels_of(frame.subjects), none(1);
    write_samples(writer, Scope::host, std::span(&frame.host, 1), none);
    write_samples(writer, Scope::container, frame.samples, labels);
  }
  if (dialect == Dialect::openmetrics) out += "# EOF\n";
  return out;
}

}  // namespace weir::exports
