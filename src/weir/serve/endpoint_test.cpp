// SPDX-License-Identifier: MIT
#include "weir/serve/endpoint.h"

#include <gmock/gmock.h>

#include "support/temp_dir.h"

namespace weir::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class EndpointTest : public ::testing::Test {
 protected:
  static Frame frame(std::uint64_t number, const std::vector<std::string>& names) {
    Frame made;
    made.number = number;
    for (const std::string& name : names) {
      made.subjects.push_back({.container = {.name = name}, .cgroup_id = CgroupId(made.subjects.size())});
      made.samples.emplace_back().set(Metric::pids_current, number);
    }
    return made;
  }
  static bool all(const Container&) { return true; }
  std::string get(const std::string& path, const std::string& accept = "") {
    return *endpoint_->answer({.method = "GET", .path = path, .host = "", .accept = accept}).body;
  }

  testing::TempDir folder_;
  ManualClock clock_;
  std::unique_ptr<Endpoint> endpoint_ = Endpoint::open(UnixAddress{folder_.path("m")}, clock_).value();
};

TEST_F(EndpointTest, ServesTheLastFrame) {
  EXPECT_THAT(get("/metrics"), Not(HasSubstr("weir_container_pids")));
  endpoint_->see(frame(1, {"web", "db"}), all);
  EXPECT_THAT(get("/metrics"), HasSubstr("weir_container_pids{name=\"db\",runtime=\"none\"} 1\n"));
  endpoint_->see(frame(2, {"db"}), all);
  EXPECT_THAT(get("/metrics"), HasSubstr("weir_container_pids{name=\"db\",runtime=\"none\"} 2\n"));
  EXPECT_THAT(get("/metrics"), Not(HasSubstr("web")));
}

TEST_F(EndpointTest, ServesOnlyWhatIsWanted) {
  const auto wanted = [](const Container& container) { return container.name == "db"; };
  endpoint_->see(frame(1, {"web", "db", "cache"}), wanted);
  EXPECT_THAT(get("/metrics"), HasSubstr("weir_containers{runtime=\"none\"} 1\n"));
  EXPECT_THAT(get("/metrics"), Not(HasSubstr("web")));
}

TEST_F(EndpointTest, MakesTheTextOnceAFrame) {
  endpoint_->see(frame(1, {"web"}), all);
  const Request request{.method = "GET", .path = "/metrics", .host = "", .accept = ""};
  const auto first = endpoint_->answer(request).body;
  EXPECT_EQ(endpoint_->answer(request).body, first);
  endpoint_->watching().role = "samples";
  EXPECT_THAT(*endpoint_->answer(request).body, HasSubstr("weir_sampler_role{role=\"samples\"} 1\n"));
}

TEST_F(EndpointTest, SpeaksOpenMetricsWhereThatIsAskedFor) {
  EXPECT_TRUE(get("/metrics", "application/openmetrics-text").ends_with("# EOF\n"));
}

TEST_F(EndpointTest, HasTwoPagesAndTwoMethods) {
  EXPECT_THAT(get("/"), HasSubstr("/metrics"));
  EXPECT_EQ(endpoint_->answer({.method = "GET", .path = "/etc/passwd", .host = "", .accept = ""}).status,
            404U);
  EXPECT_EQ(endpoint_->answer({.method = "POST", .path = "/metrics", .host = "", .accept = ""}).status, 405U);
  EXPECT_EQ(endpoint_->answer({.method = "HEAD", .path = "/metrics", .host = "", .accept = ""}).status, 200U);
}

TEST_F(EndpointTest, OverTheLoopbackTheHostMustBeThisOne) {
  const auto loopback = Endpoint::open(LoopbackAddress{}, clock_).value();
  const auto status = [&](const std::string& host) {
    return loopback->answer({.method = "GET", .path = "/metrics", .host = host, .accept = ""}).status;
  };
  EXPECT_EQ(status("localhost:9717"), 200U);
  EXPECT_EQ(status("rebound.example.org:9717"), 403U);
  EXPECT_EQ(status(""), 400U);
}

}  // namespace
}  // namespace weir::serve
