// SPDX-License-Identifier: MIT
// Three containers and their image through Docker's command and its Engine API, marked by the label weir.lab.
#include <fmt/format.h>

#include <map>

#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/docker/client.h"
#include "weir/lab/disk.h"
#include "weir/lab/runner.h"
#include "weir/proc/process.h"
#include "weir/spawn/tool.h"

namespace weir::lab {
namespace {

using std::chrono::seconds;

constexpr const char* kLabel = "weir.lab=up";
constexpr const char* kFilter = "label=weir.lab=up";
constexpr const char* kImage = "weir-lab:up";
constexpr seconds kQuick{60};
constexpr seconds kSlow{180};

class DockerRunner final : public Runner {
 public:
  DockerRunner(const HostPaths& paths, std::string docker, std::string context)
      : paths_(paths), docker_(std::move(docker)), context_(std::move(context)) {}

  [[nodiscard]] std::string_view name() const override { return "docker"; }

  Result<void> prepare() override {
    WEIR_CHECK(
        spawn::run_tool({docker_, "build", "--quiet", "--label", kLabel, "--tag", kImage, context_}, kSlow));
    return {};
  }

  /// Through the Engine API: `docker run` of Docker 26 drops --device-write-bps without a word.
  Result<void> start(const Workload& workload) override {
    // The label says where the cgroup is, as in docker-compose.yml; the id is not known before the container
    // is there.
    const Json body = {
        {"Image", kImage},
        {"Cmd", arguments(workload)},
        {"Labels",
         {{"weir.lab", "up"}, {"com.example.cgroup_path", "/system.slice/docker-<container id>.scope"}}},
        {"HostConfig", host_config(workload)}};
    WEIR_TRY(auto client,
             docker::Client::connect({.socket = paths_.host(docker::kDockerSocket), .timeout = kSlow}));
    WEIR_CHECK(ask(client, fmt::format("/containers/create?name={}", workload.name), dump_json(body)));
    return ask(client, fmt::format("/containers/{}/start", workload.name), "");
  }

  Result<std::string> cgroup(const Workload& workload) override {
    WEIR_TRY(const std::string text,
             spawn::run_tool({docker_, "inspect", "--format", "{{.State.Pid}}", std::string(workload.name)},
                             kQuick));
    const auto pid = parse_u64(trim(text));
    if (!pid || *pid == 0)
      return std::unexpected(make_error(ErrorKind::gone, workload.name, "the container has ended"));
    return proc::read_cgroup_path(paths_.proc, Pid(static_cast<std::int32_t>(*pid)));
  }

  std::string last_words(const Workload& workload) override {
    return spawn::run_tool({"/bin/sh", "-c", "exec \"$0\" logs --tail 1 \"$1\" 2>&1", docker_,
                            std::string(workload.name)},
                           kQuick)
        .value_or("");
  }

  Result<std::vector<std::string>> remove() override {
    std::vector<std::string> removed;
    WEIR_TRY(const auto found, containers());
    if (!found.empty()) {
      std::vector<std::string> argv = {docker_, "rm", "--force", "--volumes"};
      for (const auto& [id, name] : found) {
        argv.push_back(id);
        removed.push_back("container " + name);
      }
      WEIR_CHECK(spawn::run_tool(argv, kSlow));
    }
    WEIR_TRY(const std::string images,
             spawn::run_tool({docker_, "images", "--quiet", "--filter", kFilter}, kQuick));
    for (const std::string_view id : words(images)) {
      WEIR_CHECK(spawn::run_tool({docker_, "rmi", "--force", std::string(id)}, kQuick));
      removed.push_back("image " + std::string(id));
    }
    return removed;
  }

  Result<std::vector<std::string>> present() override {
    WEIR_TRY(const auto found, containers());
    std::vector<std::string> names;
    for (const auto& [id, name] : found) names.push_back("container " + name);
    return names;
  }

 private:
  Result<std::map<std::string, std::string>> containers() {
    WEIR_TRY(const std::string text, spawn::run_tool({docker_, "ps", "--all", "--no-trunc", "--filter",
                                                      kFilter, "--format", "{{.ID}} {{.Names}}"},
                                                     kQuick));
    std::map<std::string, std::string> found;
    for (const std::string_view line : split(trim(text), '\n'))
      if (const auto columns = words(line); columns.size() == 2) found.emplace(columns[0], columns[1]);
    return found;
  }

  static Result<void> ask(docker::Client& client, const std::string& path, const std::string& body) {
    WEIR_TRY(const auto answer, client.call("POST", path, body));
    if (answer.status / 100 == 2) return {};
    const auto said = parse_json(answer.body, path);
    const std::string message = said ? string_member(*said, "message") : std::string();
    return std::unexpected(
        make_error(ErrorKind::failed, "docker",
                   message.empty() ? fmt::format("{}: status {}", path, answer.status) : message));
  }

  /// The io container is only held where the disk below Docker's files is known.
  Json host_config(const Workload& workload) {
    Json config = {{"NetworkMode", "none"}};
    switch (workload.held) {
      case Held::cpu:
        config["CpuPeriod"] = 100'000;
        config["CpuQuota"] = kCpuPercent * 1000;
        break;
      case Held::memory:
        config["Memory"] = kMemoryMax.count();
        config["MemorySwap"] = kMemoryMax.count();
        break;
      case Held::io: {
        const auto root = spawn::run_tool({docker_, "info", "--format", "{{.DockerRootDir}}"}, kQuick);
        const auto disk = root ? disk_below(std::string(trim(*root)), paths_) : std::unexpected(root.error());
        if (disk)
          config["BlkioDeviceWriteBps"] =
              Json::array({{{"Path", disk->node}, {"Rate", kIoWriteBps.count()}}});
        break;
      }
    }
    return config;
  }

  HostPaths paths_;
  std::string docker_, context_;
};

}  // namespace

std::unique_ptr<Runner> docker_runner(const HostPaths& paths, std::string docker, std::string context) {
  return std::make_unique<DockerRunner>(paths, std::move(docker), std::move(context));
}

}  // namespace weir::lab
