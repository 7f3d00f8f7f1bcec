// SPDX-License-Identifier: MIT
#include "weir/cli/parser.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "weir/base/version.h"
#include "weir/cli/help.h"

namespace weir::cli {

namespace {

/// A word of them could be a target or an option's value: then its command is built for nothing.
std::vector<CommandEntry> named_by(std::span<const std::string> arguments) {
  std::vector<CommandEntry> named;
  const auto is_named = [&](const CommandEntry& c) {
    return std::ranges::find(arguments, c.name) != arguments.end();
  };
  std::ranges::copy_if(commands(), std::back_inserter(named), is_named);
  const bool needs_all = named.empty() || std::ranges::any_of(named, &CommandEntry::describes_all);
  return needs_all ? std::vector<CommandEntry>(commands().begin(), commands().end()) : named;
}

}  // namespace

void build_parser(CLI::App& app, Session& session, std::span<const std::string> arguments) {
  app.name("weir");
  app.description("Control, explain and prove the resources of Linux containers on cgroup v2.");
  app.formatter(std::make_shared<HelpFormatter>(session.terminal.columns));
  app.footer(
      "Targets:\n"
      "  web  4f2a91 (id)  docker:web podman:web lxc:web  k8s:ns/pod[/container]\n"
      "  unit:nginx.service  pid:4242  /system.slice/foo\n"
      "  sets: label:tier=db  image:nginx  compose:shop/web  'web-*'\n"
      "Exit codes:\n"
      "  0 done  1 failed  2 wrong usage  3 the host cannot do it  4 target gone\n"
      "More: man weir, man weir-COMMAND, weir COMMAND --help");
  app.fallthrough();  // global options are understood behind the command as well
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", std::string(kVersion), "Print the version");
  app.set_help_flag("-h,--help", "Print this help");

  app.add_flag("--json", session.json, "Print JSON (versioned by its \"schema\")");
  app.add_flag("-y,--yes", session.yes, "Answer yes to every question");
  app.add_option_function<std::string>(
         "--color",
         [&session](const std::string& when) {
           if (when != "auto") session.terminal.colour = when == "always";
         },
         "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}).description(""))
      ->type_name("WHEN");
  app.add_option("--cgroup-root", session.paths.cgroup_root,
                 "cgroup2 mount point (default: found in mountinfo)")
      ->type_name("DIR");
  app.add_option("--host-root", session.paths.host_root, "where the host's / is seen, inside a container")
      ->type_name("DIR");
  app.add_option("--run-dir", session.paths.run_dir, "the journal's folder (default: /run/weir)")
      ->type_name("DIR");
  app.add_option("--state-dir", session.paths.state_dir, "what outlives a reboot (default: /var/lib/weir)")
      ->type_name("DIR");

  for (const CommandEntry& command : named_by(arguments)) command.add(app, session);
}

}  // namespace weir::cli
