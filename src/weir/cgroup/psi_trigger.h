// SPDX-License-Identifier: MIT
#pragma once
// PsiTrigger: the kernel tells when tasks of a cgroup stalled for some time within a window. It counts for
// itself: readers of the pressure file lose nothing by it. A window that is no multiple of 2 s needs
// CAP_SYS_RESOURCE, and costs a kernel thread for each cgroup. A slow one takes all that the cgroup ever
// waited for the growth of its first window (psi_trigger_create() begins at the total of the others): nothing
// that it tells in its first windows is to be believed.

#include <chrono>
#include <memory>
#include <string_view>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"

namespace weir::cgroup {

struct PsiWindow {
  std::chrono::microseconds stalled{0}, window{0};
  /// For everybody, and by the kernel's averages, every 2 s.
  [[nodiscard]] bool is_slow() const { return window % std::chrono::seconds(2) == std::chrono::seconds(0); }
  bool operator==(const PsiWindow&) const = default;
};

/// `some`: of at least one task; `full`: of all at once.
enum class PsiShare { some, full };

class PsiTrigger {
 public:
  /// `file`: "cpu.pressure", … Of the root cgroup: the host's. Errors: refused (window too short for who
  /// asks), absent (no PSI), gone.
  static Result<PsiTrigger> open(const Dir& dir, std::string_view file, PsiShare share, PsiWindow window);

  /// EPOLLPRI when it fires, at most once a window; EPOLLERR when the cgroup is gone.
  [[nodiscard]] int fd() const { return file_->fd(); }

 private:
  explicit PsiTrigger(std::unique_ptr<File> file) : file_(std::move(file)) {}
  std::unique_ptr<File> file_;
};

}  // namespace weir::cgroup
