// SPDX-License-Identifier: MIT
#include "weir/control/live_model.h"

#include <gmock/gmock.h>

#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <filesystem>
#include <fstream>

#include "weir/control/model_store.h"
#include "weir/learn/model_file.h"

namespace weir::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::Succeeds;

class LiveModelTest : public ::testing::Test {
 protected:
  void store(double intercept) {
    learn::Predictor predictor{.resource = "cpu", .form = learn::Linear{.intercept = intercept}, .rows = 600};
    EXPECT_THAT(
        store_model(path_, learn::format_model(learn::Model::make({}, {std::move(predictor)}).value()), "{}"),
        Succeeds());
  }
  testing::TempDir dir_;
  const std::string path_ = dir_.path("models/soft_limit.json");
  LiveModel live_{path_, MlMode::active, std::nullopt};
};

TEST_F(LiveModelTest, WaitsForAFileThatIsNotThereYet) {
  live_.look({});
  EXPECT_EQ(live_.get(), nullptr);
  EXPECT_THAT(live_.take_notes(), ElementsAre(HasSubstr("no model at")));
  live_.look({});
  EXPECT_THAT(live_.take_notes(), IsEmpty());
  store(0.5);
  live_.look({});
  ASSERT_NE(live_.get(), nullptr);
  EXPECT_THAT(live_.take_notes(), ElementsAre(HasSubstr("mode active")));
  EXPECT_THAT(live_.take_events(), IsEmpty());
}

TEST_F(LiveModelTest, TakesAnotherFileWithoutBeingTold) {
  store(0.5);
  live_.look({});
  const std::string before = live_.get()->identity().id;
  store(0.6);
  live_.look({});
  EXPECT_NE(live_.get()->identity().id, before);
}

TEST_F(LiveModelTest, AWrongFileIsRefusedWithAReasonAndStepDecides) {
  store(0.5);
  live_.look({});
  std::ofstream(path_) << "{}";
  live_.look({});
  EXPECT_EQ(live_.get(), nullptr);
  const auto events = live_.take_events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].kind, EventKind::ml_fallback);
  live_.look({});
  EXPECT_THAT(live_.take_events(), IsEmpty());
}

TEST_F(LiveModelTest, AFileThatOthersCouldHaveWrittenIsRefused) {
  store(0.5);
  std::filesystem::permissions(path_, std::filesystem::perms(0666));
  live_.look({});
  EXPECT_EQ(live_.get(), nullptr);
  EXPECT_THAT(live_.take_events(), SizeIs(1));
}

TEST_F(LiveModelTest, AFileThatGoesAwayIsTold) {
  store(0.5);
  live_.look({});
  std::filesystem::remove(path_);
  live_.look({});
  EXPECT_EQ(live_.get(), nullptr);
  EXPECT_THAT(live_.take_events(), SizeIs(1));
}

}  // namespace
}  // namespace weir::control
