// SPDX-License-Identifier: MIT
#pragma once
// WatchOutputs: where what `weir watch` sees goes: the terminal and the log. One call an event; one that is
// out of order says so once and takes nothing from the others. What is seen and what is told of it is
// watch.cpp's.

#include <optional>
#include <string>

#include "weir/cli/command.h"
#include "weir/events/event_log.h"
#include "weir/model/event.h"

namespace weir::cli {

struct OutputOptions {
  std::string log = "logs/events.jsonl";
  std::string size;
  bool no_log = false;
};
/// The options of `command` that say where events go.
void add_output_options(CLI::App& command, OutputOptions& options);

class WatchOutputs {
 public:
  /// `session` outlives it. Errors: invalid (an option), refused or failed (the log).
  static Result<WatchOutputs> open(Session& session, const OutputOptions& options);

  void tell(const Event& event);
  /// "; logged to …" for the line that begins a watch.
  [[nodiscard]] std::string describe() const;

 private:
  explicit WatchOutputs(Session& session) : session_(&session) {}

  Session* session_;
  std::optional<events::EventLog> log_;
};

}  // namespace weir::cli
