// SPDX-License-Identifier: MIT
#include "weir/latency/writer.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "weir/base/fd.h"
#include "weir/base/file.h"
#include "weir/docker/client.h"
#include "weir/spawn/tool.h"
#include "weir/systemd/bus.h"

namespace weir::latency {
namespace {

using cgroup::Knob;

constexpr std::chrono::seconds kToolTimeout{60};
constexpr std::chrono::milliseconds kApiTimeout{60'000};

class Pwrite final : public Writer {
 public:
  explicit Pwrite(std::unique_ptr<cgroup::File> file) : file_(std::move(file)) {}
  Result<void> prepare(const Value& value) override {
    text_ = kernel_text(value);
    return {};
  }
  Result<void> write() override { return file_->write(text_); }

 private:
  std::unique_ptr<cgroup::File> file_;
  std::string text_;
};

class OpenWriteClose final : public Writer {
 public:
  OpenWriteClose(cgroup::Dir& dir, std::string_view file) : dir_(dir), file_(file) {}
  Result<void> prepare(const Value& value) override {
    text_ = kernel_text(value);
    return {};
  }
  Result<void> write() override { return dir_.write(file_, text_); }

 private:
  cgroup::Dir& dir_;
  std::string_view file_;
  std::string text_;
};

class DockerCli final : public Writer {
 public:
  DockerCli(std::string docker, std::string id) : docker_(std::move(docker)), id_(std::move(id)) {}
  Result<void> prepare(const Value& value) override {
    argv_ = {docker_, "update"};
    for (std::string& option : docker_options(value)) argv_.push_back(std::move(option));
    argv_.push_back(id_);
    return {};
  }
  Result<void> write() override {
    WEIR_CHECK(spawn::run_tool(argv_, kToolTimeout));
    return {};
  }

 private:
  std::string docker_, id_;
  std::vector<std::string> argv_;
};

class DockerApi final : public Writer {
 public:
  DockerApi(docker::Client client, std::string id) : client_(std::move(client)), id_(std::move(id)) {}
  Result<void> prepare(const Value& value) override {
    update_.json = docker_json(value);
    return {};
  }
  Result<void> write() override { return client_.update(id_, update_); }

 private:
  docker::Client client_;
  std::string id_;
  docker::Update update_;
};

/// The resources are handed over in a memory file, which runc opens by its number: runc's own options lack
/// memory.high.
class Runc final : public Writer {
 public:
  Runc(std::string runc, std::string root, std::string id, Fd resources)
      : resources_(std::move(resources)),
        argv_{std::move(runc), "--root",      std::move(root),
              "update",        "--resources", fmt::format("/proc/{}/fd/{}", getpid(), resources_.get()),
              std::move(id)} {}
  Result<void> prepare(const Value& value) override {
    if (ftruncate(resources_.get(), 0) != 0 || lseek(resources_.get(), 0, SEEK_SET) != 0)
      return std::unexpected(errno_error(errno, "resources", "emptying a memory file"));
    return write_all(resources_.get(), oci_resources(value), "resources");
  }
  Result<void> write() override {
    WEIR_CHECK(spawn::run_tool(argv_, kToolTimeout));
    return {};
  }

 private:
  Fd resources_;
  std::vector<std::string> argv_;
};

class Systemd final : public Writer {
 public:
  Systemd(systemd::Bus bus, std::string unit) : bus_(std::move(bus)), unit_(std::move(unit)) {}
  Result<void> prepare(const Value& value) override {
    const UnitProperty property = unit_property(value);
    properties_ = {{.name = property.name, .value = property.value}};
    return {};
  }
  Result<void> write() override { return bus_.set_unit_properties(unit_, properties_); }

 private:
  systemd::Bus bus_;
  std::string unit_;
  std::vector<systemd::Property> properties_;
};

std::unexpected<Error> cannot(std::string_view subject, std::string_view why) {
  return std::unexpected(make_error(ErrorKind::absent, subject, why));
}

Result<std::unique_ptr<Writer>> make_docker_cli(const Subject& subject) {
  if (subject.docker_id().empty()) return cannot(subject.name(), "is not a container of Docker");
  WEIR_TRY(std::string docker, spawn::find_tool("docker"));
  return std::make_unique<DockerCli>(std::move(docker), subject.docker_id());
}

Result<std::unique_ptr<Writer>> make_docker_api(const Subject& subject, const HostPaths& paths) {
  if (subject.docker_id().empty()) return cannot(subject.name(), "is not a container of Docker");
  WEIR_TRY(docker::Client client,
           docker::Client::connect({.socket = paths.host(docker::kDockerSocket), .timeout = kApiTimeout}));
  return std::make_unique<DockerApi>(std::move(client), subject.docker_id());
}

Result<std::unique_ptr<Writer>> make_runc(const Subject& subject, const HostPaths& paths) {
  if (subject.docker_id().empty()) return cannot(subject.name(), "was not started by Docker through runc");
  WEIR_TRY(std::string runc, spawn::find_tool("runc"));
  const std::string root = paths.host("/run/docker/runtime-runc/moby");
  if (access(fmt::format("{}/{}/state.json", root, subject.docker_id()).c_str(), R_OK) != 0)
    return cannot(root, "runc has no state of the container there");
  Fd resources(memfd_create("weir-resources", MFD_CLOEXEC));
  if (!resources.valid()) return std::unexpected(errno_error(errno, "resources", "making a memory file"));
  return std::make_unique<Runc>(std::move(runc), root, subject.docker_id(), std::move(resources));
}

Result<std::unique_ptr<Writer>> make_systemd(const Subject& subject) {
  WEIR_TRY(systemd::Bus bus, systemd::Bus::connect());
  if (subject.unit().empty())
    return cannot(subject.dir_path(), "is no unit of systemd (Docker's cgroupfs driver makes none)");
  return std::make_unique<Systemd>(std::move(bus), subject.unit());
}

}  // namespace

Result<std::unique_ptr<Writer>> make_writer(Method method, Knob knob, Subject& subject,
                                            const HostPaths& paths) {
  const std::string_view file = raced(knob).file;
  if (const auto reason = unsupported(method, knob)) return cannot(file, *reason);
  switch (method) {
    case Method::docker_cli:
      return make_docker_cli(subject);
    case Method::docker_api:
      return make_docker_api(subject, paths);
    case Method::runc:
      return make_runc(subject, paths);
    case Method::systemd:
      return make_systemd(subject);
    case Method::open_write_close:
      return std::make_unique<OpenWriteClose>(subject.dir(), file);
    case Method::pwrite: {
      WEIR_TRY(std::unique_ptr<cgroup::File> kept, subject.dir().keep(file, cgroup::Access::write));
      return std::make_unique<Pwrite>(std::move(kept));
    }
  }
  return cannot(file, "no such method");
}

}  // namespace weir::latency
