// SPDX-License-Identifier: MIT
// Cuts that are shrunk first, through apply() on the fake cgroupfs: what is written, what the journal says,
// and what is put back. Time is the clock that the pauses tick.
#include "weir/limits/shrink_plan.h"

#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/temp_dir.h"
#include <atomic>
#include <cerrno>
#include <thread>

#include "weir/base/text.h"
#include "weir/limits/shrink.h"
#include "weir/limits/shrink_lock.h"
#include "weir/limits/undo.h"
#include "weir/limits/writer.h"

namespace weir::limits {
namespace {

using cgroup::Knob;
using ::testing::ElementsAre;
using testing::FakeCgroupfs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string mib(std::uint64_t n) { return std::to_string(n * kMiB); }

class ShrinkPlanTest : public ::testing::Test {
 protected:
  ShrinkPlanTest() {
    fs_.set("web", "memory.current", mib(300));
    fs_.set("web", "memory.peak", mib(300));
    fs_.set("web", "memory.stat", "anon " + mib(100) + "\n");
    fs_.before_write(
        [this](std::string_view, std::string_view file, std::string_view text) { written(file, text); });
  }

  /// The kernel: what is asked to be reclaimed is.
  virtual void written(std::string_view file, std::string_view text) {
    if (!container_->alive()) return;
    files_.emplace_back(file);
    if (file == "memory.max") high_at_cut_ = fs_.get("web", "memory.high");
    if (on_write_) on_write_(file);
    if (file != "memory.reclaim") return;
    const auto use = parse_u64(trim(fs_.get("web", "memory.current"))).value();
    fs_.set("web", "memory.current", std::to_string(use - parse_u64(text).value()));
  }

  Patience patience() {
    Patience patience;
    patience.now = [this] { return clock_.monotonic(); };
    patience.pause = [this](std::chrono::nanoseconds span) {
      clock_.tick(span);
      if (on_pause_) on_pause_();
    };
    patience.interrupted = interrupted_;
    return patience;
  }
  std::vector<Outcome> undo_last() {
    return undo(*fs_.root(), journal_.read().value(), &journal_, {.by = "test", .patience = patience()})
        .outcomes;
  }

  Outcome set(std::initializer_list<const char*> settings) {
    Request request{
        .targets = {{.target = "web", .container = {.name = "web", .cgroup = "/web"}, .settings = {}}},
        .guarded = {}};
    for (const char* setting : settings)
      request.targets.front().settings.push_back(cgroup::parse_setting(setting).value());
    Plan plan = make_plan(*fs_.root(), request).value();
    const Order order{.who = {}, .reason = {}, .arrange_restore = {}, .patience = patience()};
    EXPECT_TRUE(apply(plan, journal_, system_clock_, order).has_value());
    return plan.outcomes().front();
  }
  [[nodiscard]] std::vector<Change> changes() const { return journal_.read().value().changes; }
  void expect_untouched() const {
    EXPECT_EQ(fs_.get("web", "memory.max"), "max\n");
    EXPECT_EQ(fs_.get("web", "memory.high"), "max\n");
    for (const Change& change : changes()) EXPECT_FALSE(in_force(change));
  }

  testing::TempDir run_;
  FakeCgroupfs fs_{{"web", {}}};
  std::unique_ptr<cgroup::Dir> container_ = fs_.dir("web");
  ManualClock clock_;
  SystemClock system_clock_;
  Journal journal_ = Journal::open(run_.path(), "boot-1").value();
  std::vector<std::string> files_;
  std::string high_at_cut_;
  std::function<void(std::string_view)> on_write_;
  std::function<void()> on_pause_;
  std::function<bool()> interrupted_;
};

TEST_F(ShrinkPlanTest, TheLimitIsCutUnderTheBrakeAndTheBrakeGoesBack) {
  const Outcome outcome = set({"memory.max=200M"});
  EXPECT_EQ(outcome.status, Status::changed);
  EXPECT_EQ(outcome.change.phase, Phase::done);
  EXPECT_EQ(fs_.get("web", "memory.max"), mib(200) + "\n");
  EXPECT_EQ(fs_.get("web", "memory.high"), "max\n");
  EXPECT_EQ(high_at_cut_, std::to_string(brake_of(Knob::memory_max, Bytes(200 * kMiB)).count()) + "\n");
  ASSERT_THAT(changes(), SizeIs(2));
  EXPECT_EQ(changes()[0].phase, Phase::done);
  EXPECT_EQ(changes()[1].after.knob, Knob::memory_high);
  EXPECT_EQ(changes()[1].phase, Phase::undone);
}

TEST_F(ShrinkPlanTest, MemoryHighIsSteppedDownAndStays) {
  EXPECT_EQ(set({"memory.high=200M"}).status, Status::changed);
  EXPECT_EQ(fs_.get("web", "memory.high"), mib(200) + "\n");
  ASSERT_THAT(changes(), SizeIs(1));
  EXPECT_EQ(changes()[0].phase, Phase::done);
}

TEST_F(ShrinkPlanTest, AGrowingNeedTakesItBackAndIsTold) {
  on_pause_ = [this] { fs_.set("web", "memory.stat", "anon " + mib(195) + "\n"); };
  const Outcome outcome = set({"memory.max=200M"});
  EXPECT_EQ(outcome.status, Status::failed);
  EXPECT_THAT(outcome.error->message(), HasSubstr("195M"));
  expect_untouched();
}

TEST_F(ShrinkPlanTest, AFailedWriteOfTheLimitPutsTheBrakeBack) {
  fs_.fail_writes("web", "memory.max", EIO);
  EXPECT_EQ(set({"memory.max=200M"}).status, Status::failed);
  expect_untouched();
}

TEST_F(ShrinkPlanTest, ABrakeThatDoesNotGoBackStaysInTheJournal) {
  on_write_ = [this](std::string_view file) {
    if (file == "memory.max") fs_.fail_writes("web", "memory.high", EIO);
  };
  const Outcome outcome = set({"memory.max=200M"});
  EXPECT_EQ(outcome.status, Status::failed);
  EXPECT_THAT(outcome.error->message(), HasSubstr("stays in force"));
  EXPECT_TRUE(in_force(changes().back()));
  fs_.fail_writes("web", "memory.high", 0);
  (void)undo(*fs_.root(), journal_.read().value(), &journal_, {.by = "test"});
  expect_untouched();
}

TEST_F(ShrinkPlanTest, WhatSomeoneElseWroteOverTheBrakeIsLeftAlone) {
  on_write_ = [this](std::string_view file) {
    if (file == "memory.max") fs_.set("web", "memory.high", "123456000\n");
  };
  EXPECT_EQ(set({"memory.max=200M"}).status, Status::changed);
  EXPECT_EQ(fs_.get("web", "memory.high"), "123456000\n");
  EXPECT_EQ(changes().back().phase, Phase::undone);
}

TEST_F(ShrinkPlanTest, AContainerThatEndsMeanwhileIsGone) {
  on_pause_ = [this] {
    if (files_.back() == "memory.max" && container_->alive()) fs_.remove("web");
  };
  const Outcome outcome = set({"memory.max=200M"});
  EXPECT_EQ(outcome.status, Status::gone);
  for (const Change& change : changes()) EXPECT_EQ(change.phase, Phase::gone);
}

TEST_F(ShrinkPlanTest, AnInterruptTakesItBack) {
  interrupted_ = [] { return true; };
  on_pause_ = [this] { clock_.tick(-std::chrono::milliseconds(25)); };  // time stands still until it is asked
  const Outcome outcome = set({"memory.max=200M"});
  EXPECT_EQ(outcome.status, Status::failed);
  EXPECT_THAT(outcome.error->message(), HasSubstr("interrupted"));
  expect_untouched();
}

TEST_F(ShrinkPlanTest, NothingIsWrittenThatIsNotJournalled) {
  journal_ = Journal::open(run_.path() + "/small", "boot-1", {.cap = 10}).value();
  EXPECT_EQ(set({"memory.max=200M"}).status, Status::failed);
  EXPECT_THAT(files_, ElementsAre());
}

TEST_F(ShrinkPlanTest, MeanwhileOthersMayChangeOtherLimitsButNotItsMemory) {
  std::vector<std::string> others;
  on_pause_ = [&] {
    if (!others.empty()) return;
    auto journal = Journal::open(run_.path(), "boot-1", {.lock_wait = std::chrono::milliseconds(0)});
    ASSERT_TRUE(journal) << journal.error().message();
    for (const char* setting : {"cpu.weight=50", "memory.max=250M", "memory.low=1M"}) {
      const Request request{.targets = {{.target = "web",
                                         .container = {.name = "web", .cgroup = "/web"},
                                         .settings = {cgroup::parse_setting(setting).value()}}},
                            .guarded = {}};
      Plan plan = make_plan(*fs_.root(), request).value();
      const auto applied = apply(plan, *journal, system_clock_, {});
      others.push_back(applied ? "done" : applied.error().message());
    }
    EXPECT_FALSE(
        read_settled(*fs_.root(), *journal, {.selection = {.kind = Selection::Kind::all}, .by = "test"}));
  };
  EXPECT_EQ(set({"memory.max=200M"}).status, Status::changed);
  EXPECT_THAT(others, ElementsAre("done", HasSubstr("another weir is shrinking"), "done"));
  EXPECT_EQ(fs_.get("web", "memory.max"), mib(200) + "\n");
  EXPECT_FALSE(is_shrinking(journal_, container_->id()));
}

TEST_F(ShrinkPlanTest, UndoWaitsForItsEndAndTakesBackWhatItDid) {
  std::atomic<bool> at_work = false;
  on_pause_ = [&] { at_work = true; };
  std::thread other([this] {
    EXPECT_EQ(set({"memory.max=200M"}).status, Status::changed);
    journal_.unlock();
  });
  while (!at_work) std::this_thread::yield();
  Journal journal = Journal::open(run_.path(), "boot-1").value();
  const UndoOrder order{.by = "test"};
  auto history = read_settled(*fs_.root(), journal, order);
  ASSERT_TRUE(history);
  undo(*fs_.root(), std::move(*history), &journal, order);
  other.join();
  EXPECT_EQ(fs_.get("web", "memory.max"), "max\n");
}

TEST_F(ShrinkPlanTest, UndoOfARaiseShrinksToo) {
  fs_.set("web", "memory.max", mib(200) + "\n");
  fs_.set("web", "memory.current", mib(150));
  EXPECT_EQ(set({"memory.max=1G"}).status, Status::changed);
  fs_.set("web", "memory.current", mib(300));
  const std::vector<Outcome> undone = undo_last();
  ASSERT_THAT(undone, SizeIs(1));
  EXPECT_EQ(undone[0].status, Status::changed);
  EXPECT_NE(high_at_cut_, "max\n");
  EXPECT_EQ(fs_.get("web", "memory.max"), mib(200) + "\n");
  EXPECT_EQ(fs_.get("web", "memory.high"), "max\n");
  for (const Change& change : changes()) EXPECT_EQ(change.phase, Phase::undone);
}

TEST_F(ShrinkPlanTest, UndoThatWouldKillLeavesTheRaise) {
  fs_.set("web", "memory.max", mib(200) + "\n");
  fs_.set("web", "memory.current", mib(150));
  set({"memory.max=1G"});
  fs_.set("web", "memory.current", mib(300));
  on_pause_ = [this] { fs_.set("web", "memory.stat", "anon " + mib(250) + "\n"); };
  EXPECT_EQ(undo_last().at(0).status, Status::failed);
  EXPECT_EQ(fs_.get("web", "memory.max"), mib(1024) + "\n");
  EXPECT_EQ(fs_.get("web", "memory.high"), "max\n");
  EXPECT_TRUE(in_force(changes().front())) << "so that undo can try again";
}

/// The kernel and the journal as a kill at that write leaves them.
class Killed : public ShrinkPlanTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void written(std::string_view file, std::string_view text) override {
    if (copy_ && file == GetParam() && fs_.get("web", "memory.high") != "max\n") {
      high_ = fs_.get("web", "memory.high");
      max_ = fs_.get("web", "memory.max");
      history_ = journal_.read().value();
      copy_ = false;
    }
    ShrinkPlanTest::written(file, text);
  }
  bool copy_ = true;
  std::string high_, max_;
  History history_;
};

TEST_P(Killed, UndoTakesAllOfItBack) {
  set({"memory.max=200M"});
  ASSERT_FALSE(copy_);
  fs_.set("web", "memory.high", high_);
  fs_.set("web", "memory.max", max_);
  const UndoResult undone = undo(*fs_.root(), history_, &journal_, {.by = "test"});
  for (const Outcome& outcome : undone.outcomes) EXPECT_FALSE(outcome.error) << outcome.error->message();
  EXPECT_EQ(fs_.get("web", "memory.max"), "max\n");
  EXPECT_EQ(fs_.get("web", "memory.high"), "max\n");
}
INSTANTIATE_TEST_SUITE_P(AtAWriteOf, Killed,
                         ::testing::Values("memory.reclaim", "memory.max", "memory.high"));

}  // namespace
}  // namespace weir::limits
