// SPDX-License-Identifier: MIT
// The Sampler on the fake cgroupfs and a folder for /proc.
#include "weir/sample/sampler.h"

#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <fstream>

namespace weir::sample {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using testing::FakeCgroupfs;
using testing::HasError;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::Succeeds;

class SamplerTest : public ::testing::Test {
 protected:
  SamplerTest() {
    for (const char* name : {"web", "db"})
      fs_.set(name, "cpu.stat", "usage_usec 10\nuser_usec 7\nsystem_usec 3\n");
    clock_.tick(milliseconds(5000));
  }
  Sampler open() {
    std::ofstream(proc_.path("stat")) << "cpu  100 10 50 9000 7 1 2 30 0 0\n";
    return Sampler::open(*root_, proc_.path(), clock_).value();
  }
  CgroupId add(const std::string& name) {
    const auto id = sampler_.add({.name = name, .cgroup = "/" + name});
    EXPECT_THAT(id, Succeeds());
    return id.value_or(CgroupId(0));
  }
  void pressure(std::uint64_t total) {
    fs_.set("web", "cpu.pressure",
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=" + std::to_string(total) + "\n");
  }

  testing::TempDir proc_;
  FakeCgroupfs fs_{{"web", {}}, {"db", {}}};
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
  ManualClock clock_;
  Sampler sampler_ = open();
};

TEST_F(SamplerTest, ReadsTheHostAndEveryContainer) {
  const CgroupId web = add("web");
  add("db");
  const Frame& frame = sampler_.read(all_sources());
  EXPECT_EQ(frame.number, 1U);
  EXPECT_EQ(frame.host.get(Metric::cpu_usage), 1'630'000U);
  ASSERT_THAT(frame.subjects, SizeIs(2));
  EXPECT_EQ(frame.find(web)->get(Metric::cpu_usage), 10U);
  EXPECT_EQ(frame.find(web)->read_at[index(Source::cpu_stat)], clock_.monotonic().count());
}

TEST_F(SamplerTest, TheHostsIoIsThatOfTheRootWithTheOthersButNotInFastFrames) {
  fs_.set("", "io.stat", "8:0 rbytes=4096 wbytes=512 rios=2 wios=1 dbytes=0 dios=0\n");
  Sampler sampler = open();
  EXPECT_EQ(sampler.read(fast_sources()).host.get(Metric::io_rbytes), std::nullopt);
  const Sample& host = sampler.read(all_sources()).host;
  EXPECT_EQ(host.get(Metric::io_rbytes), 4096U);
  EXPECT_EQ(host.get(Metric::io_wios), 1U);
}

TEST_F(SamplerTest, WhatIsNotWantedStaysWithItsOwnTime) {
  const CgroupId web = add("web");
  sampler_.read(all_sources());
  clock_.tick(milliseconds(100));
  fs_.set("web", "cpu.stat", "usage_usec 20\nuser_usec 7\nsystem_usec 13\n");
  fs_.set("web", "pids.current", "77\n");
  const Sample* sample = sampler_.read(fast_sources()).find(web);
  EXPECT_EQ(sample->get(Metric::cpu_usage), 20U);
  EXPECT_NE(sample->get(Metric::pids_current), 77U);
  EXPECT_EQ(sample->read_at[index(Source::cpu_stat)] - sample->read_at[index(Source::pids_current)],
            nanoseconds(milliseconds(100)).count());
}

TEST_F(SamplerTest, PressureIsReadAtMostOnceASecondWhateverIsAsked) {
  pressure(5);
  const CgroupId web = add("web");
  EXPECT_EQ(sampler_.read(all_sources()).find(web)->get(Metric::cpu_some), 5U);
  pressure(6);
  for (int n = 0; n < 9; ++n) {
    clock_.tick(milliseconds(100));
    EXPECT_EQ(sampler_.read(all_sources()).find(web)->get(Metric::cpu_some), 5U);
  }
  clock_.tick(milliseconds(100));
  EXPECT_EQ(sampler_.read(all_sources()).find(web)->get(Metric::cpu_some), 6U);
}

TEST_F(SamplerTest, AContainerThatEndsIsToldOnceAndTheOthersGoOn) {
  add("web");
  const CgroupId db = add("db");
  sampler_.read(all_sources());
  fs_.remove("web");
  const Frame& frame = sampler_.read(all_sources());
  ASSERT_THAT(sampler_.ended(), SizeIs(1));
  EXPECT_EQ(sampler_.ended().front().container.name, "web");
  ASSERT_THAT(frame.subjects, SizeIs(1));
  EXPECT_NE(frame.find(db), nullptr);
  sampler_.read(all_sources());
  EXPECT_THAT(sampler_.ended(), IsEmpty());
}

TEST_F(SamplerTest, OneThatIsInAlreadyIsRenamedAndNotReadTwice) {
  const CgroupId web = add("web");
  const std::uint64_t generation = sampler_.frame().generation;
  EXPECT_EQ(sampler_.add({.name = "shop", .cgroup = "/web"}).value(), web);
  EXPECT_THAT(sampler_.frame().subjects, SizeIs(1));
  EXPECT_EQ(sampler_.frame().subjects.front().container.name, "shop");
  EXPECT_GT(sampler_.frame().generation, generation);
}

TEST_F(SamplerTest, WhatCannotBeReadOrUnderstoodIsCountedAndNeverZero) {
  fs_.set("web", "memory.current", "nonsense\n");
  const CgroupId web = add("web");
  const Frame& frame = sampler_.read(all_sources());
  EXPECT_FALSE(frame.find(web)->get(Metric::memory_current));
  EXPECT_GE(sampler_.unreadable(), 1U);
}

TEST_F(SamplerTest, TellsTheTightestLimitOfItAndThoseAbove) {
  FakeCgroupfs fs({{"pods", {{"cpu.max", "50000 100000\n"}, {"memory.max", "max\n"}}},
                   {"pods/a", {{"cpu.max", "max 100000\n"}, {"memory.max", "1000\n"}}},
                   {"pods/b", {{"cpu.max", "20000 100000\n"}, {"memory.max", "2000\n"}}}});
  const auto root = fs.root();
  Sampler sampler = Sampler::open(*root, proc_.path(), clock_).value();
  const CgroupId a = sampler.add({.name = "a", .cgroup = "/pods/a"}).value();
  const CgroupId b = sampler.add({.name = "b", .cgroup = "/pods/b"}).value();
  const Frame& frame = sampler.read(all_sources());
  EXPECT_EQ(frame.find(a)->get(Metric::cpu_limit), 500'000U);
  EXPECT_EQ(frame.find(b)->get(Metric::cpu_limit), 200'000U);
  EXPECT_EQ(frame.find(a)->get(Metric::memory_max_limit), 1000U);
  fs.set("pods", "cpu.max", "max 100000\n");
  fs.set("pods", "memory.max", "1500\n");
  sampler.read(all_sources());
  EXPECT_EQ(frame.find(a)->get(Metric::cpu_limit), kNoLimit);
  EXPECT_EQ(frame.find(b)->get(Metric::memory_max_limit), 1500U);
}

TEST_F(SamplerTest, OneThatIsGoneIsNotTakenIn) {
  EXPECT_THAT(sampler_.add({.name = "x", .cgroup = "/x"}), HasError(ErrorKind::absent));
}

}  // namespace
}  // namespace weir::sample
