// SPDX-License-Identifier: MIT
#pragma once
// Runtimes: Docker and systemd, asked and told about one subject's limits. Connected to when first needed;
// every call is bounded in time; what they answer is untrusted. Decides nothing: what to tell is sync.h's.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/knob.h"
#include "weir/docker/client.h"
#include "weir/limits/sync.h"
#include "weir/limits/sync_record.h"
#include "weir/model/host_paths.h"
#include "weir/systemd/bus.h"

namespace weir::limits {

class Runtimes {
 public:
  explicit Runtimes(const HostPaths& paths, std::chrono::milliseconds timeout = std::chrono::seconds(5))
      : paths_(paths), timeout_(timeout) {}

  /// What those who know the subject say about these settings now. A unit counts only while its cgroup is the
  /// subject's. Returns once systemd has carried out what it was told before. Errors: gone (Docker knows no
  /// such container; nobody knows the unit), absent (Docker or the bus is not there), failed.
  Result<Listeners> listen(const Subject& subject, const std::vector<cgroup::Setting>& settings);

  /// Listeners::quota_step of this host's systemd; that of an old one where it does not answer.
  std::uint64_t quota_step();

  /// Tells them what they say otherwise: the Engine first, which makes systemd follow by itself, then systemd
  /// what it still has otherwise. `listeners` is what listen() gave, and afterwards what they say then;
  /// systemd is done with the kernel's files by then. Returns how often cpu.max was written by that, at most.
  Result<std::uint64_t> tell(const Subject& subject, const std::vector<cgroup::Setting>& settings,
                             const Telling& telling, Listeners& listeners);

 private:
  Result<docker::Client*> docker();
  Result<systemd::Bus*> bus();
  Result<void> ask_engine(const Subject& subject, Listeners& listeners);
  Result<void> ask_host(Listeners& listeners);
  Result<void> ask_unit(const Subject& subject, const std::vector<cgroup::Setting>& settings,
                        Listeners& listeners);

  const HostPaths& paths_;
  std::chrono::milliseconds timeout_;
  std::optional<docker::Client> docker_;
  std::optional<Error> docker_hangs_;  ///< it did not answer in time once: not waited for again
  std::optional<docker::Client::Info> host_;
  std::optional<systemd::Bus> bus_;
  std::uint64_t quota_step_ = kWholePercents;
};

}  // namespace weir::limits
