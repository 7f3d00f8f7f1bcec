// SPDX-License-Identifier: MIT
#include "weir/control/made_cgroups.h"

#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <fstream>

namespace weir::control {
namespace {

using ::testing::ElementsAre;
using testing::FakeCgroupfs;
using testing::HasError;
using ::testing::HasSubstr;
using testing::HasValue;
using ::testing::IsEmpty;
using testing::Succeeds;

class MadeCgroupsTest : public ::testing::Test {
 protected:
  MadeCgroups open(const std::string& boot = "boot") { return MadeCgroups::open(run_.path(), boot).value(); }
  void note(MadeCgroups& made, const std::string& path) {
    EXPECT_THAT(made.will_make("/" + path), Succeeds());
    EXPECT_THAT(made.has_made("/" + path, fs_.dir(path)->id()), Succeeds());
  }

  FakeCgroupfs fs_{{"demo", {}}, {"demo/batch", {}}};
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
  testing::TempDir run_;
};

TEST_F(MadeCgroupsTest, AreKnownAgainInTheSameBootOnly) {
  MadeCgroups made = open();
  note(made, "demo");
  EXPECT_EQ(open().all(), made.all());
  EXPECT_THAT(open("another").all(), IsEmpty());
}

TEST_F(MadeCgroupsTest, AreRemovedFromTheDeepestUp) {
  MadeCgroups made = open();
  note(made, "demo");
  note(made, "demo/batch");
  EXPECT_THAT(made.remove_all(*root_), IsEmpty());
  EXPECT_THAT(root_->open("demo"), HasError(ErrorKind::absent));
  EXPECT_THAT(open().all(), IsEmpty());
}

TEST_F(MadeCgroupsTest, StayWithWhatIsInThem) {
  MadeCgroups made = open();
  note(made, "demo");
  note(made, "demo/batch");
  fs_.set("demo/batch", "cgroup.procs", "42\n");
  EXPECT_THAT(made.remove_all(*root_),
              ElementsAre(HasSubstr("/demo/batch stays: there are processes"), HasSubstr("/demo stays")));
  EXPECT_EQ(open().all().size(), 2U);
}

TEST_F(MadeCgroupsTest, AnotherOneOfTheSamePathIsLetBe) {
  MadeCgroups made = open();
  note(made, "demo/batch");
  fs_.remove("demo/batch");
  fs_.add("demo/batch");
  EXPECT_THAT(made.remove_all(*root_), IsEmpty());
  EXPECT_THAT(root_->open("demo/batch"), Succeeds());
}

TEST_F(MadeCgroupsTest, OneThatWasAboutToBeMadeWhenItWasKilledIsKnownByItsPath) {
  EXPECT_THAT(open().will_make("/demo/batch"), Succeeds());
  EXPECT_THAT(open().remove_all(*root_), IsEmpty());
  EXPECT_THAT(root_->open("demo/batch"), HasError(ErrorKind::absent));
}

TEST_F(MadeCgroupsTest, ADamagedRecordIsSaidAndNothingIsRemoved) {
  std::ofstream(run_.path("control.made")) << "{";
  EXPECT_THAT(MadeCgroups::open(run_.path(), "boot"), HasError(ErrorKind::invalid));
}

TEST(ParseMade, RefusesWhatIsNoRecord) {
  for (const std::string_view text :
       {"", "[]", "{}", R"({"cgroups":{}})", R"({"cgroups":[{}]})", R"({"cgroups":[{"cgroup":"/"}]})",
        R"({"cgroups":[{"cgroup":"/a/../b"}]})", R"({"cgroups":["/a"]})"})
    EXPECT_THAT(parse_made(text, "boot"), HasError(ErrorKind::invalid)) << text;
}

TEST(ParseMade, ReadsWhatWasWritten) {
  const std::vector<MadeCgroup> made = {{"/a", CgroupId(7)}, {"/a/b c", std::nullopt}};
  EXPECT_THAT(parse_made(format_made(made, "boot"), "boot"), HasValue(made));
}

}  // namespace
}  // namespace weir::control
