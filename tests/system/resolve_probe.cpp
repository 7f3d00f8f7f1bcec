// SPDX-License-Identifier: MIT
// resolve_probe [--host-root DIR] [--repeat N] TARGET | --inventory | --docker-api NAME
// What a target stands for, as JSON, straight from container::resolve(): for tests of the runtimes' sources
// and for measuring them. Exit status 0 found, 1 error (its kind, text and hint in the JSON).
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/container/inventory.h"
#include "weir/container/target.h"
#include "weir/docker/client.h"

namespace {

using weir::Container;
using weir::Json;

Json to_json(const Container& container) {
  Json json{{"name", container.name},
            {"id", container.id},
            {"runtime", weir::to_string(container.runtime)},
            {"cgroup", container.cgroup},
            {"image", container.image},
            {"labels", container.labels}};
  json["pid"] = container.pid ? Json(container.pid->count()) : Json();
  return json;
}

Json to_json(const std::vector<Container>& containers) {
  Json list = Json::array();
  for (const Container& each : containers) list.push_back(to_json(each));
  return list;
}

int print(const Json& json, int status) {
  fmt::print("{}\n", weir::dump_json(json));
  return status;
}

int print(const weir::Error& error) {
  return print(Json{{"kind", weir::to_string(error.kind)}, {"error", error.message()}, {"hint", error.hint}},
               1);
}

/// Median microseconds of `what` over `count` calls, on stderr.
template <typename What>
void measure(std::size_t count, const char* name, What what) {
  std::vector<double> us;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    what();
    us.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  if (us.empty()) return;
  std::nth_element(us.begin(), us.begin() + static_cast<std::ptrdiff_t>(us.size() / 2), us.end());
  fmt::print(stderr, "{}: median {:.0f} us over {}\n", name, us[us.size() / 2], us.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  weir::HostPaths paths;
  std::size_t repeat = 0;
  for (; words.size() > 2 && (words[0] == "--host-root" || words[0] == "--repeat");
       words.erase(words.begin(), words.begin() + 2)) {
    if (words[0] == "--host-root") paths.host_root = words[1];
    if (words[0] == "--repeat") repeat = weir::parse_u64(words[1]).value_or(0);
  }
  if (words.size() == 1 && words[0] == "--inventory") {
    const auto inventory =
        weir::container::take_inventory(paths, weir::container::Include::containers_and_services);
    if (!inventory) return print(inventory.error());
    Json notes = Json::array();
    for (const auto& note : inventory->notes) notes.push_back(note.subject + " " + note.text);
    return print(Json{{"containers", to_json(inventory->containers)}, {"notes", notes}}, 0);
  }
  if (words.size() == 2 && words[0] == "--docker-api") {
    const auto ask = [&] {
      auto client = weir::docker::Client::connect({.socket = paths.host(weir::docker::kDockerSocket)});
      return client ? client->list_named(words[1]) : std::unexpected(client.error());
    };
    measure(repeat, "list filter, new connection", ask);
    if (auto client = weir::docker::Client::connect({.socket = paths.host(weir::docker::kDockerSocket)})) {
      measure(repeat, "list filter, kept connection", [&] { return client->list_named(words[1]); });
      measure(repeat, "inspect, kept connection", [&] { return client->inspect(words[1]); });
    }
    const auto list = ask();
    return list ? print(to_json(*list), 0) : print(list.error());
  }
  if (words.size() != 1)
    return std::fputs(
               "usage: resolve_probe [--host-root DIR] [--repeat N] TARGET | --inventory | --docker-api "
               "NAME\n",
               stderr),
           2;
  const auto target = weir::container::parse_target(words[0]);
  if (!target) return print(target.error());
  measure(repeat, "resolve", [&] { return weir::container::resolve(*target, paths); });
  const auto found = weir::container::resolve(*target, paths);
  return found ? print(to_json(*found), 0) : print(found.error());
}
