// SPDX-License-Identifier: MIT
// `weir lab up|down`: three synthetic workloads, each held back by another resource, to try Weir on.
#include "weir/lab/lab.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "weir/base/escape.h"
#include "weir/base/json.h"
#include "weir/cli/command.h"

namespace weir::cli {
namespace {

lab::Tell progress(Session& session) {
  return [&session](std::string_view line) {
    fmt::print(session.terminal.err, "lab: {}\n", terminal_safe(line));
    session.terminal.err.flush();
  };
}

/// How the target grammar names a workload.
std::string target(const lab::Lab& lab, const lab::Started& workload) {
  if (lab.runner == "systemd") return fmt::format("unit:{}.service", workload.name);
  return lab.runner == "cgroup" ? workload.cgroup : workload.name;
}

void print_lab(const Session& session, const lab::Lab& lab) {
  const Terminal& terminal = session.terminal;
  if (session.json) {
    Json workloads = Json::array();
    for (const lab::Started& each : lab.workloads)
      workloads.push_back(
          {{"name", each.name}, {"cgroup", each.cgroup}, {"limit", each.limit}, {"about", each.about}});
    fmt::print(terminal.out, "{}\n",
               dump_json({{"schema", 1}, {"runner", lab.runner}, {"workloads", std::move(workloads)}}));
    return;
  }
  for (const lab::Started& each : lab.workloads)
    fmt::print(terminal.out, "{:<12}{}\n{:<12}{}\n{:<12}{}\n", terminal_safe(each.name), each.limit, "",
               each.about, "", terminal_safe(each.cgroup));
  fmt::print(terminal.out, "\nTry next:\n");
  fmt::print(terminal.out, "  weir ls\n  weir set {} cpus=0.5\n  weir lab down\n",
             terminal_safe(target(lab, lab.workloads.front())));
}

int up(Session& session, lab::Where where) {
  const auto lab = lab::up(session.paths, where, progress(session));
  if (!lab) return report(session, lab.error());
  print_lab(session, *lab);
  return kDone;
}

int down(Session& session) {
  const auto removed = lab::down(session.paths, progress(session));
  if (!removed) return report(session, removed.error());
  if (session.json) {
    fmt::print(session.terminal.out, "{}\n", dump_json({{"schema", 1}, {"removed", *removed}}));
    return kDone;
  }
  if (removed->empty()) fmt::print(session.terminal.out, "no lab was there\n");
  for (const std::string& each : *removed)
    fmt::print(session.terminal.out, "removed {}\n", terminal_safe(each));
  return kDone;
}

}  // namespace

void add_lab(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("lab", "Start or remove three synthetic workloads to try Weir on");
  command->require_subcommand(1);
  command->footer(
      "lab-cpu wants a CPU and gets a fifth, lab-memory sits at its memory.max, lab-io waits for the disk.\n"
      "Examples:\n"
      "  weir lab up                containers where Docker answers, else services or cgroups\n"
      "  weir lab up --no-docker    transient systemd services, or plain cgroups without systemd\n"
      "  weir lab down              removes all that up made, and nothing else");

  CLI::App* up_command = command->add_subcommand("up", "Start them, and wait until each really runs");
  auto where = std::make_shared<lab::Where>(lab::Where::any);
  CLI::Option* docker = up_command->add_flag_callback(
      "--docker", [where] { *where = lab::Where::docker; }, "As Docker containers, or not at all");
  up_command
      ->add_flag_callback(
          "--no-docker", [where] { *where = lab::Where::no_docker; },
          "As systemd services, or as plain cgroups where systemd does not run")
      ->excludes(docker);
  up_command->footer("Examples:\n  weir lab up\n  weir lab up --no-docker --json");
  up_command->callback(
      [&session, where] { session.action = [&session, where] { return up(session, *where); }; });

  CLI::App* down_command =
      command->add_subcommand("down", "Remove all that up made, also after a crash of up");
  down_command->footer("Example:\n  weir lab down");
  down_command->callback([&session] { session.action = [&session] { return down(session); }; });
}

}  // namespace weir::cli
