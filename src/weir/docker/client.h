// SPDX-License-Identifier: MIT
#pragma once
// Client: the Docker Engine API over its unix socket (Docker, and Podman's compatible service). One
// connection kept open; every call is bounded in time and in the size of the answer. Answers are untrusted.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/docker/http.h"
#include "weir/model/container.h"

namespace weir::docker {

inline constexpr std::string_view kDockerSocket = "/run/docker.sock";
inline constexpr std::string_view kPodmanSocket = "/run/podman/podman.sock";

struct Options {
  std::string socket = std::string(kDockerSocket);
  std::chrono::milliseconds timeout{5'000};  ///< for each call, connect included
  std::size_t body_limit = std::size_t{64} << 20;
};

/// What a container update can carry; text as the API wants it.
struct Update {
  std::string json;  ///< body of POST /containers/ID/update, e.g. {"CpuPeriod":100000,"CpuQuota":50000}
};

class Client {
 public:
  /// absent: no socket or nobody listens; refused: no permission; failed: garbage or timeout.
  static Result<Client> connect(Options options);

  /// GET /version: "26.1.5".
  Result<std::string> version();
  /// GET /info: "systemd" or "cgroupfs", and "1" or "2".
  struct Info {
    std::string cgroup_driver, cgroup_version, server_version;
    std::uint64_t cpus = 0, memory = 0;  ///< of the host; 0 where it does not say
  };
  Result<Info> info();
  /// GET /containers/json (running only): id, name, image, labels, compose and k8s labels; no cgroup and no
  /// pid.
  Result<std::vector<Container>> list();
  /// As list(), only those whose name is exactly `name`.
  Result<std::vector<Container>> list_named(std::string_view name);
  /// What HostConfig says about limits, in the Engine's own words and units; 0 and "" where it says nothing.
  struct Resources {
    std::int64_t nano_cpus = 0, cpu_quota = 0, cpu_period = 0, cpu_shares = 0;
    std::int64_t memory = 0, memory_swap = 0, memory_reservation = 0, pids_limit = 0;
    std::string cpuset_cpus, cpuset_mems;
  };
  /// GET /containers/ID/json: HostConfig and State.Pid (nullopt when it does not run). gone when there is no
  /// such container.
  struct Inspect {
    std::string cgroup_parent;
    std::optional<Pid> pid;
    std::string name, id, image;
    Resources resources;
  };
  Result<Inspect> inspect(std::string_view id);
  /// POST /containers/ID/update. gone when there is no such container.
  Result<void> update(std::string_view id, const Update& update);

  /// One raw call, for what has no method above; any status is an answer. `path` is percent-encoded already.
  using Answer = docker::Answer;
  Result<Answer> call(std::string_view method, std::string_view path, std::string_view body = {});

 private:
  explicit Client(HttpConnection connection) : connection_(std::move(connection)) {}
  /// A call whose answer must be 2xx: its body; else gone / absent / refused / failed with the daemon's own
  /// message.
  Result<std::string> ask(std::string_view method, std::string_view path, std::string_view body = {});
  HttpConnection connection_;
};

}  // namespace weir::docker
