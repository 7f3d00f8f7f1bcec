// SPDX-License-Identifier: MIT
#include "weir/control/make_cgroup.h"

#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace weir::control {
namespace {

using ::testing::ElementsAre;
using testing::FakeCgroupfs;
using testing::HasError;
using ::testing::HasSubstr;
using testing::HasValue;
using ::testing::IsEmpty;
using testing::Succeeds;

using Steps = std::vector<MakeStep>;
const std::vector<std::string> kCpu = {"cpu"};

class MakeCgroup : public ::testing::Test {
 protected:
  void SetUp() override { root().write("cgroup.subtree_control", "+memory").value(); }
  cgroup::Dir& root() { return *root_; }

  FakeCgroupfs fs_;
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
  testing::TempDir run_;
};

TEST_F(MakeCgroup, PlansEachLevelThatIsMissingAndItsControllers) {
  EXPECT_THAT(plan_making(root(), "/demo/batch", {"cpu", "memory"}),
              HasValue(Steps{{.parent = "/", .controllers = {"cpu"}, .child = "demo"},
                             {.parent = "/demo", .controllers = {"cpu", "memory"}, .child = "batch"}}));
}

TEST_F(MakeCgroup, PlansNothingForWhatIsThere) {
  root().write("cgroup.subtree_control", "+cpu").value();
  fs_.add("demo");
  fs_.set("demo", "cgroup.procs", "42\n");
  EXPECT_THAT(plan_making(root(), "/demo", kCpu), HasValue(Steps{}));
  fs_.add("system.slice");
  EXPECT_THAT(plan_making(root(), "/system.slice", kCpu), HasValue(Steps{}));
}

TEST_F(MakeCgroup, MakesWhatItPlanned) {
  auto made = MadeCgroups::open(run_.path(), "boot");
  const auto steps = plan_making(root(), "/demo/batch", kCpu);
  ASSERT_THAT(steps, Succeeds());
  EXPECT_THAT(describe(*steps), ElementsAre("turn on cpu below /", "make /demo", "turn on cpu below /demo",
                                            "make /demo/batch"));
  EXPECT_THAT(make(root(), *steps, *made), Succeeds());
  EXPECT_THAT(fs_.dir("demo/batch")->read("cpu.max"), Succeeds());
  EXPECT_THAT(plan_making(root(), "/demo/batch", kCpu), HasValue(Steps{}));
  EXPECT_THAT(made->all(), ElementsAre(MadeCgroup{"/demo", fs_.dir("demo")->id()},
                                       MadeCgroup{"/demo/batch", fs_.dir("demo/batch")->id()}));
}

TEST_F(MakeCgroup, RefusesBelowACgroupThatHasProcessesOfItsOwn) {
  fs_.add("demo");
  fs_.set("demo", "cgroup.subtree_control", "");
  fs_.set("demo", "cgroup.procs", "42\n");
  const auto steps = plan_making(root(), "/demo/batch", {"memory"});
  ASSERT_THAT(steps, HasError(ErrorKind::refused));
  EXPECT_THAT(steps.error().message(), HasSubstr("/demo"));
  EXPECT_THAT(steps.error().message(), HasSubstr("processes"));
}

TEST_F(MakeCgroup, RefusesBelowThreads) {
  fs_.add("demo");
  fs_.set("demo", "cgroup.subtree_control", "");
  fs_.set("demo", "cgroup.type", "threaded\n");
  EXPECT_THAT(plan_making(root(), "/demo/batch", {"memory"}), HasError(ErrorKind::refused));
}

TEST_F(MakeCgroup, RefusesWhatBelongsToSystemdOrARuntime) {
  const std::string id(64, 'a');
  for (const std::string& path :
       {std::string("/system.slice/mine"), std::string("/my.slice"), std::string("/init.scope"),
        std::string("/docker/mine"), std::string("/kubepods/x/y"), std::string("/lxc.payload.web/x"),
        std::string("/a/ssh.service/b"), "/a/" + id, "/a/" + id + "/b"})
    EXPECT_THAT(plan_making(root(), path, {}), HasError(ErrorKind::refused)) << path;
  EXPECT_EQ(owner_by_name("/demo/docker"), "");
}

TEST_F(MakeCgroup, SaysWhatTheHostDoesNotHave) {
  EXPECT_THAT(plan_making(root(), "/demo", {"rdma"}), HasError(ErrorKind::absent));
  EXPECT_THAT(plan_making(root(), "/demo/../x", {}), HasError(ErrorKind::invalid));
}

TEST(NeededControllers, AreThoseOfTheLimits) {
  Entry entry;
  for (const policy::Resource resource :
       {policy::Resource::io_read, policy::Resource::cpu, policy::Resource::io_write})
    entry.resources.push_back({.resource = resource});
  EXPECT_THAT(needed_controllers(entry), ElementsAre("io", "cpu", "memory"));
}

}  // namespace
}  // namespace weir::control
