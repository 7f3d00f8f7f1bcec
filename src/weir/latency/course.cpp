// SPDX-License-Identifier: MIT
#include "weir/latency/course.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "weir/base/text.h"
#include "weir/cgroup/stat.h"

namespace weir::latency {
namespace {

using cgroup::Knob;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// How long a write of another program may come after its reply.
constexpr milliseconds kLateWrite{5'000};
/// A slow method may write the file more than once (systemd, then runc): it is over when nothing came for so
/// long.
constexpr milliseconds kQuiet{20};

class Calls final : public Course {
 public:
  Calls(Bench bench, ValuePair values, std::unique_ptr<cgroup::File> file)
      : bench_(std::move(bench)), values_(values), file_(std::move(file)) {}

  Result<std::vector<Sample>> run(Method method, Writer& writer) override {
    const Value& value = second_ ? values_.second : values_.first;
    second_ = !second_;
    const bool direct = info(method).speed == Speed::direct;
    std::string before;
    if (!direct) {
      WEIR_TRY(before, file_->read());
    }
    bench_.forget();
    WEIR_TRY(const Call call, bench_.write(writer, method, value));
    events_.clear();
    if (direct) {
      if (bench_.trace != nullptr) bench_.trace->drain(events_);
    } else {
      WEIR_CHECK(come_to_rest(before, value));
    }
    return std::vector{Sample{.method = method,
                              .knob = bench_.knob,
                              .part = Part::calls,
                              .direction = Direction::any,
                              .times = read_call(call, events_)}};
  }

 private:
  /// Waits until the file has another value, and until nothing writes to it any more.
  Result<void> come_to_rest(const std::string& before, const Value& value) {
    bool written = false;
    bench_.collect(events_, kLateWrite, [&] {
      const auto text = file_->read();
      written = !text || *text != before;
      return written;
    });
    if (!written)
      return std::unexpected(
          make_error(ErrorKind::failed, raced(bench_.knob).file,
                     fmt::format("still holds \"{}\" {} after the reply, and not {}", trim(before),
                                 format_duration(kLateWrite), kernel_text(value))));
    std::size_t seen = events_.size();
    Nanos last = bench_.now();
    bench_.collect(events_, kLateWrite, [&] {
      if (events_.size() != seen) last = bench_.now();
      seen = events_.size();
      return bench_.now() - last > static_cast<Nanos>(nanoseconds(kQuiet).count());
    });
    return {};
  }

  Bench bench_;
  ValuePair values_;
  std::unique_ptr<cgroup::File> file_;
  bool second_ = false;
  std::vector<limit_write_event> events_;
};

}  // namespace

Nanos Bench::now() const { return static_cast<Nanos>(clock.monotonic().count()); }

void Bench::rest(nanoseconds span) const {
  for (nanoseconds left = span; left.count() > 0 && !interrupted();) {
    const nanoseconds slice = std::min<nanoseconds>(left, milliseconds(100));
    std::this_thread::sleep_for(slice);
    left -= slice;
  }
}

Result<Call> Bench::write(Writer& writer, Method method, const Value& value) const {
  WEIR_CHECK(writer.prepare(value));
  Call call;
  if (info(method).speed == Speed::direct) call.writer = static_cast<std::uint32_t>(getpid());
  call.start_ns = now();
  const Result<void> written = writer.write();
  call.end_ns = now();
  if (!written) return std::unexpected(written.error());
  return call;
}

void Bench::collect(std::vector<limit_write_event>& events, nanoseconds timeout,
                    const std::function<bool()>& enough) const {
  const Nanos deadline = now() + static_cast<Nanos>(timeout.count());
  for (;;) {
    if (trace != nullptr) trace->drain(events);
    if (enough() || now() > deadline || interrupted()) return;
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
}

void Bench::forget() const {
  if (trace == nullptr) return;
  std::vector<limit_write_event> old;
  trace->drain(old);
}

Result<void> Course::undo(Method, Writer&) { return {}; }

Result<ValuePair> call_values(Knob knob, const std::string& old, bool ours, Bytes usage, unsigned cpus) {
  const auto pair = [&](std::uint64_t first, std::uint64_t second) {
    return ValuePair{.first = {.knob = knob, .number = first}, .second = {.knob = knob, .number = second}};
  };
  if (ours) {
    if (knob == Knob::cpu_max) return pair(50'000, 60'000);
    if (knob == Knob::cpu_weight) return pair(512, 2048);
    return pair(512 * kMiB, 640 * kMiB);
  }
  WEIR_TRY(const Value has, parse_value(knob, old));
  if (knob == Knob::cpu_weight) return pair(has.number, std::min<std::uint64_t>(has.number * 2, 262'144));
  if (knob == Knob::cpu_max) {
    // Systemd keeps whole percents of a CPU: steps of 10 % reach it unchanged.
    const std::uint64_t least = has.number == kUnlimited ? cpus * kPeriodMicros : has.number;
    return pair(least, least + kPeriodMicros / 10);
  }
  const std::uint64_t used = usage.count() / kMiB * kMiB;
  const std::uint64_t least = has.number == kUnlimited ? used * 2 + 256 * kMiB : has.number;
  return pair(least, least + 64 * kMiB);
}

Result<ValuePair> call_values(Subject& subject, Knob knob, const std::string& old) {
  Bytes usage{0};
  if (knob == Knob::memory_max || knob == Knob::memory_high) {
    WEIR_TRY(usage, cgroup::read_memory_current(subject.dir()));
  }
  const long cpus = sysconf(_SC_NPROCESSORS_CONF);
  return call_values(knob, old, subject.ours(), usage, static_cast<unsigned>(std::max(cpus, 1L)));
}

Result<std::unique_ptr<Course>> begin_calls(const Bench& bench, const std::string& old) {
  WEIR_TRY(const ValuePair values, call_values(bench.subject, bench.knob, old));
  WEIR_TRY(std::unique_ptr<cgroup::File> file,
           bench.subject.dir().keep(raced(bench.knob).file, cgroup::Access::read));
  return std::make_unique<Calls>(bench, values, std::move(file));
}

}  // namespace weir::latency
