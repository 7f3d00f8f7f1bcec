// SPDX-License-Identifier: MIT
// Docker alone, without systemd (HostPaths::host_root is set): the daemon is fake, the kernel is fake,
// journal and records are real files. systemd's half is tested in the guest.
#include "weir/limits/settle.h"

#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/fake_daemon.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <algorithm>
#include <filesystem>

#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/limits/journal.h"
#include "weir/limits/undo.h"

namespace weir::limits {
namespace {

using cgroup::Knob;
using testing::FakeCgroupfs;
using testing::FakeDaemon;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Succeeds;

const std::string kId(64, 'c');

/// A container of Docker's with the cgroupfs driver: an update writes cpu.max from what the Engine knows.
class Settle : public ::testing::Test {
 protected:
  Settle() : daemon_([this](std::string_view request) { return answer(request); }) {
    paths_.host_root = dir_.path("host");
    paths_.run_dir = dir_.path("run");
    paths_.state_dir = dir_.path("state");
    std::filesystem::create_directories(paths_.host("/run"));
    std::filesystem::create_symlink(daemon_.socket(), paths_.host("/run/docker.sock"));
    store_.emplace(*SyncStore::open(paths_.state_dir));
  }

  FakeDaemon::Reply answer(std::string_view request) {
    const std::string_view body = request.substr(std::min(request.find("\r\n\r\n") + 4, request.size()));
    if (request.starts_with("GET /info")) return FakeDaemon::json(200, R"({"NCPU":4,"MemTotal":8000000000})");
    if (!known_) return FakeDaemon::json(404, R"({"message":"No such container"})");
    if (fails_) return FakeDaemon::json(500, R"({"message":"out of order"})");
    if (request.starts_with("POST")) {
      updates_.emplace_back(body);
      const auto json = parse_json(body, "update");
      for (const auto& [name, value] : json->items()) engine_[name] = value.get<std::int64_t>();
      fs_.set("web", "cpu.max", fmt_quota());
      return FakeDaemon::json(200, "{}");
    }
    Json host = Json::object();
    for (const auto& [name, value] : engine_) host[name] = value;
    return FakeDaemon::json(200, dump_json({{"Id", kId}, {"HostConfig", host}}));
  }
  std::string fmt_quota() { return std::to_string(engine_["NanoCpus"] / 10'000) + " 100000\n"; }

  /// As `weir set web cpus=…`: kernel and journal.
  Change set(const std::string& value, Phase phase = Phase::done) {
    auto journal = Journal::open(paths_.run_dir, "boot");
    Change change{.id = {.epoch = journal->next_epoch()},
                  .phase = phase,
                  .time = clock_.realtime(),
                  .target = "web",
                  .name = "web",
                  .cgroup = "/web",
                  .cgroup_id = fs_.dir("web")->id(),
                  .before = {Knob::cpu_max, "", std::string(trim(fs_.get("web", "cpu.max")))},
                  .after = {Knob::cpu_max, "", value}};
    fs_.set("web", "cpu.max", value + "\n");
    EXPECT_THAT(journal->append(change), Succeeds());
    return change;
  }
  void sync(const Change& change) {
    const Subject subject{
        .id = kId, .name = "web", .cgroup = "/web", .cgroup_id = change.cgroup_id, .boot = "boot"};
    ASSERT_THAT(ask_sync(*store_, {.subject = subject, .changes = {change}}, kWholePercents, clock_),
                Succeeds());
  }
  void undo_last() {
    auto journal = Journal::open(paths_.run_dir, "boot");
    (void)undo(*root_, *journal->read(), &*journal, {});
  }
  Settled settle_now(EarlierBoots earlier = EarlierBoots::leave, std::string boot = "boot") {
    auto settled = settle(
        *store_,
        {.paths = paths_, .root = *root_, .clock = clock_, .boot_id = std::move(boot), .earlier = earlier});
    EXPECT_THAT(settled, Succeeds());
    return std::move(*settled);
  }
  std::vector<SyncRecord> records() { return store_->read()->records; }
  std::string kernel() { return fs_.get("web", "cpu.max"); }

  testing::TempDir dir_;
  HostPaths paths_;
  SystemClock clock_;
  FakeCgroupfs fs_{{"web", {{"cpu.max", "100000 100000\n"}}}};
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
  std::map<std::string, std::int64_t> engine_ = {{"NanoCpus", 1'000'000'000}, {"Memory", 0}};
  std::vector<std::string> updates_;
  bool known_ = true, fails_ = false;
  std::optional<SyncStore> store_;
  FakeDaemon daemon_;
};

TEST_F(Settle, TellsTheEngineWhatIsInForceAndRemembersWhatItSaid) {
  sync(set("150000 100000"));
  const Settled settled = settle_now();
  ASSERT_EQ(settled.told.size(), 1U);
  EXPECT_EQ(settled.told[0].state, SyncState::agreed);
  EXPECT_EQ(engine_["NanoCpus"], 1'500'000'000);
  ASSERT_EQ(records().size(), 1U);
  EXPECT_EQ(records()[0].places[0].engine_before.at("NanoCpus"), "1000000000");
  EXPECT_EQ(records()[0].rewrites, 1U);
}

TEST_F(Settle, TellsNothingTwice) {
  sync(set("150000 100000"));
  settle_now();
  settle_now();
  EXPECT_EQ(updates_.size(), 1U);
}

TEST_F(Settle, WritesTheExactValueAgainWhereTheRuntimeRoundedIt) {
  sync(set("4001 3000"));  // NanoCpus has no such period
  settle_now();
  EXPECT_EQ(engine_["NanoCpus"], 1'333'666'667);
  EXPECT_EQ(kernel(), "4001 3000\n");
  EXPECT_EQ(records()[0].rewrites, 2U);
}

TEST_F(Settle, TellsTheOldValueAgainOnceTheChangeIsTakenBack) {
  sync(set("150000 100000"));
  settle_now();
  undo_last();
  const Settled settled = settle_now();
  EXPECT_EQ(settled.taken_back.size(), 1U);
  EXPECT_EQ(engine_["NanoCpus"], 1'000'000'000);
  EXPECT_EQ(kernel(), "100000 100000\n");
  EXPECT_THAT(records(), IsEmpty());
}

TEST_F(Settle, GoesBackStepByStep) {
  sync(set("150000 100000"));
  settle_now();
  sync(set("200000 100000"));
  settle_now();
  undo_last();
  settle_now();
  EXPECT_EQ(engine_["NanoCpus"], 1'500'000'000);
  undo_last();
  settle_now();
  EXPECT_EQ(engine_["NanoCpus"], 1'000'000'000);
}

TEST_F(Settle, TellsOnlyTheLastOfSeveralThatWait) {
  sync(set("150000 100000"));
  sync(set("200000 100000"));
  settle_now();
  EXPECT_EQ(updates_.size(), 1U);
  EXPECT_EQ(engine_["NanoCpus"], 2'000'000'000);
}

TEST_F(Settle, KeepsAFailureWithItsReasonAndTriesAgain) {
  sync(set("150000 100000"));
  fails_ = true;
  settle_now();
  EXPECT_EQ(settle_now().told[0].tries, 2U);
  EXPECT_THAT(records()[0].why, HasSubstr("out of order"));
  fails_ = false;
  EXPECT_EQ(settle_now().told[0].state, SyncState::agreed);
}

TEST_F(Settle, ForgetsWhatWasNeverToldOnceItIsTakenBack) {
  sync(set("150000 100000"));
  fails_ = true;
  settle_now();
  undo_last();
  settle_now();
  EXPECT_THAT(records(), IsEmpty());
  EXPECT_THAT(updates_, IsEmpty());
}

TEST_F(Settle, DoesNotTellWhatSomeoneElseChangedMeanwhile) {
  sync(set("150000 100000"));
  fs_.set("web", "cpu.max", "70000 100000\n");
  const Settled settled = settle_now();
  EXPECT_EQ(settled.told[0].state, SyncState::failed);
  EXPECT_THAT(settled.told[0].why, HasSubstr("someone else changed cpu.max"));
  EXPECT_THAT(updates_, IsEmpty());
  EXPECT_EQ(kernel(), "70000 100000\n");
}

TEST_F(Settle, FinishesWhatWasKilledAfterTheEngineWasTold) {
  // The record is as it was before the Engine was told, and the kernel holds what came of that.
  const Change change = set("153113 100000");
  sync(change);
  settle_now();
  SyncRecord record = records()[0];
  record.state = SyncState::pending;
  record.places[0].told.clear();
  record.holds = {{.value = change.after}};
  ASSERT_THAT(store_->save(record), Succeeds());
  fs_.set("web", "cpu.max", "99 100000\n");
  settle_now();
  EXPECT_EQ(kernel(), "153113 100000\n");
  undo_last();
  settle_now();
  EXPECT_EQ(engine_["NanoCpus"], 1'000'000'000);
  EXPECT_EQ(kernel(), "100000 100000\n");
}

TEST_F(Settle, IsNotFooledByARuntimeThatWritesTheLimitOnceMoreAfterUndo) {
  sync(set("150000 100000"));
  settle_now();
  sync(set("200000 100000"));
  undo_last();
  undo_last();
  fs_.set("web", "cpu.max", "150000 100000\n");
  settle_now();
  EXPECT_EQ(kernel(), "100000 100000\n");
}

TEST_F(Settle, ForgetsWhatItHeldForAChangeThatWasTakenBackSince) {
  const Change change = set("153113 100000");
  sync(change);
  SyncRecord record = records()[0];
  record.places[0].noted = true;
  record.places[0].engine_before = {{"NanoCpus", "1000000000"}};
  record.holds = {{.value = change.after}};
  ASSERT_THAT(store_->save(record), Succeeds());
  undo_last();
  settle_now();
  EXPECT_EQ(kernel(), "100000 100000\n");
  EXPECT_THAT(records(), IsEmpty());
}

TEST_F(Settle, LeavesAnEarlierBootAloneUntilItIsTakenBack) {
  sync(set("150000 100000"));
  settle_now();
  settle_now(EarlierBoots::leave, "another boot");
  EXPECT_EQ(engine_["NanoCpus"], 1'500'000'000);
  settle_now(EarlierBoots::take_back_last, "another boot");
  EXPECT_EQ(engine_["NanoCpus"], 1'000'000'000);
  EXPECT_THAT(records(), IsEmpty());
}

TEST_F(Settle, ForgetsAContainerThatDockerForgot) {
  sync(set("150000 100000"));
  settle_now();
  known_ = false;
  fs_.remove("web");
  undo_last();
  settle_now();
  EXPECT_THAT(records(), IsEmpty());
}

TEST_F(Settle, TellsDockerTheOldValueThoughTheContainerWasRestarted) {
  sync(set("150000 100000"));
  settle_now();
  fs_.remove("web");
  fs_.add("web");
  undo_last();
  settle_now();
  EXPECT_EQ(engine_["NanoCpus"], 1'000'000'000);
  EXPECT_THAT(records(), IsEmpty());
}

TEST_F(Settle, ForgetsUnitsOfAnEarlierBoot) {
  SyncRecord record{.subject = {.unit = "a.service", .name = "a.service", .boot = "another"},
                    .places = {{.asks = {{.boot = "another", .value = "1"}}, .noted = true}}};
  ASSERT_THAT(store_->save(record), Succeeds());
  settle_now();
  EXPECT_THAT(records(), IsEmpty());
}

TEST(SubjectOf, NeedsAContainerOfDockersOrAUnit) {
  EXPECT_EQ(subject_of({.name = "w", .id = kId, .runtime = Runtime::docker, .cgroup = "/docker/x"},
                       CgroupId(1), "b")
                ->id,
            kId);
  EXPECT_EQ(subject_of({.name = "u", .cgroup = "/system.slice/u.service"}, CgroupId(1), "b")->unit,
            "u.service");
  EXPECT_FALSE(subject_of({.name = "x", .cgroup = "/x"}, CgroupId(1), "b"));
  // An id that Docker cannot have is no reason to ask it.
  EXPECT_EQ(subject_of({.name = "w", .id = "../x", .runtime = Runtime::docker, .cgroup = "/a.scope"},
                       CgroupId(1), "b")
                ->id,
            "");
}

}  // namespace
}  // namespace weir::limits
