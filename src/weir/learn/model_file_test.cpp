// SPDX-License-Identifier: MIT
#include "weir/learn/model_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "support/result_matchers.h"

#include "weir/base/checksum.h"

namespace weir::learn {
namespace {

using testing::HasError;
using ::testing::HasSubstr;

Model some() {
  Predictor memory{
      .resource = "memory", .form = Linear{.weights = {0.5}, .intercept = 0.0625}, .margin = 0.25};
  memory.most.fill(1);
  Predictor cpu = memory;
  cpu.resource = "cpu";
  cpu.rows = 1234;
  cpu.margin_held = 0.375;
  cpu.form = Forest{{.nodes = {{.threshold = 0.1F, .feature = 16, .below = ~0, .above = 1},
                               {.threshold = 0.7F, .feature = 0, .below = ~1, .above = ~0}},
                     .leaves = {{.mean = 0.123456F, .high = 0.3F}, {.mean = 0.9F, .high = 1}}},
                    {.nodes = {}, .leaves = {{.mean = 0.5F, .high = 0.5F}}}};
  return Model::make({.id = "", .trained = std::chrono::seconds(1'700'000'000)}, {memory, cpu}).value();
}

/// The text with one thing changed, and the checksum that fits it.
std::string changed(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  const std::size_t end = text.rfind(",\n\"checksum\"");
  text.resize(end);
  return text + fmt::format(",\n\"checksum\": \"{:08x}\"}}\n", crc32(text));
}

std::string why(const std::string& text) {
  const auto model = parse_model(text);
  EXPECT_THAT(model, HasError(ErrorKind::invalid));
  return model ? "" : model.error().message();
}

TEST(ModelFile, ComesBackAsItWas) {
  const Model model = some();
  const std::string text = format_model(model);
  const Model back = parse_model(text).value();
  EXPECT_THAT(back.predictors(), ::testing::ElementsAreArray(model.predictors()));
  EXPECT_EQ(back.identity().trained, model.identity().trained);
  EXPECT_THAT(text, HasSubstr("\"checksum\": \"" + back.identity().id + "\""));
  EXPECT_EQ(format_model(back), text);
}

TEST(ModelFile, OfWhichAnythingIsMissingIsRefused) {
  const std::string text = format_model(some());
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_THAT(parse_model(text.substr(0, size)), HasError(ErrorKind::invalid)) << size;
  EXPECT_THAT(why(text.substr(0, text.size() / 2)), HasSubstr("is cut off, or damaged"));
}

TEST(ModelFile, OfWhichAnyByteIsAnotherIsRefused) {
  const std::string text = format_model(some());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string bad = text;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_THAT(parse_model(bad), HasError(ErrorKind::invalid)) << at;
  }
  std::string bad = text;
  bad.replace(bad.find("0.25"), 4, "0.75");
  EXPECT_THAT(why(bad), HasSubstr("its checksum is another one"));
}

TEST(ModelFile, OfSomethingElseIsRefused) {
  EXPECT_THAT(why(""), HasSubstr("is no model of weir"));
  EXPECT_THAT(why("version: 1\n"), HasSubstr("is no model of weir"));
  EXPECT_THAT(why(R"({"schema":1})"), HasSubstr("is no model of weir"));
  EXPECT_THAT(why(std::string(kLargestModel + 1, ' ')), HasSubstr("is larger than 8M"));
  EXPECT_THAT(why(std::string(100'000, '[')), HasSubstr("is no model of weir"));
}

TEST(ModelFile, OfAnotherVersionOrSchemaIsRefusedEvenWithItsChecksum) {
  const std::string text = format_model(some());
  EXPECT_THAT(why(changed(text, "\"version\":1", "\"version\":2")), HasSubstr("is of version 2"));
  EXPECT_THAT(why(changed(text, "\"schema\":1", "\"schema\":2")), HasSubstr("other features"));
  EXPECT_THAT(why(changed(text, "\"peak\"", "\"pike\"")), HasSubstr("other features"));
  EXPECT_THAT(why(changed(text, "\"limit\",\"use\"", "\"use\",\"limit\"")), HasSubstr("other features"));
}

TEST(ModelFile, ThatIsOutOfItsBoundsIsRefusedEvenWithItsChecksum) {
  const std::string text = format_model(some());
  for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"\"below\":[-1,-2]", "\"below\":[-1]"},       // of another length
           {"\"below\":[-1,-2]", "\"below\":[-1,0]"},     // leads back
           {"\"below\":[-1,-2]", "\"below\":[-1,1e9]"},   // no whole number
           {"\"below\":[-1,-2]", "\"below\":[-1,99]"},    // leads nowhere
           {"\"feature\":[16,0]", "\"feature\":[18,0]"},  // is none
           {"\"feature\":[16,0]", "\"feature\":[-1,0]"},
           {"\"threshold\":[0.1,", "\"threshold\":[1e300,"},
           {"\"threshold\":[0.1,", "\"threshold\":[null,"},
           {"\"margin\":0.25", "\"margin\":1e7"},
           {"\"margin_held\":0.375", "\"margin_held\":null"},
           {"\"quantile\":0.9", "\"quantile\":0.5"},
           {"\"rows\":1234", "\"rows\":-1"},
           {"\"linear\":", "\"lineal\":"},
           {"\"resource\":\"memory\"", "\"resource\":\"cpu\""},
           {"\"trained_ns\":1700000000000000000", "\"trained_ns\":\"x\""},
           {"\"predictors\":[", "\"predictors\":[1,"},
       })
    EXPECT_THAT(parse_model(changed(text, from, to)), HasError(ErrorKind::invalid)) << to;
}

}  // namespace
}  // namespace weir::learn
