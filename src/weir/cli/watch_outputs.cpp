// SPDX-License-Identifier: MIT
#include "weir/cli/watch_outputs.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <ostream>

#include "weir/base/text.h"
#include "weir/cli/event_text.h"
#include "weir/events/event_json.h"

namespace weir::cli {

void add_output_options(CLI::App& command, OutputOptions& options) {
  command.add_option("--log", options.log, "Append events to this file")
      ->type_name("FILE")
      ->capture_default_str();
  command
      .add_option("--log-size", options.size, "Begin a new file at this size; four are kept (default 16M)")
      ->type_name("SIZE");
  command.add_flag("--no-log", options.no_log, "Only print them");
}

Result<WatchOutputs> WatchOutputs::open(Session& session, const OutputOptions& options) {
  WatchOutputs outputs(session);
  events::LogOptions log_options;
  if (!options.size.empty()) {
    WEIR_TRY(const Bytes size, parse_bytes(options.size));
    log_options.most_bytes = size.count();
  }
  if (!options.no_log) {
    WEIR_TRY(events::EventLog opened, events::EventLog::open(options.log, log_options));
    outputs.log_.emplace(std::move(opened));
  }
  return outputs;
}

void WatchOutputs::tell(const Event& event) {
  const std::string line = events::event_json(event);
  if (session_->json)
    fmt::print(session_->terminal.out, "{}\n", line);
  else
    fmt::print(session_->terminal.out, "{}\n", event_text(event));
  session_->terminal.out.flush();
  if (!log_) return;
  const std::uint64_t lost = log_->lost();
  if (auto logged = log_->append(line); !logged && lost == 0)  // once, until it works again
    warn(*session_, fmt::format("events are lost: {}", logged.error().message()));
}

std::string WatchOutputs::describe() const { return log_ ? fmt::format("; logged to {}", log_->path()) : ""; }

}  // namespace weir::cli
