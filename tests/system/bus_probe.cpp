// SPDX-License-Identifier: MIT
// bus_probe version | cgroup UNIT | set UNIT PROPERTY NUMBER | timer NAME MILLISECONDS ARGV… | scope NAME
// SLICE PID | stop UNIT systemd::Bus against the real system manager, for the system test. Exit status 0, or
// 1 with the error's kind and text.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "weir/base/text.h"
#include "weir/systemd/bus.h"

namespace {

int say(const weir::Result<std::string>& result) {
  if (result)
    fmt::print("{}\n", *result);
  else
    fmt::print("{}: {}\n", weir::to_string(result.error().kind), result.error().message());
  return result ? 0 : 1;
}

int say(const weir::Result<void>& result) {
  return say(result ? weir::Result<std::string>("done")
                    : weir::Result<std::string>(std::unexpected(result.error())));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  auto bus = weir::systemd::Bus::connect();
  if (!bus) return say(weir::Result<std::string>(std::unexpected(bus.error())));
  const auto number = [&](std::size_t i) { return weir::parse_u64(words[i]).value_or(0); };
  if (words.size() == 1 && words[0] == "version") return say(bus->version());
  if (words.size() == 2 && words[0] == "cgroup") return say(bus->control_group(words[1]));
  if (words.size() == 2 && words[0] == "stop") return say(bus->stop_unit(words[1]));
  if (words.size() == 4 && words[0] == "set")
    return say(bus->set_unit_properties(words[1], {{words[2], number(3)}}));
  if (words.size() == 4 && words[0] == "scope")
    return say(
        bus->start_transient_scope(words[1], words[2], weir::Pid(static_cast<std::int32_t>(number(3)))));
  if (words.size() > 3 && words[0] == "timer")
    return say(bus->start_transient_timer(words[1], std::chrono::milliseconds(number(2)),
                                          {words.begin() + 3, words.end()}));
  return 2;
}
