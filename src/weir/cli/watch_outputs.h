// SPDX-License-Identifier: MIT
#pragma once
// WatchOutputs: where what `weir watch` sees goes: the terminal, the log, the history, the systemd journal,
// the metrics endpoint and the service manager. One call an event and one a frame; an output that is out of
// order says so once, counts what it loses, and takes nothing from the others. What is seen is watch.cpp's.

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/clock.h"
#include "weir/cli/command.h"
#include "weir/cli/recording.h"
#include "weir/events/event_log.h"
#include "weir/model/event.h"
#include "weir/sample/frames.h"
#include "weir/serve/endpoint.h"
#include "weir/systemd/journal.h"
#include "weir/systemd/notify.h"

namespace weir::cli {

inline constexpr const char* kEventLog = "logs/events.jsonl";

struct OutputOptions {
  std::string log = kEventLog;
  std::string size;
  std::string prometheus;  ///< "": not served
  bool no_log = false, journald = false;
  RecordOptions record;
};
/// The options of `command` that say where events and frames go.
void add_output_options(CLI::App& command, OutputOptions& options);

class WatchOutputs {
 public:
  /// `session` and `clock` outlive it. Errors: invalid (an option), refused or failed (the log, the address).
  static Result<WatchOutputs> open(Session& session, const OutputOptions& options, const Clock& clock);

  void tell(const Event& event);
  /// A new frame of `frames`; of its containers the `wanted` ones are served.
  void see(const Frame& frame, const sample::Frames& frames,
           const std::function<bool(const Container&)>& wanted);
  /// Tells the service manager that work was done at `now` (CLOCK_MONOTONIC), and of what: "12 containers";
  /// ready, the first time.
  void working(std::string_view of, std::chrono::nanoseconds now);
  /// Readable when serve() has something to do; -1: never. serve() is to be called at least once a second.
  [[nodiscard]] int fd() const { return endpoint_ ? endpoint_->fd() : -1; }
  void serve() {
    if (endpoint_) endpoint_->serve();
  }
  /// It ends because it was told to.
  void stopping() {
    if (recording_) recording_->finish();
    if (notifier_) notifier_->stopping();
  }
  /// "; logged to …" for the line that begins a watch.
  [[nodiscard]] std::string describe() const;

 private:
  enum class Output : std::uint8_t { log, journal };
  explicit WatchOutputs(Session& session) : session_(&session) {}
  void print(const Event& event, const std::string& line);
  /// Warns of the first loss of a series.
  void took(Output output, const Result<void>& taken);
  [[nodiscard]] std::string status(std::string_view of) const;

  Session* session_;
  std::optional<events::EventLog> log_;
  std::optional<Recording> recording_;
  std::optional<systemd::Journal> journal_;
  std::unique_ptr<serve::Endpoint> endpoint_;
  std::optional<systemd::Notifier> notifier_;
  std::array<std::uint64_t, 2> lost_{};  ///< by output, since the start
  std::array<bool, 2> losing_{};
  std::uint64_t told_ = 0;
  std::string last_;
  bool ready_ = false;
};

}  // namespace weir::cli
