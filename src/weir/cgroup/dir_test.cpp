// SPDX-License-Identifier: MIT
// What does not need a cgroup2 mount: paths, mountinfo, and the walk over the fake.
#include "weir/cgroup/dir.h"

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"

#include "weir/cgroup/mount.h"
#include "weir/cgroup/value.h"
#include "weir/cgroup/walk.h"

namespace weir::cgroup {
namespace {

using ::testing::ElementsAre;
using testing::FakeCgroupfs;
using testing::HasError;
using testing::Succeeds;

TEST(CheckPath, TakesPathsBelowTheMountPoint) {
  for (const std::string_view path : {"/", "/a", "/a/b", "/a b", "/...", "/a\xff"})
    EXPECT_THAT(check_path(path), Succeeds()) << path;
}

TEST(CheckPath, RefusesAnythingThatCouldLeadElsewhere) {
  const std::string nul("/a\0b", 4);
  for (const std::string& path :
       {std::string(), std::string("a"), std::string("/a/"), std::string("//a"), std::string("/a//b"),
        std::string("/.."), std::string("/a/../b"), std::string("/./a"), std::string("/a/."), nul,
        "/" + std::string(5000, 'a')})
    EXPECT_THAT(check_path(path), HasError(ErrorKind::invalid)) << path;
}

TEST(OpenPath, RefusesTheRoot) {
  FakeCgroupfs fs;
  EXPECT_THAT(open_path(*fs.root(), "/"), HasError(ErrorKind::invalid));
}

TEST(OpenRoot, SaysWhenADirectoryIsNoCgroup2) {
  EXPECT_THAT(open_root("/proc"), HasError(ErrorKind::absent));
  EXPECT_THAT(open_root("/no/such/place"), HasError(ErrorKind::absent));
}

constexpr std::string_view kHybrid =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "51 31 0:38 /docker/x /mnt/a\\040b rw shared:1 master:2 - cgroup2 none rw\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

TEST(Cgroup2Mounts, PrefersTheUsualPlacesAndUnescapes) {
  EXPECT_THAT(cgroup2_mounts(kHybrid), ElementsAre("/sys/fs/cgroup/unified", "/mnt/a b"));
  EXPECT_THAT(cgroup2_mounts("1 2 0:1 / /x rw - cgroup2 c rw\n3 2 0:1 / /sys/fs/cgroup rw - cgroup2 c rw\n"),
              ElementsAre("/sys/fs/cgroup", "/x"));
}

TEST(Cgroup2Mounts, PassesOverLinesThatMakeNoSense) {
  for (const std::string_view line :
       {"", "-", "1 2 3", "1 2 0:1 / /x rw -", "1 2 0:1 / - cgroup2 x y", "a b c d e f g h"})
    EXPECT_THAT(cgroup2_mounts(line), ElementsAre()) << line;
  EXPECT_THAT(cgroup2_mounts("1 2 0:1 / /a\\04 rw - cgroup2 c rw"), ElementsAre("/a\\04"));
}

TEST(CanonicalList, SortsAndMerges) {
  EXPECT_EQ(canonical_list("7, 0-2,3\n"), "0-3,7");
  EXPECT_EQ(canonical_list("5,5,4-6,0"), "0,4-6");
  EXPECT_EQ(canonical_list("\n"), "");
  EXPECT_EQ(canonical_list("1-"), std::nullopt);
  EXPECT_EQ(canonical_list("-1"), std::nullopt);
}

TEST(Walk, VisitsParentsFirstAndCanSkip) {
  FakeCgroupfs fs({{"a/b", {}}, {"c/d", {}}});
  std::vector<std::string> seen;
  const auto root = fs.root();
  ASSERT_THAT(walk(*root,
                   [&](Dir& dir) {
                     seen.push_back(dir.path());
                     return dir.path() == "/c" ? Visit::skip_children : Visit::descend;
                   }),
              Succeeds());
  EXPECT_THAT(seen, ElementsAre("/", "/a", "/a/b", "/c"));
}

TEST(Walk, PassesOverWhatEndsMeanwhile) {
  FakeCgroupfs fs({{"a", {}}, {"b", {}}, {"c", {}}});
  std::vector<std::string> seen;
  const auto root = fs.root();
  const auto report = walk(*root, [&](Dir& dir) {
    seen.push_back(dir.path());
    if (dir.path() == "/a") fs.remove("b");
    return Visit::descend;
  });
  ASSERT_THAT(report, Succeeds());
  EXPECT_THAT(seen, ElementsAre("/", "/a", "/c"));
  EXPECT_EQ(report->unreadable, 0U);
}

TEST(Walk, CountsWhatIsTooDeep) {
  FakeCgroupfs fs;
  std::string path;
  for (std::size_t i = 0; i <= kMaxWalkDepth; ++i) path += "/d";
  fs.add(path);
  std::size_t seen = 0;
  const auto root = fs.root();
  const auto report = walk(*root, [&](Dir&) {
    ++seen;
    return Visit::descend;
  });
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(seen, kMaxWalkDepth + 1);
  EXPECT_EQ(report->too_deep, 1U);
}

TEST(Walk, StopsWhenAsked) {
  FakeCgroupfs fs({{"a", {}}, {"b", {}}});
  std::size_t seen = 0;
  const auto root = fs.root();
  ASSERT_THAT(walk(*root, [&](Dir&) { return ++seen == 2 ? Visit::stop : Visit::descend; }), Succeeds());
  EXPECT_EQ(seen, 2U);
}

}  // namespace
}  // namespace weir::cgroup
