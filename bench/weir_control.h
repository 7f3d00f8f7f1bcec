// SPDX-License-Identifier: MIT
#pragma once
// A `weir control` of a benchmark's own.

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "weir/base/fd.h"

namespace weir::bench {

/// `weir control` of some cgroups, all with the same `resources` ("cpu: {hard: 2}"), and what else its
/// configuration says; on PATH.
class WeirControl {
 public:
  WeirControl(const std::vector<std::string>& cgroups, std::string_view resources,
              std::string_view rest = "") {
    std::filesystem::create_directories(folder_);
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    std::ofstream config(folder_ + "/containers.yml");
    config << "version: 1\ncontainers:\n";
    for (const std::string& cgroup : cgroups) config << fmt::format("  {}:\n    {}\n", cgroup, resources);
    config << rest;
    config.close();
    std::array<int, 2> out{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0) std::exit(1);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      ::dup2(out[1], 1);
      ::dup2(out[1], 2);
      ::execlp("weir", "weir", "--run-dir", (folder_ + "/run").c_str(), "control", "--json", "--no-log", "-c",
               (folder_ + "/containers.yml").c_str(), nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    reader_ = std::thread([this, in = Fd(out[0])] {
      std::string text;
      std::array<char, 4096> bytes{};
      for (ssize_t size = 0; (size = ::read(in.get(), bytes.data(), bytes.size())) > 0;) {
        text.append(bytes.data(), static_cast<std::size_t>(size));
        for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
          const std::string line = text.substr(0, end);
          const auto event = nlohmann::json::parse(line, nullptr, false);
          if (line.contains("Ctrl-C ends it"))
            become_ready();
          else if (event.is_discarded())
            fmt::print(stderr, "{}\n", line);
          if (event.is_discarded() || event.value("event", "") != "soft_limit_raised") continue;
          raised_ = event["time_ns"].get<std::int64_t>();
          const std::scoped_lock lock(mutex_);
          ++raises_[event["container"].value("cgroup", "")];
        }
      }
      become_ready();  // or it is over
    });
    ready_.wait(false);
    std::this_thread::sleep_for(std::chrono::seconds(2));  // the first frames
  }
  WeirControl(const WeirControl&) = delete;
  WeirControl& operator=(const WeirControl&) = delete;
  ~WeirControl() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    reader_.join();
    std::filesystem::remove_all(folder_);
  }
  /// When it last raised the limit, CLOCK_REALTIME.
  [[nodiscard]] std::chrono::nanoseconds raised() const { return std::chrono::nanoseconds(raised_); }
  /// How often it raised that of this cgroup.
  [[nodiscard]] int raises(const std::string& cgroup) {
    const std::scoped_lock lock(mutex_);
    return raises_[cgroup];
  }

 private:
  void become_ready() {
    ready_ = true;
    ready_.notify_all();
  }

  std::string folder_ = fmt::format("/run/weir-control-{}", ::getpid());
  pid_t pid_ = -1;
  std::thread reader_;
  std::atomic<bool> ready_{false};
  std::atomic<std::int64_t> raised_{0};
  std::mutex mutex_;
  std::map<std::string, int> raises_;
};

}  // namespace weir::bench
