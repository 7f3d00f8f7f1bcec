// SPDX-License-Identifier: MIT
// `weir control`: stays, and lets limits follow the load, between the bounds of a configuration.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <memory>
#include <ostream>

#include "weir/base/clock.h"
#include "weir/base/escape.h"
#include "weir/base/file.h"
#include "weir/base/json.h"
#include "weir/cli/command.h"
#include "weir/cli/open_files.h"
#include "weir/cli/signals.h"
#include "weir/cli/watch_outputs.h"
#include "weir/container/match.h"
#include "weir/control/cgroup_label.h"
#include "weir/control/prepare.h"
#include "weir/control/runner.h"
#include "weir/events/event_log.h"
#include "weir/limits/caller.h"
#include "weir/limits/stay_lock.h"

namespace weir::cli {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kLongestConfig = std::size_t{4} << 20;
constexpr const char* kSystemConfig = "/etc/weir/containers.yml";
constexpr const char* kHereConfig = "config/containers.yml";
/// How often the file is looked at.
constexpr std::chrono::seconds kFileRound{1};
/// CPU and memory that often: what moves a limit down again.
constexpr std::chrono::milliseconds kFastTick = control::Places::kTick;
/// What the kernel tells of one container's throttling.
constexpr std::chrono::milliseconds kWakePause{100};

struct Options {
  std::string config;
  bool check = false, dry_run = false;
  OutputOptions outputs;
};

/// The configuration file: read whole, and known by what stat says of it.
class ConfigFile {
 public:
  explicit ConfigFile(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Errors: absent, refused (others could write it), invalid with line and column.
  Result<control::Config> read() {
    const Fd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    struct stat status{};
    if (!file.valid() || ::fstat(file.get(), &status) != 0)
      return std::unexpected(errno_error(errno, path_, "open"));
    known_ = status.st_mtim;
    inode_ = status.st_ino;
    const bool of_others = status.st_uid != 0 && status.st_uid != ::geteuid() && status.st_uid != caller();
    const bool group_may = (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0;
    if (!S_ISREG(status.st_mode) || of_others || group_may || (status.st_mode & S_IWOTH) != 0)
      return std::unexpected(make_error(ErrorKind::refused, path_, "others could have written it",
                                        "it must be a file of root's that nobody else can write"));
    WEIR_TRY(const std::string text, read_all(file.get(), path_, kLongestConfig));
    return control::parse_config(text, path_);
  }

  /// Whether it is another one than was read last. One that is gone for now is not.
  [[nodiscard]] bool changed() const {
    struct stat status{};
    return ::stat(path_.c_str(), &status) == 0 &&
           (status.st_ino != inode_ || status.st_mtim.tv_sec != known_.tv_sec ||
            status.st_mtim.tv_nsec != known_.tv_nsec);
  }

 private:
  /// Who may own it, besides root: who called sudo.
  static uid_t caller() { return limits::read_caller({}).login_uid.value_or(0); }

  std::string path_;
  struct timespec known_{};
  ino_t inode_ = 0;
};

std::string find_config(const Options& options) {
  if (!options.config.empty()) return options.config;
  return ::access(kHereConfig, R_OK) == 0 ? kHereConfig : kSystemConfig;
}

class Control {
 public:
  /// What it is made of, all of which outlive it; `samples` may be null.
  struct Parts {
    control::Runner& runner;
    const sample::Frames& frames;
    ConfigFile& file;
    events::EventLog* samples;
    WaitSet& waiting;
  };
  Control(Session& session, Parts parts, WatchOutputs outputs)
      : session_(session),
        runner_(parts.runner),
        frames_(parts.frames),
        file_(parts.file),
        samples_(parts.samples),
        outputs_(std::move(outputs)),
        waiting_(parts.waiting) {}

  /// Until a signal comes that ends it; whatever ended it, the limits are put back.
  Result<void> run(const Fd& signals) {
    auto ended = stay(signals);
    outputs_.stopping();
    if (runner_.config().on_exit == control::OnExit::keep) return ended;
    auto restored = runner_.restore();
    tell_notes();
    return ended ? restored : ended;
  }

 private:
  static constexpr std::uint64_t kSignal = 0, kSome = 1;

  Result<void> stay(const Fd& signals) {
    WEIR_CHECK(waiting_.add(signals.get(), EPOLLIN, kSignal));
    for (const int fd : {frames_.fd(), outputs_.fd()})
      if (fd >= 0) WEIR_CHECK(waiting_.add(fd, EPOLLIN, kSome));
    for (;;) {
      const std::span<const Ready> ready = waiting_.wait(std::min(runner_.again(), file_at_));
      if (std::ranges::find(ready, kSignal, &Ready::number) != ready.end()) {
        if (take_signal(signals) != SIGHUP) return {};
        WEIR_CHECK(read_again());
      }
      WEIR_TRY(const std::vector<Event> events, runner_.turn(ready));
      tell(events);
      keep_samples();
      if (const Frame* frame = runner_.frame(); frame != nullptr)
        outputs_.see(*frame, frames_, [](const Container&) { return true; });
      outputs_.serve();
      const nanoseconds now = SystemClock().monotonic();
      outputs_.working(fmt::format("{} containers in care", runner_.managed()), now);
      if (now < file_at_) continue;
      file_at_ = now + kFileRound;
      if (file_.changed()) WEIR_CHECK(read_again());
    }
  }

  /// A file that is wrong changes nothing.
  Result<void> read_again() {
    auto config = file_.read();
    if (!config) {
      warn(session_, fmt::format("the configuration stays as it was: {}", config.error().message()));
      return {};
    }
    WEIR_TRY(const std::vector<Event> events, runner_.reconfigure(std::move(*config)));
    fmt::print(session_.terminal.err, "weir: {} read again, {} containers in care\n", file_.path(),
               runner_.managed());
    tell(events);
    return {};
  }

  void tell(const std::vector<Event>& events) {
    for (const Event& event : events) outputs_.tell(event);
    tell_notes();
  }
  /// The first loss of a series is told.
  void keep_samples() {
    const std::vector<std::string> rows = runner_.take_samples();
    if (samples_ == nullptr) return;
    for (const std::string& row : rows) {
      const auto kept = samples_->append(row);
      if (!kept && !losing_) warn(session_, fmt::format("samples are lost: {}", kept.error().message()));
      losing_ = !kept;
    }
  }
  void tell_notes() {
    for (const std::string& said : runner_.take_said())
      fmt::print(session_.terminal.err, "weir: {}\n", terminal_safe(said));
    for (const std::string& note : runner_.take_notes()) warn(session_, note);
  }

  Session& session_;
  control::Runner& runner_;
  const sample::Frames& frames_;
  ConfigFile& file_;
  events::EventLog* samples_;
  WatchOutputs outputs_;
  WaitSet& waiting_;
  nanoseconds file_at_{0};
  bool losing_ = false;  ///< samples
};

/// What is read and checked, and not carried out.
void warn_of_rest(const Session& session, const control::Config& config) {
  const auto asks_model = [](const control::Entry& entry) {
    return std::ranges::any_of(entry.resources,
                               [](const control::Managed& managed) { return managed.policy->asks_model; });
  };
  if (!config.model_path.empty() && std::ranges::none_of(config.entries, asks_model))
    warn(session, "nobody asks the model of ml.model_path: give a container the policy learned");
}

/// Whom one entry means now, and what would be done for it beside limits.
struct Meant {
  std::vector<std::string> names, notes, troubles;
};
Meant look_at(const control::Entry& entry, const container::Inventory& there, cgroup::Dir& root,
              const HostPaths& paths) {
  Meant meant;
  for (const Container& each : there.containers) {
    if (!container::matches(entry.target, each)) continue;
    meant.names.push_back(each.name);
    if (std::string label = control::describe_label(each); !label.empty())
      meant.notes.push_back(std::move(label));
  }
  if (entry.target.kind != container::TargetKind::path) return meant;
  if (meant.names.empty() && cgroup::open_path(root, entry.target.first))
    meant.names.push_back(entry.target.first);
  control::Prepared rehearsal = control::rehearse(entry, root, paths);
  std::ranges::move(rehearsal.steps, std::back_inserter(meant.notes));
  meant.troubles = std::move(rehearsal.troubles);
  return meant;
}

/// What a valid configuration means on this host now.
Result<int> check(Session& session, const control::Config& config, const std::string& path) {
  warn_of_rest(session, config);
  const auto root = cgroup::open_root(session.paths.cgroup_root);
  const auto there =
      root ? container::take_inventory(session.paths, **root, container::Include::containers_and_services)
           : container::Inventory();
  Json entries = Json::array();
  for (const control::Entry& entry : config.entries) {
    const Meant meant = root ? look_at(entry, there, **root, session.paths) : Meant();
    if (session.json) {
      entries.push_back({{"target", entry.target.text},
                         {"where", entry.where},
                         {"containers", meant.names},
                         {"notes", meant.notes},
                         {"troubles", meant.troubles}});
      continue;
    }
    fmt::print(
        session.terminal.out, "{}: {}: {}\n", entry.where, entry.target.text,
        meant.names.empty() ? "none now" : terminal_safe(fmt::format("{}", fmt::join(meant.names, ", "))));
    for (const std::string& note : meant.notes)
      fmt::print(session.terminal.out, "  {}\n", terminal_safe(note));
    for (const std::string& trouble : meant.troubles) warn(session, trouble);
  }
  if (session.json)
    fmt::print(session.terminal.out, "{}\n",
               dump_json(Json{{"schema", 1}, {"config", path}, {"valid", true}, {"targets", entries}}, -1));
  else
    fmt::print(session.terminal.out, "{} is valid\n", path);
  return kDone;
}

Result<int> control(Session& session, Options options) {
  ConfigFile file(find_config(options));
  WEIR_TRY(control::Config config, file.read());
  if (options.check) return check(session, config, file.path());
  if (!config.log.empty() && options.outputs.log == kEventLog) options.outputs.log = config.log;

  warn_of_rest(session, config);
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(session.paths.cgroup_root));
  WEIR_TRY(std::string boot_id, limits::read_boot_id(session.paths));
  const limits::Caller caller = limits::read_caller(session.paths);
  const auto writes = options.dry_run ? control::Writes::no : control::Writes::yes;
  Fd lock;
  if (writes == control::Writes::yes) {
    WEIR_TRY(lock, limits::take_stay_lock(session.paths.run_dir, limits::Stay::control));
  }
  const SystemClock clock;
  WEIR_TRY(WatchOutputs outputs, WatchOutputs::open(session, options.outputs, clock));
  std::optional<events::EventLog> samples;
  if (!config.samples.empty()) {
    WEIR_TRY(events::EventLog log, events::EventLog::open(config.samples));
    samples.emplace(std::move(log));
  }
  WEIR_TRY(const Fd signals, open_signals());
  allow_open_files();
  WEIR_TRY(sample::Frames frames,
           sample::Frames::open(*root, session.paths, clock, {.fast_tick = kFastTick}));
  WEIR_TRY(WaitSet waiting, WaitSet::open());
  auto onset = bpf::Onset::open(kWakePause);
  auto starts = bpf::PeriodStart::open();
  auto lost = bpf::LostTime::open();
  WEIR_TRY(control::Runner runner,
           control::Runner::open(
               {.root = *root,
                .paths = session.paths,
                .clock = clock,
                .frames = frames,
                .waiting = waiting,
                .onset = onset ? &*onset : nullptr,
                .starts = starts ? &*starts : nullptr,
                .lost = lost ? &*lost : nullptr,
                .who = caller,
                .guarded = {.own_cgroup = limits::read_own_cgroup(session.paths), .user = caller.login_uid},
                .boot_id = std::move(boot_id),
                .writes = writes},
               std::move(config)));
  const std::string woken =
      onset ? "woken by " + onset->throttle_hook()
            : fmt::format("looking five times a second (no BPF: {})", onset.error().message());
  fmt::print(session.terminal.err, "weir: control by {}, {}{}{}; Ctrl-C ends it\n", file.path(), woken,
             options.dry_run ? ", nothing is written" : "", outputs.describe());
  session.terminal.err.flush();
  WEIR_CHECK(Control(session,
                     {.runner = runner,
                      .frames = frames,
                      .file = file,
                      .samples = samples ? &*samples : nullptr,
                      .waiting = waiting},
                     std::move(outputs))
                 .run(signals));
  return kDone;
}

}  // namespace

void add_control(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("control", "Stay, and let limits follow the load, never past a ceiling");
  command->footer(
      "Each container of the configuration has a soft limit that moves and a hard one\n"
      "that never does. When the soft limit is the cause of waiting it is raised,\n"
      "within milliseconds; when the load goes it comes down again. The file is read\n"
      "again when it changes, and on SIGHUP; a wrong one changes nothing.\n"
      "Examples:\n"
      "  weir control --check         is it right, and whom does it mean\n"
      "  weir control --dry-run       decide and tell everything, write nothing\n"
      "  weir control -c my.yml       until Ctrl-C, then the limits are as before\n"
      "  weir control --prometheus 127.0.0.1:9717   metrics for Prometheus here\n"
      "  weir control --json --no-log | jq -c 'select(.event == \"soft_limit_raised\")'");
  const auto options = std::make_shared<Options>();
  command
      ->add_option("-c,--config", options->config,
                   "The configuration; default: config/containers.yml, else /etc/weir/containers.yml")
      ->type_name("FILE");
  command->add_flag("--check", options->check, "Only check the configuration, and show whom it means");
  command->add_flag("--dry-run", options->dry_run, "Decide and tell, but write no limit");
  add_output_options(*command, options->outputs);
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, control(session, *options)); };
  });
}

}  // namespace weir::cli
