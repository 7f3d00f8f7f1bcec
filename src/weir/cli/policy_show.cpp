// SPDX-License-Identifier: MIT
// `weir policy show`: what is in a model's file.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <numeric>
#include <ostream>

#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/cli/policy.h"
#include "weir/cli/table.h"
#include "weir/control/model_store.h"
#include "weir/limits/caller.h"

namespace weir::cli {
namespace {

std::size_t nodes_of(const learn::Forest& forest) {
  return std::transform_reduce(forest.begin(), forest.end(), std::size_t{0}, std::plus<>(),
                               [](const learn::Tree& tree) { return tree.nodes.size(); });
}

std::string form_of(const learn::Predictor& predictor) {
  const auto* forest = std::get_if<learn::Forest>(&predictor.form);
  return forest == nullptr ? "line" : fmt::format("{} trees, {} nodes", forest->size(), nodes_of(*forest));
}

Json json_of(const learn::Model& model, const std::string& path) {
  Json predictors = Json::array();
  for (const learn::Predictor& each : model.predictors()) {
    Json& json = predictors.emplace_back(
        Json{{"resource", each.resource}, {"samples", each.rows}, {"margin", each.margin}});
    const auto* forest = std::get_if<learn::Forest>(&each.form);
    json["form"] = forest == nullptr ? "linear" : "forest";
    if (forest == nullptr) continue;
    json["trees"] = forest->size();
    json["nodes"] = nodes_of(*forest);
  }
  return {{"schema", 1},
          {"file", path},
          {"model", model.identity().id},
          {"trained", format_utc(model.identity().trained)},
          {"feature_schema", learn::kFeatureSchema},
          {"predictors", predictors}};
}

Result<int> show(Session& session, const std::string& path) {
  WEIR_TRY(const learn::Model model, control::load_model(path, limits::read_caller(session.paths).login_uid));
  if (session.json) {
    fmt::print(session.terminal.out, "{}\n", dump_json(json_of(model, path), -1));
    return kDone;
  }
  fmt::print(session.terminal.out, "{}: model {}, newest sample {}\n", path, model.identity().id,
             format_utc(model.identity().trained));
  Table table({{.title = "resource"},
               {.title = "form"},
               {.title = "samples", .align = Align::right},
               {.title = "margin", .align = Align::right}});
  for (const learn::Predictor& each : model.predictors())
    table.add({{each.resource},
               {form_of(each)},
               {fmt::format("{}", each.rows)},
               {fmt::format("{:.2f} %", 100 * each.margin)}});
  session.terminal.out << table.render(session.terminal.columns, session.terminal.colour);
  return kDone;
}

}  // namespace

void add_policy_show(CLI::App& policy, Session& session) {
  const auto path = std::make_shared<std::string>(kModel);
  CLI::App* command = policy.add_subcommand("show", "What is in a model's file, and whether it may be used");
  command->add_option("model", *path, "The model's file")->type_name("FILE")->capture_default_str();
  command->footer(
      "The margin, of the hard limit, is added to what is learned, so that it is\n"
      "enough nine times in ten.\n"
      "Example:\n"
      "  weir policy show models/soft_limit.json");
  command->callback([&session, path] {
    session.action = [&session, path] { return report(session, show(session, *path)); };
  });
}

}  // namespace weir::cli
