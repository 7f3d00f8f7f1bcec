// SPDX-License-Identifier: MIT
// The report as JSON: the names of the contract for scripts, and more.
#include <cmath>

#include "weir/base/json.h"
#include "weir/latency/report.h"

namespace weir::latency {
namespace {

Json key(Method method, cgroup::Knob knob) {
  return {{"method", std::string(info(method).name)}, {"knob", std::string(raced(knob).file)}};
}

void add_direction(Json& json, Direction direction) {
  if (direction != Direction::any) json["direction"] = std::string(to_string(direction));
}

Json row_json(const Row& row) {
  const Summary& s = row.summary;
  Json json = key(row.method, row.knob);
  json["stage"] = std::string(to_string(row.stage));
  add_direction(json, row.direction);
  json["hook"] = row.hook;
  json["n"] = s.n;
  json["missed"] = row.missed;
  json["min_ns"] = s.min_ns;
  json["mean_ns"] = s.mean_ns;
  json["p50_ns"] = s.p50_ns;
  json["p50_ci95_ns"] = {s.p50_ci95.low_ns, s.p50_ci95.high_ns};
  json["p90_ns"] = s.p90_ns;
  json["p99_ns"] = s.p99_ns;
  json["p999_ns"] = s.p999_ns;
  json["max_ns"] = s.max_ns;
  return json;
}

Json setting_json(const Setting& setting) {
  return {{"kernel", setting.kernel},
          {"machine", setting.machine},
          {"cpus", setting.cpus},
          {"docker_version", setting.docker_version},
          {"cgroup_driver", setting.cgroup_driver},
          {"subject", setting.subject},
          {"cgroup", setting.cgroup},
          {"load", setting.load},
          {"quick", setting.quick},
          {"iterations", setting.plan.counts.direct},
          {"slow_iterations", setting.plan.counts.slow},
          {"effect_iterations", setting.plan.counts.effect},
          {"seed", setting.plan.seed},
          {"clock", "CLOCK_MONOTONIC"}};
}

}  // namespace

std::string to_json(const Report& report) {
  Json json;
  json["schema"] = 1;
  json["setting"] = setting_json(report.setting);
  json["complete"] = report.complete;
  json["results"] = Json::array();
  for (const Row& row : report.rows) json["results"].push_back(row_json(row));
  json["ratios"] = Json::array();
  for (const Ratio& ratio : report.ratios) {
    Json one = key(ratio.method, ratio.knob);
    one["stage"] = std::string(to_string(ratio.stage));
    add_direction(one, ratio.direction);
    one["to"] = std::string(info(ratio.to).name);
    one["p50"] = std::round(ratio.p50 * 100) / 100;
    json["ratios"].push_back(std::move(one));
  }
  json["lost_events"] = report.lost_events;
  json["failed_writes"] = report.failed_writes;
  json["unsupported"] = Json::array();
  for (const Unsupported& no : report.unsupported) {
    Json one = key(no.method, no.knob);
    one["stage"] = no.stage ? Json(std::string(to_string(*no.stage))) : Json(nullptr);
    one["reason"] = no.reason;
    json["unsupported"].push_back(std::move(one));
  }
  return dump_json(json) + "\n";
}

}  // namespace weir::latency
