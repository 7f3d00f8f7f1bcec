// SPDX-License-Identifier: MIT
#include "weir/limits/guard.h"

#include <gtest/gtest.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"

namespace weir::limits {
namespace {

using Cgroups = std::map<std::string, testing::FakeCgroupfs::Files>;
constexpr const char* kOwn = "/user.slice/user-1000.slice/session-3.scope";

bool guards(std::string_view path, const std::vector<std::string>& below = {}) {
  return guard(path, {.own_cgroup = kOwn, .user = 1000}, below).has_value();
}

TEST(Guard, HoldsWhatTheHostNeeds) {
  for (const char* path :
       {"/", "/init.scope", "/system.slice/ssh.service", "/system.slice/sshd.service",
        "/system.slice/docker.service", "/system.slice/containerd.service", "/runtime.slice/kubelet.service",
        "/system.slice/weir.service", "/system.slice/system-ssh.slice/ssh@0-10.0.0.1:22-10.0.0.2:1.service",
        "/system.slice/systemd-journald.service"})
    EXPECT_TRUE(guards(path)) << path;
}

TEST(Guard, HoldsTheCallersOwnCgroupItsAncestorsAndSessions) {
  for (const char* path :
       {"/user.slice", "/user.slice/user-1000.slice", kOwn, "/user.slice/user-1000.slice/session-9.scope"})
    EXPECT_TRUE(guards(path)) << path;
}

TEST(Guard, LeavesTheRestAlone) {
  for (const char* path : {"/system.slice/nginx.service", "/system.slice/docker-4f2a.scope", "/docker/4f2a",
                           "/user.slice/user-1001.slice",
                           "/user.slice/user-1000.slice/user@1000.service/app.slice/libpod-1.scope",
                           "/user.slice/user-1000.slicex", "/user.slice/user-1000.slice/session-9.scope/x"})
    EXPECT_FALSE(guards(path)) << path;
}

TEST(Guard, IsNotFooledByAContainerThatNamesItselfSo) {
  EXPECT_FALSE(guards("/system.slice/docker-4f2a.scope/system.slice/ssh.service"));
  EXPECT_FALSE(guards("/docker/4f2a/init.scope"));
}

TEST(Guard, HoldsTheSlicesAboveAGuardedUnit) {
  testing::FakeCgroupfs fs({{"system.slice/nginx.service", {}},
                            {"system.slice/deep.slice/sshd.service", {}},
                            {"other.slice/a.service", {}}});
  for (const auto& [path, expected] :
       {std::pair("system.slice", 1U), {"system.slice/deep.slice", 1U}, {"other.slice", 0U}}) {
    const auto found = find_guarded_below(*fs.dir(path));
    ASSERT_THAT(found, testing::Succeeds());
    EXPECT_EQ(found->size(), expected) << path;
    EXPECT_EQ(guards("/" + std::string(path), *found), expected == 1) << path;
  }
}

}  // namespace
}  // namespace weir::limits
