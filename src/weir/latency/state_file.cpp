// SPDX-License-Identifier: MIT
#include "weir/latency/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "weir/base/file.h"
#include "weir/base/text.h"

namespace weir::latency {
namespace {

constexpr std::string_view kMagic = "weir-latency-state 1 ";
constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr std::chrono::seconds kFlushEvery{1};

template <typename T>
std::optional<T> parse_enum(std::string_view text, std::uint64_t count) {
  const auto number = parse_u64(text);
  if (!number || *number >= count) return std::nullopt;
  return static_cast<T>(*number);
}

/// "s METHOD KNOB PART DIRECTION CALL ENTRY HANDLER EFFECT", a "-" for what was not seen.
std::optional<Sample> parse_sample(const std::vector<std::string_view>& fields) {
  if (fields.size() != 9) return std::nullopt;
  const auto method = parse_method(fields[1]);
  const auto knob = parse_raced_knob(fields[2]);
  const auto part = parse_enum<Part>(fields[3], 2);
  const auto direction = parse_enum<Direction>(fields[4], 3);
  if (!method || !knob || !part || !direction) return std::nullopt;
  Sample sample{.method = *method, .knob = *knob, .part = *part, .direction = *direction, .times = {}};
  for (std::size_t i = 0; i < sample.times.size(); ++i) {
    if (fields[5 + i] == "-") continue;
    sample.times.at(i) = parse_u64(fields[5 + i]);
    if (!sample.times.at(i)) return std::nullopt;
  }
  return sample;
}

}  // namespace

std::string fingerprint(const PlanOptions& plan, std::string_view load, std::string_view kernel) {
  std::string text = fmt::format("{}/{}/{} load {} kernel {}", plan.counts.direct, plan.counts.slow,
                                 plan.counts.effect, load, kernel);
  for (const Combination& each : plan.combinations)
    text += fmt::format(" {}:{}", info(each.method).name, raced(each.knob).file);
  return text;
}

Result<Progressed> parse_state(std::string_view text, std::string_view fingerprint) {
  const auto bad = [](std::size_t line, std::string_view why) {
    return std::unexpected(make_error(ErrorKind::invalid, fmt::format("line {}", line), why));
  };
  const std::size_t head = text.find('\n');
  if (!text.starts_with(kMagic) || head == std::string_view::npos)
    return bad(1, "is no state of weir latency");
  const std::string_view of = text.substr(kMagic.size(), head - kMagic.size());
  const std::size_t blank = of.find(' ');
  const auto seed = parse_u64(of.substr(0, blank));
  if (!seed || blank == std::string_view::npos) return bad(1, "is no state of weir latency");
  if (of.substr(blank + 1) != fingerprint)
    return bad(1, "is the state of another race: other options, methods or kernel");
  Progressed progressed{.seed = *seed};
  std::vector<Sample> open;  // of a step whose end was not seen yet
  std::size_t number = 1;
  for (std::string_view rest = text.substr(head + 1);;) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return progressed;  // cut off while it was written
    ++number;
    const auto fields = words(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (fields.size() == 2 && fields[0] == "d") {
      const auto next = parse_u64(fields[1]);
      if (!next || *next <= progressed.next) return bad(number, "ends a step that was over");
      progressed.next = *next;
      progressed.samples.insert(progressed.samples.end(), open.begin(), open.end());
      open.clear();
      continue;
    }
    auto sample = !fields.empty() && fields[0] == "s" ? parse_sample(fields) : std::nullopt;
    if (!sample || open.size() > 1) return bad(number, "makes no sense");
    open.push_back(*sample);
  }
}

std::string state_lines(std::size_t next, std::span<const Sample> samples) {
  std::string text;
  for (const Sample& sample : samples) {
    text += fmt::format("s {} {} {} {}", info(sample.method).name, raced(sample.knob).file,
                        static_cast<int>(sample.part), static_cast<int>(sample.direction));
    for (const auto& time : sample.times) text += time ? fmt::format(" {}", *time) : " -";
    text += '\n';
  }
  return text + fmt::format("d {}\n", next);
}

Result<StateFile> StateFile::open(const std::string& path, const std::string& fingerprint,
                                  std::uint64_t seed) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  struct stat status{};
  if (!fd.valid() || fstat(fd.get(), &status) != 0)
    return std::unexpected(errno_error(errno, path, "opening the state file"));
  if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022) != 0)
    return std::unexpected(make_error(ErrorKind::refused, path,
                                      "is no file of yours, or others can write it: not used as a state"));
  if (status.st_size == 0) {
    WEIR_CHECK(write_all(fd.get(), fmt::format("{}{} {}\n", kMagic, seed, fingerprint), path));
    return StateFile(path, std::move(fd), {.seed = seed});
  }
  WEIR_TRY(const std::string text, read_all(fd.get(), path, kMostBytes));
  auto progressed = parse_state(text, fingerprint);
  if (!progressed) {
    progressed.error().subject = path + ", " + progressed.error().subject;
    return std::unexpected(std::move(progressed).error());
  }
  // What follows the last finished step is written anew.
  const std::size_t kept = text.rfind("\nd ");
  const std::size_t end = text.find('\n', kept == std::string::npos ? 0 : kept + 1) + 1;
  if (ftruncate(fd.get(), static_cast<off_t>(end)) != 0 || lseek(fd.get(), 0, SEEK_END) < 0)
    return std::unexpected(errno_error(errno, path, "cutting the state file"));
  return StateFile(path, std::move(fd), std::move(*progressed));
}

Result<void> StateFile::keep(std::size_t next, std::span<const Sample> samples,
                             std::chrono::nanoseconds now) {
  pending_ += state_lines(next, samples);
  if (now - flushed_ < kFlushEvery) return {};
  flushed_ = now;
  return flush();
}

Result<void> StateFile::flush() {
  WEIR_CHECK(write_all(fd_.get(), pending_, path_));
  pending_.clear();
  return {};
}

void StateFile::remove() { unlink(path_.c_str()); }

}  // namespace weir::latency
