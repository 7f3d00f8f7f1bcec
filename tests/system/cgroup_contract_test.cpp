// SPDX-License-Identifier: MIT
// kernels: 6.1 7
// The contract of cgroup::Dir, the same cases on the fake and on the kernel, so that the fake is proven. The
// fake half is a unit test; the kernel half runs as root on a cgroup v2 host with cpu, memory, pids and
// cpuset (the test machine: vm/run -- cgroup_contract_test) in a cgroup of its own, and is skipped with the
// reason elsewhere.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"
#include <algorithm>
#include <cerrno>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "weir/base/text.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"
#include "weir/cgroup/stat.h"

namespace weir::cgroup {
namespace {

using ::testing::AnyOf;
using testing::FakeCgroupfs;
using testing::HasError;
using testing::HasValue;
using testing::Succeeds;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kControllers[] = {"cpu", "memory", "pids", "cpuset", "io"};

/// A place of its own: `base` has every controller on for its children and can be filled at will.
struct Place {
  std::unique_ptr<Dir> root;
  std::unique_ptr<Dir> base;
  std::string base_name;
  std::vector<std::string> turned_on;  ///< controllers that the root did not give its children before
  std::string why_not;                 ///< a reason to skip
};

Place make_place(std::unique_ptr<Dir> root) {
  Place place;
  place.root = std::move(root);
  place.base_name = fmt::format("weir-contract-{}", ::getpid());
  const std::string before = place.root->read("cgroup.subtree_control").value_or("");
  const auto on = words(before);
  for (const std::string_view name : kControllers) {
    if (std::find(on.begin(), on.end(), name) != on.end()) continue;
    if (!place.root->write("cgroup.subtree_control", fmt::format("+{}", name))) {
      place.why_not = fmt::format("controller {} cannot be turned on for the root's children", name);
      return place;
    }
    place.turned_on.emplace_back(name);
  }
  auto base = place.root->make(place.base_name);
  if (!base) {
    place.why_not = base.error().message();
    return place;
  }
  place.base = std::move(*base);
  for (const std::string_view name : kControllers)
    if (const auto written = place.base->write("cgroup.subtree_control", fmt::format("+{}", name)); !written)
      place.why_not = written.error().message();
  return place;
}

Place fake_place() {
  const FakeCgroupfs fs;
  return make_place(fs.root());
}

Place kernel_place() {
  Place place;
  if (::geteuid() != 0) {
    place.why_not = "needs root";
    return place;
  }
  auto root = open_root("");
  if (!root) {
    place.why_not = root.error().message();
    return place;
  }
  return make_place(std::move(*root));
}

struct Host {
  const char* name;
  Place (*make)();
};
void PrintTo(const Host& host, std::ostream* out) { *out << host.name; }

class CgroupContract : public ::testing::TestWithParam<Host> {
 protected:
  void SetUp() override {
    place_ = GetParam().make();
    if (!place_.why_not.empty()) GTEST_SKIP() << place_.why_not;
    auto web = place_.base->make("web");
    ASSERT_THAT(web, Succeeds());
    web_ = std::move(*web);
  }
  void TearDown() override {
    if (place_.base) {
      for (const std::string_view name : {"web", "other"}) {
        if (const auto dir = place_.base->open(name)) (void)(*dir)->remove("child");
        (void)place_.base->remove(name);
      }
      EXPECT_THAT(place_.root->remove(place_.base_name), Succeeds());
    }
    for (const std::string& name : place_.turned_on)
      EXPECT_THAT(place_.root->write("cgroup.subtree_control", fmt::format("-{}", name)), Succeeds());
  }

  /// The errno of a write; 0 if it was taken.
  [[nodiscard]] int write_errno(std::string_view file, std::string_view text) const {
    const auto written = web_->write(file, text);
    return written ? 0 : written.error().err;
  }
  [[nodiscard]] std::string text_of(std::string_view file) const {
    const auto text = web_->read(file);
    return text ? *text : text.error().message();
  }

  Place place_;
  std::unique_ptr<Dir> web_;
};

struct FileText {
  std::string_view file, text;
};

TEST_P(CgroupContract, ANewCgroupHasTheDefaults) {
  constexpr FileText kDefaults[] = {
      {"cpu.max", "max 100000\n"},
      {"cpu.max.burst", "0\n"},
      {"cpu.weight", "100\n"},
      {"cpu.idle", "0\n"},
      {"memory.min", "0\n"},
      {"memory.low", "0\n"},
      {"memory.high", "max\n"},
      {"memory.max", "max\n"},
      {"memory.swap.max", "max\n"},
      {"memory.oom.group", "0\n"},
      {"pids.max", "max\n"},
      {"cpuset.cpus", "\n"},
      {"cpuset.mems", "\n"},
      {"cgroup.freeze", "0\n"},
      {"cgroup.type", "domain\n"},
      {"io.max", ""},
      {"memory.current", "0\n"},
      {"pids.current", "0\n"},
      {"cgroup.procs", ""},
      {"cgroup.subtree_control", ""},
      {"cgroup.events", "populated 0\nfrozen 0\n"},
  };
  for (const FileText& one : kDefaults) EXPECT_EQ(text_of(one.file), one.text) << one.file;
}

struct Write {
  std::string_view file, text, read_back;
};

TEST_P(CgroupContract, ValuesComeBackInCanonicalForm) {
  constexpr Write kWrites[] = {
      {"cpu.max", "50000 100000", "50000 100000\n"},
      {"cpu.max", "20000", "20000 100000\n"},
      {"cpu.max", "20000 50000\n", "20000 50000\n"},
      {"cpu.max", "30000", "30000 50000\n"},
      {"cpu.max", "max", "max 50000\n"},
      {"cpu.max", "max 100000", "max 100000\n"},
      {"cpu.max", "1000 1000", "1000 1000\n"},
      {"cpu.max", "1000 1000000", "1000 1000000\n"},
      {"cpu.max", "max 100000", "max 100000\n"},
      {"cpu.max.burst", "5000", "5000\n"},
      {"cpu.max.burst", "0", "0\n"},
      {"cpu.weight", "1", "1\n"},
      {"cpu.weight", "10000", "10000\n"},
      {"cpu.weight", "77", "77\n"},
      {"memory.max", "5000000", "4997120\n"},
      {"memory.max", "64M", "67108864\n"},
      {"memory.max", "18446744073709551615", "max\n"},
      {"memory.high", "4095", "0\n"},
      {"memory.high", "max", "max\n"},
      {"memory.low", "1G", "1073741824\n"},
      {"memory.min", "4096", "4096\n"},
      {"memory.swap.max", "0", "0\n"},
      {"memory.oom.group", "1", "1\n"},
      {"pids.max", "0", "0\n"},
      {"pids.max", "4194304", "4194304\n"},
      {"pids.max", "max", "max\n"},
      {"cpuset.cpus", "0,0", "0\n"},
      {"cpuset.cpus", "\n", "\n"},
      {"cpuset.mems", "0", "0\n"},
      {"cgroup.freeze", "1", "1\n"},
      {"cgroup.freeze", "0", "0\n"},
  };
  for (const Write& one : kWrites) {
    EXPECT_EQ(write_errno(one.file, one.text), 0) << one.file << " " << one.text;
    EXPECT_EQ(text_of(one.file), one.read_back) << one.file << " " << one.text;
  }
}

struct Refusal {
  std::string_view file, text;
  int err;
};

TEST_P(CgroupContract, BadValuesAreRefusedAndChangeNothing) {
  constexpr Refusal kRefusals[] = {
      {"cpu.max", "999 100000", EINVAL},
      {"cpu.max", "50000 999", EINVAL},
      {"cpu.max", "50000 1000001", EINVAL},
      {"cpu.max", "a", EINVAL},
      {"cpu.max", "-1", EINVAL},
      {"cpu.max", "0", EINVAL},
      {"cpu.max", "17592186044416 100000", EINVAL},
      {"cpu.max.burst", "x", EINVAL},
      {"cpu.weight", "0", ERANGE},
      {"cpu.weight", "10001", ERANGE},
      {"cpu.weight", "x", EINVAL},
      {"cpu.idle", "2", EINVAL},
      {"cpu.idle", "x", EINVAL},
      {"memory.max", "x", EINVAL},
      {"memory.max", "-1", EINVAL},
      {"memory.max", "1.5M", EINVAL},
      {"memory.max", "1MB", EINVAL},
      {"memory.high", "ma", EINVAL},
      {"memory.low", "1 2", EINVAL},
      {"memory.oom.group", "2", EINVAL},
      {"memory.oom.group", "x", EINVAL},
      {"pids.max", "-1", EINVAL},
      {"pids.max", "4194305", EINVAL},
      {"pids.max", "x", EINVAL},
      {"cpuset.cpus", "x", EINVAL},
      {"cpuset.cpus", "3-1", EINVAL},
      {"cpuset.mems", "9", EINVAL},
      {"cgroup.freeze", "2", ERANGE},
      {"cgroup.freeze", "-1", ERANGE},
      {"cgroup.freeze", "x", EINVAL},
      {"io.max", "x", EINVAL},
      {"io.max", "99:99 wbps=1", ENODEV},
      {"cgroup.subtree_control", "+nonsense", EINVAL},
      {"cgroup.subtree_control", "cpu", EINVAL},
      {"cgroup.controllers", "cpu", EINVAL},
      {"cpu.stat", "0", EINVAL},
      {"memory.current", "0", EINVAL},
  };
  for (const Refusal& one : kRefusals) {
    const std::string before = text_of(one.file);
    EXPECT_EQ(write_errno(one.file, one.text), one.err) << one.file << " " << one.text;
    EXPECT_EQ(text_of(one.file), before) << one.file << " " << one.text;
  }
}

TEST_P(CgroupContract, BurstNeverExceedsTheQuota) {
  ASSERT_EQ(write_errno("cpu.max", "50000 100000"), 0);
  EXPECT_EQ(write_errno("cpu.max.burst", "50001"), EINVAL);
  EXPECT_EQ(write_errno("cpu.max.burst", "50000"), 0);
  EXPECT_EQ(write_errno("cpu.max", "40000 100000"), EINVAL);
  EXPECT_EQ(text_of("cpu.max"), "50000 100000\n");
  EXPECT_EQ(write_errno("cpu.max", "max"), 0);
  EXPECT_EQ(write_errno("cpu.max.burst", "90000"), 0);
}

TEST_P(CgroupContract, AnIdleCgroupHasNoWeightOfItsOwn) {
  ASSERT_EQ(write_errno("cpu.weight", "200"), 0);
  ASSERT_EQ(write_errno("cpu.idle", "1"), 0);
  EXPECT_EQ(text_of("cpu.idle"), "1\n");
  EXPECT_THAT(text_of("cpu.weight"), AnyOf("0\n", "1\n"));  // 1 since 6.11: clamped to the least weight
  EXPECT_EQ(write_errno("cpu.weight", "300"), EINVAL);
  ASSERT_EQ(write_errno("cpu.idle", "0"), 0);
  EXPECT_EQ(text_of("cpu.weight"), "100\n");
}

TEST_P(CgroupContract, SettingsAreWrittenAndReadBack) {
  for (const std::string_view assignment :
       {"cpus=0.5", "cpu.max=30000", "cpu.max=max", "cpu.max.burst=1000", "cpu.weight=50", "memory=64M",
        "memory.high=60M", "memory.low=1M", "memory.min=0", "swap=0", "memory.oom.group=1", "pids=max",
        "pids=7", "cpuset.cpus=0", "cpuset.cpus=", "cpuset.mems=0", "freeze=1", "freeze=0"}) {
    const auto parsed = parse_setting(assignment);
    ASSERT_THAT(parsed, Succeeds()) << assignment;
    const auto now = read_setting(*web_, *parsed);
    ASSERT_THAT(now, Succeeds()) << assignment;
    EXPECT_THAT(write_setting(*web_, complete(*parsed, *now)), Succeeds()) << assignment;
  }
}

TEST_P(CgroupContract, AControllerThatIsOffIsAbsent) {
  const auto child = web_->make("child");
  ASSERT_THAT(child, Succeeds());
  EXPECT_THAT((*child)->read("cgroup.controllers"), HasValue(""));
  EXPECT_THAT((*child)->read("cpu.max"), HasError(ErrorKind::absent));
  EXPECT_THAT((*child)->write("cpu.max", "max"), HasError(ErrorKind::absent));
  EXPECT_THAT((*child)->keep("memory.max", Access::read), HasError(ErrorKind::absent));
  EXPECT_EQ(read_cpu_stat(**child)->throttled, std::nullopt);
  // Before 6.6 there is no such file at all.
  const auto without = read_cpu_stat_local(**child);
  EXPECT_TRUE(!without || !without->throttled);

  EXPECT_EQ(write_errno("cgroup.subtree_control", "+cpu"), 0);
  EXPECT_EQ(text_of("cgroup.subtree_control"), "cpu\n");
  EXPECT_THAT((*child)->read("cpu.max"), HasValue("max 100000\n"));
  EXPECT_NE(read_cpu_stat(**child)->throttled, std::nullopt);
  const auto with = read_cpu_stat_local(**child);
  EXPECT_TRUE(!with || with->throttled == Micros(0));
  EXPECT_THAT((*child)->write("cgroup.subtree_control", "+memory"), HasError(ErrorKind::absent));

  EXPECT_THAT((*child)->write("cpu.max", "20000"), Succeeds());
  EXPECT_EQ(write_errno("cgroup.subtree_control", "-cpu"), 0);
  EXPECT_THAT((*child)->read("cpu.max"), HasError(ErrorKind::absent));
  EXPECT_EQ(write_errno("cgroup.subtree_control", "+cpu"), 0);
  EXPECT_THAT((*child)->read("cpu.max"), HasValue("max 100000\n"));
}

TEST_P(CgroupContract, AControllerInUseBelowCannotBeTurnedOff) {
  const auto child = web_->make("child");
  ASSERT_THAT(child, Succeeds());
  ASSERT_EQ(write_errno("cgroup.subtree_control", "+cpu"), 0);
  ASSERT_THAT((*child)->write("cgroup.subtree_control", "+cpu"), Succeeds());
  EXPECT_EQ(write_errno("cgroup.subtree_control", "-cpu"), EBUSY);
}

TEST_P(CgroupContract, TheRootHasNoLimits) {
  for (const std::string_view file :
       {"cpu.max", "memory.max", "cgroup.freeze", "cgroup.type", "cgroup.events", "pids.max"})
    EXPECT_THAT(place_.root->read(file), HasError(ErrorKind::absent)) << file;
  EXPECT_THAT(place_.root->read("cgroup.controllers"), Succeeds());
  EXPECT_THAT(place_.root->read("cpu.stat"), Succeeds());
}

TEST_P(CgroupContract, KeptFilesFollowTheValueAndThenSayGone) {
  const auto reader = web_->keep("cpu.max", Access::read);
  const auto writer = web_->keep("cpu.max", Access::read_write);
  ASSERT_THAT(reader, Succeeds());
  ASSERT_THAT(writer, Succeeds());
  EXPECT_THAT((*writer)->write("20000 100000"), Succeeds());
  EXPECT_THAT((*writer)->write("30000"), Succeeds());
  EXPECT_THAT((*reader)->read(), HasValue("30000 100000\n"));
  EXPECT_THAT((*reader)->read(), HasValue("30000 100000\n"));
  EXPECT_THAT((*reader)->write("max"), HasError(ErrorKind::failed));

  ASSERT_THAT(place_.base->remove("web"), Succeeds());
  EXPECT_THAT((*reader)->read(), HasError(ErrorKind::gone));
  EXPECT_THAT((*writer)->write("max"), HasError(ErrorKind::gone));
  EXPECT_EQ((*writer)->write("max").error().err, ENODEV);
}

TEST_P(CgroupContract, AMissingDeviceIsNotAMissingCgroup) {
  EXPECT_THAT(web_->write("io.max", "99:99 wbps=1"), HasError(ErrorKind::invalid));
  const auto kept = web_->keep("io.max", Access::write);
  ASSERT_THAT(kept, Succeeds());
  EXPECT_THAT((*kept)->write("99:99 wbps=1"), HasError(ErrorKind::invalid));
}

TEST_P(CgroupContract, AHeldDirectorySaysGoneAfterRemoval) {
  EXPECT_TRUE(web_->alive());
  ASSERT_THAT(place_.base->remove("web"), Succeeds());
  EXPECT_FALSE(web_->alive());
  EXPECT_THAT(web_->read("cpu.max"), HasError(ErrorKind::gone));
  EXPECT_THAT(web_->read("no.such.file"), HasError(ErrorKind::gone));
  EXPECT_THAT(web_->write("cpu.max", "max"), HasError(ErrorKind::gone));
  EXPECT_THAT(web_->keep("cpu.max", Access::read), HasError(ErrorKind::gone));
  EXPECT_THAT(web_->open("child"), HasError(ErrorKind::gone));
  EXPECT_THAT(web_->make("child"), HasError(ErrorKind::gone));
}

TEST_P(CgroupContract, AFilesIdIsItsOwn) {
  const auto first = web_->file_id("cpu.max"), second = web_->file_id("cpu.weight");
  ASSERT_THAT(first, Succeeds());
  ASSERT_THAT(second, Succeeds());
  EXPECT_NE(*first, *second);
  EXPECT_THAT(web_->file_id("cpu.max"), HasValue(*first));
  EXPECT_THAT(web_->file_id("no.such"), HasError(ErrorKind::absent));
}

TEST_P(CgroupContract, ACgroupOfTheSameNameIsAnotherOne) {
  const CgroupId first = web_->id();
  ASSERT_THAT(place_.base->remove("web"), Succeeds());
  const auto second = place_.base->make("web");
  ASSERT_THAT(second, Succeeds());
  EXPECT_NE((*second)->id(), first);
  EXPECT_FALSE(web_->alive());
}

TEST_P(CgroupContract, ChildrenAreListedMadeAndRemoved) {
  EXPECT_THAT(web_->children(), HasValue(std::vector<std::string>{}));
  ASSERT_THAT(place_.base->make("other"), Succeeds());
  const auto names = place_.base->children();
  ASSERT_THAT(names, Succeeds());
  EXPECT_THAT(*names, UnorderedElementsAre("web", "other"));
  EXPECT_EQ(place_.base->make("other").error().err, EEXIST);
  EXPECT_EQ(web_->path(), fmt::format("/{}/web", place_.base_name));

  ASSERT_THAT(web_->make("child"), Succeeds());
  EXPECT_THAT(place_.base->remove("web"), HasError(ErrorKind::refused));
  EXPECT_THAT(place_.base->remove("nobody"), HasError(ErrorKind::absent));
  EXPECT_THAT(place_.root->open(fmt::format("{}/web/child", place_.base_name)), Succeeds());
}

TEST_P(CgroupContract, NamesCannotLeadElsewhere) {
  for (const std::string_view name : {"", ".", "..", "../web", "/web", "web/..", "a//b"}) {
    EXPECT_THAT(place_.base->open(name), HasError(ErrorKind::invalid)) << name;
    EXPECT_THAT(place_.base->read(name), HasError(ErrorKind::invalid)) << name;
  }
  EXPECT_THAT(web_->read("../cpu.max"), HasError(ErrorKind::invalid));
  EXPECT_THAT(web_->write("../other/cpu.max", "max"), HasError(ErrorKind::invalid));
  EXPECT_THAT(web_->make("a/b"), HasError(ErrorKind::invalid));
  EXPECT_THAT(place_.base->open("cpu.max"), HasError(ErrorKind::failed));  // a file is no cgroup
}

TEST_P(CgroupContract, ANameMayBeLongerThanOnOtherFileSystems) {
  const std::string name(1000, 'n');
  ASSERT_THAT(place_.base->make(name), Succeeds());
  const auto names = place_.base->children();
  EXPECT_THAT(place_.base->remove(name), Succeeds());
  ASSERT_THAT(names, Succeeds());
  EXPECT_THAT(*names, UnorderedElementsAre("web", name));
  EXPECT_EQ(place_.base->make(std::string(5000, 'n')).error().err, ENAMETOOLONG);
  EXPECT_EQ(place_.base->make("a\nb").error().err, EINVAL);  // it would break the lines of /proc/PID/cgroup
}

TEST_P(CgroupContract, FilesThatAreNotThereAreAbsent) {
  EXPECT_THAT(web_->read("cpu.nonsense"), HasError(ErrorKind::absent));
  EXPECT_THAT(web_->write("cpu.nonsense", "1"), HasError(ErrorKind::absent));
  EXPECT_THAT(place_.base->open("nobody"), HasError(ErrorKind::absent));
}

TEST_P(CgroupContract, StatsOfANewCgroupAreZeroNotMissing) {
  EXPECT_EQ(read_cpu_stat(*web_)->nr_throttled, 0U);
  EXPECT_EQ(read_memory_events(*web_)->oom_kill, 0U);
  EXPECT_EQ(*read_memory_current(*web_), Bytes(0));
  EXPECT_EQ(*read_pids_current(*web_), 0U);
  EXPECT_THAT(read_pressure(*web_, Resource::cpu), Succeeds());
}

INSTANTIATE_TEST_SUITE_P(Fake, CgroupContract, ::testing::Values(Host{"fake", fake_place}),
                         [](const auto& host) { return host.param.name; });
INSTANTIATE_TEST_SUITE_P(Kernel, CgroupContract, ::testing::Values(Host{"kernel", kernel_place}),
                         [](const auto& host) { return host.param.name; });

}  // namespace
}  // namespace weir::cgroup
