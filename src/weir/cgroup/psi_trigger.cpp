// SPDX-License-Identifier: MIT
#include "weir/cgroup/psi_trigger.h"

#include <fmt/format.h>

namespace weir::cgroup {

Result<PsiTrigger> PsiTrigger::open(const Dir& dir, std::string_view file, PsiShare share, PsiWindow window) {
  WEIR_TRY(auto kept, dir.keep(file, Access::read_write));
  // Each trigger is a file of its own; the kernel refuses a second one in the same.
  WEIR_CHECK(kept->write(fmt::format("{} {} {}", share == PsiShare::some ? "some" : "full",
                                     window.stalled.count(), window.window.count())));
  return PsiTrigger(std::move(kept));
}

}  // namespace weir::cgroup
