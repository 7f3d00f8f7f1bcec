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
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>

#include "weir/base/fd.h"

namespace weir::bench {

/// `weir control` of one cgroup, with what its configuration says of `cpu`; on PATH.
class WeirControl {
 public:
  WeirControl(const std::string& cgroup, std::string_view cpu) {
    std::filesystem::create_directories(folder_);
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    std::ofstream(folder_ + "/containers.yml")
        << fmt::format("version: 1\ncontainers:\n  {}:\n    cpu: {{{}}}\n", cgroup, cpu);
    std::array<int, 2> out{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0) std::exit(1);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      ::dup2(out[1], 1);
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
          const auto event = nlohmann::json::parse(text.substr(0, end), nullptr, false);
          if (!event.is_discarded() && event.value("event", "") == "soft_limit_raised")
            raised_ = event["time_ns"].get<std::int64_t>();
        }
      }
    });
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

 private:
  std::string folder_ = fmt::format("/run/weir-control-{}", ::getpid());
  pid_t pid_ = -1;
  std::thread reader_;
  std::atomic<std::int64_t> raised_{0};
};

}  // namespace weir::bench
