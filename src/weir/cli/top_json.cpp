// SPDX-License-Identifier: MIT
#include "weir/cli/top_json.h"

#include "weir/base/json.h"
#include "weir/base/text.h"

namespace weir::cli {
namespace {

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }
Json text(const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); }

Json pressure(const TopPressure& some, const TopPressure& full) {
  const auto of = [](const TopPressure& p) -> Json {
    return {{"cpu", number(p.cpu)}, {"memory", number(p.memory)}, {"io", number(p.io)}};
  };
  return {{"some", of(some)}, {"full", of(full)}};
}

/// By the table: what is not known is null, a limit that is none "max".
Json metrics_of(const Sample& sample) {
  Json json = Json::object();
  for (const MetricInfo& each : metrics()) {
    const auto value = sample.get(each.metric);
    json[std::string(each.name)] = !value ? Json(nullptr) : *value == kNoLimit ? Json("max") : Json(*value);
  }
  return json;
}

Json rates(const TopUse& use) {
  return {{"cpus", number(use.cpu)},
          {"cpus_user", number(use.cpu_user)},
          {"cpus_system", number(use.cpu_system)},
          {"read_bytes", number(use.io_read)},
          {"written_bytes", number(use.io_written)},
          {"reads", number(use.io_reads)},
          {"writes", number(use.io_writes)}};
}

Json limits(const Sample& sample) {
  const auto cpus = cpu_limit(sample);
  const auto memory = memory_limit(sample);
  const Json none("max");
  return {{"cpus", !cpus                  ? Json(nullptr)
                   : cpus->is_unlimited() ? none
                                          : Json(cpus->value())},
          {"memory_bytes", !memory                  ? Json(nullptr)
                           : memory->is_unlimited() ? none
                                                    : Json(memory->value().count())}};
}

Json container(const TopRow& row) {
  const Container& c = row.subject.container;
  return {{"name", c.name},
          {"runtime", c.runtime == Runtime::none ? Json(nullptr) : Json(std::string(to_string(c.runtime)))},
          {"id", text(c.id)},
          {"image", text(c.image)},
          {"cgroup", c.cgroup},
          {"cgroup_id", row.subject.cgroup_id.count()},
          {"rates", rates(row.use)},
          {"limits", limits(row.use.now)},
          {"throttled_share", number(row.throttled)},
          {"throttled_by", !row.throttled || *row.throttled == 0 ? Json(nullptr)
                           : row.throttled_above                 ? Json("ancestor")
                                                                 : Json("own")},
          {"pressure", pressure(row.use.some, row.use.full)},
          {"metrics", metrics_of(row.use.now)}};
}

}  // namespace

std::string top_json(const TopView& view, std::span<const TopRow> rows, std::string_view source) {
  Json containers = Json::array();
  for (const TopRow& row : rows) containers.push_back(container(row));
  Json host = {{"rates", rates(view.host)},
               {"steal_cpus", number(view.host.steal)},
               {"limits", limits(view.host.now)},
               {"pressure", pressure(view.host.some, view.host.full)},
               {"metrics", metrics_of(view.host.now)}};
  return dump_json({{"schema", 1},
                    {"time", format_utc(view.time)},
                    {"time_ns", view.time.count()},
                    {"window_usec", view.span.count() / 1000},
                    {"source", std::string(source)},
                    {"host", std::move(host)},
                    {"containers", std::move(containers)}},
                   -1);
}

}  // namespace weir::cli
