// SPDX-License-Identifier: MIT
#include "weir/control/model_store.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <filesystem>

#include "weir/base/file.h"
#include "weir/learn/model_file.h"

namespace weir::control {
namespace {

using testing::HasError;
using ::testing::HasSubstr;
using testing::HasValue;
using testing::Succeeds;

class ModelStoreTest : public ::testing::Test {
 protected:
  /// A model's file; its intercept tells it from others.
  static std::string text(double intercept) {
    return learn::format_model(
        learn::Model::make({}, {{.resource = "cpu", .form = learn::Linear{.intercept = intercept}}}).value());
  }
  static std::string id(const std::string& text) { return learn::parse_model(text)->identity().id; }
  [[nodiscard]] std::string loaded() const {
    const auto model = load_model(path_, std::nullopt);
    return model ? model->identity().id : model.error().message();
  }

  testing::TempDir dir_;
  const std::string path_ = dir_.path("models/soft_limit.json");
};

TEST_F(ModelStoreTest, GivesBackWhatWasStoredAndTheOneBeforeIt) {
  EXPECT_THAT(load_model(path_, std::nullopt), HasError(ErrorKind::absent));
  EXPECT_THAT(store_model(path_, text(1), "one"), Succeeds());
  EXPECT_EQ(loaded(), id(text(1)));
  EXPECT_THAT(roll_back(path_, std::nullopt), HasError(ErrorKind::absent));

  EXPECT_THAT(store_model(path_, text(2), "two"), Succeeds());
  EXPECT_EQ(loaded(), id(text(2)));
  EXPECT_THAT(read_file(dir_.path("models/soft_limit.metrics.json")), HasValue("two"));

  EXPECT_EQ(roll_back(path_, std::nullopt)->identity().id, id(text(1)));
  EXPECT_EQ(loaded(), id(text(1)));
  EXPECT_THAT(read_file(dir_.path("models/soft_limit.metrics.json")), HasValue("one"));

  EXPECT_THAT(roll_back(path_, std::nullopt), Succeeds());
  EXPECT_EQ(loaded(), id(text(2)));
}

TEST_F(ModelStoreTest, KeepsThePreviousModelWhereTheSameIsStoredAgain) {
  for (const double intercept : {1, 2, 2}) EXPECT_THAT(store_model(path_, text(intercept), "m"), Succeeds());
  EXPECT_EQ(roll_back(path_, std::nullopt)->identity().id, id(text(1)));
}

TEST_F(ModelStoreTest, RefusesAModelThatOthersCouldHaveWritten) {
  EXPECT_THAT(store_model(path_, text(1), "one"), Succeeds());
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  EXPECT_THAT(load_model(path_, std::nullopt), HasError(ErrorKind::refused));
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  ASSERT_EQ(::chmod(dir_.path("models").c_str(), 0777), 0);
  EXPECT_THAT(load_model(path_, std::nullopt), HasError(ErrorKind::refused));
  EXPECT_THAT(store_model(path_, text(2), "two"), HasError(ErrorKind::refused));
}

TEST_F(ModelStoreTest, RefusesALinkAndADamagedFileByName) {
  EXPECT_THAT(store_model(path_, text(1), "one"), Succeeds());
  std::filesystem::create_symlink(path_, dir_.path("models/link.json"));
  EXPECT_THAT(load_model(dir_.path("models/link.json"), std::nullopt), HasError(ErrorKind::refused));
  std::filesystem::resize_file(path_, 100);
  EXPECT_THAT(load_model(path_, std::nullopt), HasError(ErrorKind::invalid));
  EXPECT_THAT(loaded(), HasSubstr("soft_limit.json: is cut off, or damaged"));
}

TEST_F(ModelStoreTest, DoesNotGoBackToADamagedModel) {
  EXPECT_THAT(store_model(path_, text(1), "one"), Succeeds());
  EXPECT_THAT(store_model(path_, text(2), "two"), Succeeds());
  std::filesystem::resize_file(previous_path(path_), 100);
  EXPECT_THAT(roll_back(path_, std::nullopt), HasError(ErrorKind::invalid));
  EXPECT_EQ(loaded(), id(text(2)));
}

TEST(MetricsPath, IsBesideTheModel) {
  EXPECT_EQ(metrics_path("models/soft_limit.json"), "models/soft_limit.metrics.json");
  EXPECT_EQ(metrics_path("model"), "model.metrics.json");
}

}  // namespace
}  // namespace weir::control
