// SPDX-License-Identifier: MIT
#pragma once
// FullDisk: lets no file of this process grow past a size, as a full disk does, until it is freed.

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>

namespace weir::testing {

class FullDisk {
 public:
  FullDisk() : before_(::signal(SIGXFSZ, SIG_IGN)) { ::getrlimit(RLIMIT_FSIZE, &limit_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    free();
    ::signal(SIGXFSZ, before_);
  }
  /// Until free(): no file may become larger than this one is now.
  void fill(const std::string& path) const {
    const struct rlimit full{.rlim_cur = std::filesystem::file_size(path), .rlim_max = limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &full);
  }
  void free() const { ::setrlimit(RLIMIT_FSIZE, &limit_); }

 private:
  struct rlimit limit_{};
  void (*before_)(int);
};

}  // namespace weir::testing
