// SPDX-License-Identifier: MIT
// `weir latency`: races the ways to change a limit against each other, on a container of its own.
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>
#include <random>

#include "weir/base/clock.h"
#include "weir/base/escape.h"
#include "weir/base/file.h"
#include "weir/base/text.h"
#include "weir/cli/command.h"
#include "weir/cli/latency_text.h"
#include "weir/container/target.h"
#include "weir/docker/client.h"
#include "weir/latency/loan.h"
#include "weir/latency/race.h"
#include "weir/latency/report.h"
#include "weir/latency/state_file.h"
#include "weir/spawn/tool.h"

namespace weir::cli {
namespace {

using latency::Subject;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr latency::Counts kQuick{.direct = 500, .slow = 5, .effect = 3};

struct Options {
  std::vector<std::string> knobs, methods;
  latency::Counts counts;
  bool quick = false, no_ebpf = false;
  std::string load = "idle", cgroupns = "private", build, target, html, csv, resume;
  std::uint64_t seed = 0;
};

/// One line that is written over on a terminal; a line for each part elsewhere.
class ProgressLine {
 public:
  explicit ProgressLine(const Terminal& terminal) : terminal_(terminal) {}
  ~ProgressLine() {
    if (shown_) terminal_.err << "\r\033[K";
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ProgressLine(ProgressLine&&) = delete;
  ProgressLine& operator=(ProgressLine&&) = delete;

  void tell(std::string_view text) {
    if (terminal_.err_tty) {
      fmt::print(terminal_.err, "\r\033[K{}", terminal_safe(text));
      shown_ = true;
    } else {
      fmt::print(terminal_.err, "weir latency: {}\n", terminal_safe(text));
    }
    terminal_.err.flush();
  }
  /// What was told last stays.
  void end_line() {
    if (shown_) fmt::print(terminal_.err, "\n");
    shown_ = false;
  }
  void show(const latency::Progress& progress, nanoseconds now) {
    const bool new_part = !last_ || last_->knob != progress.step.knob || last_->part != progress.step.part;
    last_ = progress.step;
    if (!new_part && now - told_ < (terminal_.err_tty ? milliseconds(500) : milliseconds(10'000))) return;
    told_ = now;
    const std::string left =
        progress.left > std::chrono::seconds(2) ? ", " + format_duration(progress.left) + " left" : "";
    tell(fmt::format("{} {}: {} of {} writes{}", latency::raced(progress.step.knob).file,
                     progress.step.part == latency::Part::calls ? "calls" : "first effect", progress.next,
                     progress.total, left));
  }

 private:
  const Terminal& terminal_;
  bool shown_ = false;
  nanoseconds told_{0};
  std::optional<latency::Step> last_;
};

template <typename T, typename Parse>
Result<std::vector<T>> parse_list(const std::vector<std::string>& names, const std::vector<T>& all,
                                  Parse parse, std::string_view what) {
  if (names.empty()) return all;
  std::vector<T> chosen;
  for (const std::string& name : names) {
    const auto one = parse(name);
    if (!one)
      return std::unexpected(
          make_error(ErrorKind::invalid, name, fmt::format("is no {} of this race", what)));
    if (std::ranges::find(chosen, *one) == chosen.end()) chosen.push_back(*one);
  }
  return chosen;
}

latency::Load parse_load(const std::string& text) {
  if (text == "cpu") return latency::Load::cpu;
  return text == "memory" ? latency::Load::memory : latency::Load::idle;
}

/// Docker's command, if the engine answers.
Result<std::string> find_docker(const HostPaths& paths, latency::Setting& setting) {
  WEIR_TRY(std::string docker, spawn::find_tool("docker"));
  WEIR_TRY(docker::Client client, docker::Client::connect({.socket = paths.host(docker::kDockerSocket)}));
  WEIR_TRY(const docker::Client::Info info, client.info());
  setting.docker_version = info.server_version;
  setting.cgroup_driver = info.cgroup_driver;
  return docker;
}

/// What is raced, and what the user called it.
struct Found {
  Subject subject;
  std::optional<limits::Wanted> named;
};

Result<Found> find_target(const Session& session, const std::string& text) {
  WEIR_TRY(const container::Target target, container::parse_target(text));
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(session.paths.cgroup_root));
  WEIR_TRY(const std::vector<Container> found, container::resolve(target, session.paths, *root));
  if (found.size() > 1)
    return std::unexpected(make_error(ErrorKind::invalid, text, "stands for more than one container",
                                      "weir latency times one: name it"));
  WEIR_TRY(Subject subject, Subject::named(session.paths, found.front()));
  return Found{.subject = std::move(subject),
               .named = limits::Wanted{.target = text, .container = found.front(), .settings = {}}};
}

Result<Found> find_subject(const Session& session, const Options& options, latency::Setting& setting,
                           ProgressLine& progress) {
  const auto docker = find_docker(session.paths, setting);
  if (!options.target.empty()) return find_target(session, options.target);
  const latency::Load load = parse_load(options.load);
  if (!docker) {
    if (!options.build.empty() || docker.error().kind == ErrorKind::refused)
      return std::unexpected(docker.error());
    warn(session,
         fmt::format("{}; the direct methods run on a cgroup of Weir's own", docker.error().message()));
    WEIR_TRY(Subject subject, Subject::own_cgroup(session.paths, load));
    return Found{.subject = std::move(subject), .named = std::nullopt};
  }
  WEIR_TRY(Subject subject,
           Subject::build(session.paths,
                          {.docker = *docker,
                           .build = options.build,
                           .load = load,
                           .cgroupns = options.cgroupns == "host" ? latency::CgroupNamespace::host
                                                                  : latency::CgroupNamespace::priv},
                          [&](std::string_view line) { progress.tell(line); }));
  return Found{.subject = std::move(subject), .named = std::nullopt};
}

void describe_host(latency::Setting& setting) {
  utsname host{};
  if (uname(&host) == 0) {
    setting.kernel = std::string("Linux ") + host.release;
    setting.machine = host.machine;
  }
  setting.cpus = static_cast<unsigned>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
}

Result<void> write_output(std::string_view text, const std::string& path, std::ostream& out) {
  if (path == "-") {
    out << text;
    return {};
  }
  return replace_file(path, text, 0644, Durable::no);
}

Result<void> print(const Session& session, const Options& options, const latency::Report& report) {
  std::ostream& out = session.terminal.out;
  if (!options.html.empty()) WEIR_CHECK(write_output(latency::to_html(report), options.html, out));
  if (!options.csv.empty()) WEIR_CHECK(write_output(latency::to_csv(report), options.csv, out));
  if (session.json) {
    out << latency::to_json(report);
  } else if (options.csv != "-" && options.html != "-") {
    out << latency_text(report, session.terminal.columns);
  }
  out.flush();
  return {};
}

struct Done {
  latency::Report report;
  std::optional<Error> stopped;
};

std::vector<cgroup::Knob> all_knobs() {
  std::vector<cgroup::Knob> knobs;
  for (const latency::KnobInfo& each : latency::raced_knobs()) knobs.push_back(each.knob);
  return knobs;
}

std::vector<latency::Method> all_methods() {
  std::vector<latency::Method> methods;
  for (const latency::MethodInfo& each : latency::methods()) methods.push_back(each.method);
  return methods;
}

/// The file that the user named, or one of this run's own in a directory that only root can enter.
Result<latency::StateFile> open_state(const Session& session, const Options& options,
                                      const latency::Setting& setting) {
  std::string path = options.resume;
  if (path.empty()) {
    const std::string folder = session.paths.run_dir + "/latency";
    WEIR_CHECK(open_private_directory(session.paths.run_dir, 0755));
    WEIR_CHECK(open_private_directory(folder, 0700));
    path = fmt::format("{}/{}.state", folder, getpid());
  }
  return latency::StateFile::open(
      path, latency::fingerprint(setting.plan, setting.load + options.target, setting.kernel), options.seed);
}

/// Runs the plan, with what was timed kept in the state file.
latency::Outcome run_plan(const Session& session, latency::Race& race, const std::vector<latency::Step>& plan,
                          latency::StateFile& state, ProgressLine& progress) {
  const SystemClock clock;
  latency::Outcome outcome =
      race.run(plan, state.take(),
               {.interrupted = [] { return spawn::Interrupts::pending(); },
                .progress = [&](const latency::Progress& at) { progress.show(at, clock.monotonic()); },
                .keep = [&](std::size_t next, std::span<const latency::Sample> measured) -> Result<void> {
                  return state.keep(next, measured, clock.monotonic());
                }});
  if (!outcome.interrupted) {
    state.remove();
  } else if (const auto kept = state.flush(); !kept) {
    warn(session, kept.error().message());
  } else {
    progress.tell("interrupted; the same command with --resume " + state.path() + " goes on");
    progress.end_line();
  }
  return outcome;
}

Result<Done> race(const Session& session, Options options, spawn::Interrupts& interrupts) {
  WEIR_TRY(const auto knobs, parse_list(options.knobs, all_knobs(), latency::parse_raced_knob, "knob"));
  WEIR_TRY(const auto methods, parse_list(options.methods, all_methods(), latency::parse_method, "method"));
  if (geteuid() != 0)
    return std::unexpected(
        make_error(ErrorKind::refused, "latency", "needs root: it writes limits", "run it with sudo"));

  const SystemClock clock;
  ProgressLine progress(session.terminal);
  latency::Setting setting{.load = options.load, .quick = options.quick};
  describe_host(setting);
  WEIR_TRY(Found found, find_subject(session, options, setting, progress));
  Subject& subject = found.subject;
  setting.subject = subject.name();
  setting.cgroup = subject.dir_path();

  latency::Race race(subject, session.paths, clock,
                     options.no_ebpf ? latency::Hooks::off : latency::Hooks::on);
  if (options.no_ebpf) options.counts.effect = 0;
  if (found.named) options.counts.effect = 0;  // nobody else's container is held back to see what happens
  setting.plan = {
      .combinations = race.find_combinations(methods, knobs), .counts = options.counts, .seed = 0};
  if (setting.plan.combinations.empty())
    return std::unexpected(make_error(ErrorKind::absent, subject.dir_path(), race.why_none(),
                                      "weir doctor says what this host lacks"));
  WEIR_TRY(latency::StateFile state, open_state(session, options, setting));
  setting.plan.seed = state.seed();
  const std::vector<latency::Step> plan = latency::make_plan(setting.plan);

  std::optional<latency::Loan> loan;
  if (found.named) {
    WEIR_TRY(const auto settings, race.first_values());
    WEIR_TRY(loan, latency::Loan::take(session.paths, *found.named, settings, clock));
  }
  const latency::Outcome outcome = run_plan(session, race, plan, state, progress);
  interrupts.put_aside();
  for (const std::string& failure : race.restore()) warn(session, "not restored: " + failure);
  if (loan)
    for (const std::string& failure : loan->give_back()) warn(session, "not restored: " + failure);
  return Done{.report = latency::make_report(std::move(setting), outcome), .stopped = outcome.stopped};
}

int run(Session& session, Options options) {
  if (options.seed == 0) options.seed = std::random_device{}();
  spawn::Interrupts interrupts;  // ends the process, if it was interrupted, after all is printed and removed
  const Result<Done> done = race(session, options, interrupts);
  if (!done) return report(session, done.error());
  if (auto printed = print(session, options, done->report); !printed) return report(session, printed.error());
  if (!done->stopped) return kDone;
  fmt::print(session.terminal.err, "weir: {}\n", terminal_safe(done->stopped->message()));
  return done->stopped->kind == ErrorKind::gone ? kTargetGone : kFailed;
}

}  // namespace

void add_latency(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("latency", "How long a changed limit takes, by each way to change it");
  auto options = std::make_shared<Options>();
  command->add_option("--knob", options->knobs, "cpu.max, memory.max, memory.high, cpu.weight; default: all")
      ->delimiter(',')
      ->type_name("KNOB");
  command
      ->add_option("--method", options->methods,
                   "docker_cli, docker_api, runc, systemd, open_write_close, pwrite; default: all")
      ->delimiter(',')
      ->type_name("METHOD");
  const auto add_count = [command](const char* name, std::uint32_t& count, std::uint32_t least,
                                   std::uint32_t most, const char* about) {
    command->add_option(name, count, about)
        ->check(CLI::Range(least, most).description(""))
        ->type_name("N")
        ->capture_default_str();
  };
  add_count("--iterations", options->counts.direct, 1, 10'000'000, "Writes of each direct method and knob");
  add_count("--slow-iterations", options->counts.slow, 1, 1'000'000,
            "The same for the methods that ask another program");
  add_count("--effect-iterations", options->counts.effect, 0, 1'000'000,
            "Cuts and raises whose first effect is timed");
  command->add_flag("--quick", options->quick, "500, 5 and 3 iterations: a first look");
  command->add_flag("--no-ebpf", options->no_ebpf, "Time the call alone, without any hook that adds to it");
  command->add_option("--load", options->load, "What the container does meanwhile: idle, cpu or memory")
      ->check(CLI::IsMember({"idle", "cpu", "memory"}).description(""))
      ->type_name("LOAD")
      ->capture_default_str();
  command
      ->add_option("--build", options->build,
                   "Build the container from this folder; default: the lab's image")
      ->type_name("DIR");
  command->add_option("--cgroupns", options->cgroupns, "Cgroup namespace of that container: host or private")
      ->check(CLI::IsMember({"host", "private"}).description(""))
      ->type_name("KIND")
      ->capture_default_str();
  command
      ->add_option("--target", options->target,
                   "Use this container instead; its limits are put back at the end")
      ->type_name("TARGET");
  command->add_option("--seed", options->seed, "Order and intervals of an earlier run; 0: a new one")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--resume", options->resume,
                   "Keep what is timed in this file, and go on from it if it is there")
      ->type_name("FILE");
  command->add_option("--html", options->html, "Write a page with the distributions (- is stdout)")
      ->type_name("FILE");
  command->add_option("--csv", options->csv, "Write the table as CSV (no FILE: stdout)")
      ->type_name("FILE")
      ->expected(0, 1)
      ->default_str("-");
  command->footer(
      "The container is built, raced and removed by the command. See weir help latency.\n"
      "Examples:\n"
      "  weir latency --quick\n"
      "  weir latency --knob cpu.max,memory.max --html latency.html\n"
      "  weir latency --load cpu --slow-iterations 1000 --json > latency.json\n"
      "  weir latency --target web --knob cpu.max --effect-iterations 0");
  command->callback([&session, command, options] {
    if (options->quick) {  // what was said by hand counts more
      if (command->count("--iterations") == 0) options->counts.direct = kQuick.direct;
      if (command->count("--slow-iterations") == 0) options->counts.slow = kQuick.slow;
      if (command->count("--effect-iterations") == 0) options->counts.effect = kQuick.effect;
    }
    session.action = [&session, options] { return run(session, *options); };
  });
}

}  // namespace weir::cli
