// SPDX-License-Identifier: MIT
#include "weir/cli/watch_outputs.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <array>
#include <ostream>
#include <string_view>

#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/cli/event_journal.h"
#include "weir/cli/event_text.h"
#include "weir/events/event_json.h"

namespace weir::cli {
namespace {

constexpr std::array<std::string_view, 2> kNames = {"log", "journal"};

}  // namespace

void add_output_options(CLI::App& command, OutputOptions& options) {
  command.add_option("--log", options.log, "Append events to this file")
      ->type_name("FILE")
      ->capture_default_str();
  command
      .add_option("--log-size", options.size, "Begin a new file at this size; four are kept (default 16M)")
      ->type_name("SIZE");
  command.add_flag("--no-log", options.no_log, "Only print them");
  add_record_options(command, options.record);
  command.add_flag("--journald", options.journald, "Also to the systemd journal, with fields to search by");
  command
      .add_option("--prometheus", options.prometheus,
                  "Serve metrics at 127.0.0.1:PORT, [::1]:PORT or the path of a unix socket")
      ->type_name("ADDRESS");
}

Result<WatchOutputs> WatchOutputs::open(Session& session, const OutputOptions& options, const Clock& clock) {
  WatchOutputs outputs(session);
  events::LogOptions log_options;
  if (!options.size.empty()) {
    WEIR_TRY(const Bytes size, parse_bytes(options.size));
    log_options.most_bytes = size.count();
  }
  std::optional<serve::Address> address;
  if (!options.prometheus.empty()) {
    WEIR_TRY(address, serve::parse_address(options.prometheus));
  }
  if (!options.no_log) {
    WEIR_TRY(events::EventLog opened, events::EventLog::open(options.log, log_options));
    outputs.log_.emplace(std::move(opened));
  }
  if (options.record.record) {
    WEIR_TRY(Recording opened, Recording::open(session, options.record));
    outputs.recording_.emplace(std::move(opened));
  }
  if (options.journald) {
    WEIR_TRY(systemd::Journal opened, systemd::Journal::open());
    outputs.journal_.emplace(std::move(opened));
  }
  if (address) {
    WEIR_TRY(outputs.endpoint_, serve::Endpoint::open(*address, clock));
    exports::Watching& watching = outputs.endpoint_->watching();
    for (const std::string_view name : kNames)
      if (name == "log" ? outputs.log_.has_value() : outputs.journal_.has_value())
        watching.lost.emplace_back(name, 0);
  }
  outputs.notifier_ = systemd::Notifier::from_environment();
  return outputs;
}

void WatchOutputs::print(const Event& event, const std::string& line) {
  fmt::print(session_->terminal.out, "{}\n", session_->json ? line : event_text(event));
  session_->terminal.out.flush();
}

void WatchOutputs::took(Output output, const Result<void>& taken) {
  const auto n = static_cast<std::size_t>(output);
  if (!taken) {
    ++lost_.at(n);
    if (!losing_.at(n)) warn(*session_, fmt::format("events are lost: {}", taken.error().message()));
    if (endpoint_)
      for (auto& [name, count] : endpoint_->watching().lost)
        if (name == kNames.at(n)) count = lost_.at(n);
  }
  losing_.at(n) = !taken;
}

void WatchOutputs::tell(const Event& event) {
  std::string line = events::event_json(event);
  print(event, line);
  ++told_;
  if (log_) took(Output::log, log_->append(line));
  if (recording_) recording_->tell(event.time, line);
  if (endpoint_) endpoint_->watching().events.count(event);
  if (notifier_) last_ = event_sentence(event);
  if (journal_) took(Output::journal, journal_->send(journal_fields(event, std::move(line))));
}

std::string WatchOutputs::status(std::string_view of) const {
  constexpr std::size_t kMostColumns = 200;
  std::string text = fmt::format("{}, {} events", of, told_);
  if (!last_.empty()) text += fmt::format("; last: {}", last_);
  return fit_width(text, kMostColumns);
}

void WatchOutputs::see(const Frame& frame, const sample::Frames& frames,
                       const std::function<bool(const Container&)>& wanted) {
  if (recording_) recording_->see(frame);
  if (endpoint_) {
    endpoint_->see(frame, wanted);
    exports::Watching& watching = endpoint_->watching();
    watching.role = std::string(sample::to_string(frames.role()));
    watching.unreadable_files =
        frames.role() == sample::Role::attached ? std::nullopt : std::optional(frames.unreadable());
  }
}

void WatchOutputs::working(std::string_view of, std::chrono::nanoseconds now) {
  if (!notifier_) return;
  if (!ready_)
    notifier_->ready(status(of));
  else
    notifier_->status(status(of));
  ready_ = true;
  notifier_->progress(now);
}

std::string WatchOutputs::describe() const {
  std::string text;
  if (log_) text += fmt::format("; logged to {}", log_->path());
  if (recording_) text += fmt::format("; recorded in {}", recording_->directory());
  if (journal_) text += "; to the journal";
  if (endpoint_) text += fmt::format("; metrics at {}", serve::to_string(endpoint_->address()));
  return text;
}

}  // namespace weir::cli
