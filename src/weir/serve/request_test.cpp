// SPDX-License-Identifier: MIT
#include "weir/serve/request.h"

#include <gmock/gmock.h>

namespace weir::serve {
namespace {

TEST(ParseRequest, TakesMethodPathHostAndAccept) {
  const auto request = parse_request(
      "GET /metrics?debug=1 HTTP/1.1\r\nHost: localhost:9717\r\naccept: text/plain\r\nX-Other: 1\r\n\r\n");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->path, "/metrics");
  EXPECT_EQ(request->host, "localhost:9717");
  EXPECT_EQ(request->accept, "text/plain");
}

TEST(ParseRequest, SaysBadRequestToWhatIsNot) {
  for (const char* head : {
           "\r\n\r\n",
           "GET /metrics\r\n\r\n",
           "GET /metrics HTTP/2.0\r\n\r\n",
           "GET  /metrics HTTP/1.1\r\n\r\n",
           "GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
           "GET /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
           "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
           "GET /metrics HTTP/1.1\r\nno colon\r\n\r\n",
           "\x16\x03\x01\r\n\r\n",
           "GET /metrics HTTP/1.1\r\nHost: a\r\n",
       }) {
    const auto request = parse_request(head);
    EXPECT_TRUE(!request && request.error() == 400) << head;
  }
}

TEST(IsLocalHost, TakesTheNamesOfThisHostWithAnyPort) {
  for (const char* host : {"localhost", "localhost:1", "127.0.0.1:9717", "[::1]", "[::1]:9717"})
    EXPECT_TRUE(is_local_host(host)) << host;
  for (const char* host :
       {"", "example.org", "example.org:9717", "localhost.example.org", "127.0.0.1.example.org",
        "localhost:", "localhost:x", "localhost:99999", "[::1", "::1", "localhost:1:2", "10.0.0.1"})
    EXPECT_FALSE(is_local_host(host)) << host;
}

TEST(WantsOpenMetrics, GoesByTheQualities) {
  EXPECT_TRUE(
      wants_openmetrics("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"));
  EXPECT_TRUE(wants_openmetrics("application/openmetrics-text"));
  EXPECT_FALSE(wants_openmetrics("application/openmetrics-text;q=0.2, text/plain;q=0.9"));
  EXPECT_FALSE(wants_openmetrics("application/openmetrics-text;q=0"));
  EXPECT_FALSE(wants_openmetrics("*/*"));
  EXPECT_FALSE(wants_openmetrics(""));
}

}  // namespace
}  // namespace weir::serve
