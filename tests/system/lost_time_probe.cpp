// SPDX-License-Identifier: MIT
// lost_time_probe SECONDS CGROUP: what bpf::LostTime counts of that cgroup (a path below the mount point)
// while the time passes, as one line of JSON in milliseconds, beside what cpu.stat says of the same time.
#include <fmt/format.h>

#include <thread>

#include "weir/base/clock.h"
#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/bpf/lost_time.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/stat.h"

namespace {

using namespace weir;
using std::chrono::nanoseconds;

/// So that what held when it was watched is over.
constexpr std::chrono::milliseconds kSettling{500};

struct Look {
  nanoseconds at;
  bpf::LostTime::Sums sums;
  nanoseconds throttled, used;
};

Result<Look> look(const bpf::LostTime& lost, const cgroup::Dir& dir) {
  WEIR_TRY(auto sums, lost.read(dir.id()));
  WEIR_TRY(const auto stat, cgroup::read_cpu_stat(dir));
  const std::chrono::microseconds none{0};
  return Look{.at = SystemClock().monotonic(),
              .sums = std::move(sums),
              .throttled = stat.throttled.value_or(none),
              .used = stat.usage.value_or(none)};
}

double ms(nanoseconds time) { return static_cast<double>(time.count()) / 1e6; }

Result<Json> measure(std::chrono::seconds span, const std::string& path) {
  WEIR_TRY(const std::string mount, cgroup::find_mount_point());
  WEIR_TRY(const auto root, cgroup::open_root(mount));
  WEIR_TRY(const auto dir, root->open(path));
  WEIR_TRY(auto lost, bpf::LostTime::open());
  WEIR_CHECK(lost.watch(dir->id()));
  std::this_thread::sleep_for(kSettling);
  WEIR_TRY(const Look first, look(lost, *dir));
  std::this_thread::sleep_for(span);
  WEIR_TRY(const Look last, look(lost, *dir));
  Json json = {{"hook", lost.hook()},
               {"cgroup", dir->id().count()},
               {"span", ms(last.at - first.at)},
               {"held_own", ms(last.sums.held_own - first.sums.held_own)},
               {"held_above", ms(last.sums.held_above - first.sums.held_above)},
               {"above", last.sums.above.count()},
               {"waited", ms(last.sums.waited - first.sums.waited)},
               {"throttled", ms(last.throttled - first.throttled)},
               {"used", ms(last.used - first.used)},
               {"rivals", Json::array()}};
  for (const auto& [id, used] : last.sums.rivals)
    json["rivals"].push_back({{"cgroup", id.count()}, {"used", ms(used)}});
  lost.ignore(dir->id());
  json["ignored"] = !lost.read(dir->id());
  return json;
}

}  // namespace

int main(int argc, char** argv) {
  const auto seconds = argc == 3 ? parse_u64(argv[1]) : std::nullopt;
  if (!seconds) return 2;
  const auto json = measure(std::chrono::seconds(*seconds), argv[2]);
  if (!json) fmt::print(stderr, "lost_time_probe: {}\n", json.error().message());
  if (json) fmt::print("{}\n", dump_json(*json, -1));
  return json ? 0 : 1;
}
