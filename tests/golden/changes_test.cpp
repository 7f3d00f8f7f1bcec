// SPDX-License-Identifier: MIT
// The table of `weir changes` as people see it, with the states that a change can be in and names that do
// harm.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "support/golden.h"

#include "weir/cli/changes_text.h"

namespace weir::cli {
namespace {

using limits::Listed;
using limits::Standing;
using testing::expect_golden;

constexpr std::chrono::nanoseconds kMorning = std::chrono::seconds(1'795'338'000);

Listed listed(std::string name, cgroup::Knob knob, std::string before, std::string after, Standing standing) {
  Listed one;
  one.change.name = one.change.target = std::move(name);
  one.change.time = kMorning;
  one.change.before = {.knob = knob, .device = {}, .text = std::move(before)};
  one.change.after = {.knob = knob, .device = {}, .text = std::move(after)};
  one.standing = standing;
  return one;
}

std::vector<Listed> changes() {
  using cgroup::Knob;
  std::vector<Listed> all = {
      listed("web", Knob::cpu_max, "max 100000", "50000 100000", Standing::superseded),
      listed("web", Knob::cpu_max, "50000 100000", "150000 100000", Standing::in_force),
      listed("shop/api-5d9c7b6f4-x2x9k/api", Knob::memory_max, "max", "536870912", Standing::changed),
      listed("db", Knob::io_max, "rbps=max wbps=max riops=max wiops=max",
             "rbps=max wbps=4194304 riops=max wiops=100", Standing::in_force),
      listed("batch", Knob::cpuset_cpus, "", "0-3,7", Standing::undone),
      listed("\x1b[31mred\n", Knob::pids_max, "max", "100", Standing::gone),
  };
  all[1].change.reason = "the sale begins at nine";
  all[1].change.restore_at = kMorning + std::chrono::minutes(30);
  all[2].now = "268435456";
  all[3].change.before.device = all[3].change.after.device = "8:0";
  return all;
}

class ChangesGolden : public ::testing::Test {
 protected:
  ChangesGolden() { ::setenv("TZ", "UTC", 1); }
};

TEST_F(ChangesGolden, At80Columns) { expect_golden("changes_80.txt", changes_text(changes(), 80, false)); }
TEST_F(ChangesGolden, At200Columns) { expect_golden("changes_200.txt", changes_text(changes(), 200, false)); }
TEST_F(ChangesGolden, OfAHostWithoutAny) {
  EXPECT_EQ(changes_text({}, 80, false), "no changes since the host booted\n");
}

}  // namespace
}  // namespace weir::cli
