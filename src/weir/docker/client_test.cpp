// SPDX-License-Identifier: MIT
#include "weir/docker/client.h"

#include <gmock/gmock.h>

#include "support/fake_daemon.h"
#include "support/result_matchers.h"

namespace weir::docker {
namespace {

using testing::FakeDaemon;
using testing::HasError;
using ::testing::HasSubstr;
using testing::HasValue;
using testing::Succeeds;
using Reply = FakeDaemon::Reply;
using Then = FakeDaemon::Then;

const std::string kId(64, 'a');

Client client_of(const FakeDaemon& daemon, std::size_t body_limit = std::size_t{1} << 20) {
  auto client = Client::connect(
      {.socket = daemon.socket(), .timeout = std::chrono::milliseconds(60), .body_limit = body_limit});
  WEIR_ASSERT(client.has_value());
  return std::move(*client);
}

/// What list() says when the daemon answers so.
Error error_of_list(Reply reply, std::size_t body_limit = std::size_t{1} << 20) {
  const FakeDaemon daemon([&](std::string_view) { return reply; });
  const auto list = client_of(daemon, body_limit).list();
  EXPECT_FALSE(list.has_value());
  return list ? Error{} : list.error();
}

TEST(ClientConnect, IsAbsentWithoutASocket) {
  EXPECT_THAT(Client::connect({.socket = "/tmp/weir-no-such.sock"}), HasError(ErrorKind::absent));
  EXPECT_THAT(Client::connect({.socket = "/etc/passwd/docker.sock"}), HasError(ErrorKind::absent));
  EXPECT_THAT(Client::connect({.socket = "/etc/passwd"}), HasError(ErrorKind::absent));
  EXPECT_THAT(Client::connect({.socket = std::string(500, 'x')}), HasError(ErrorKind::invalid));
}

TEST(ClientCalls, ShareOneConnection) {
  const FakeDaemon daemon([](std::string_view) { return FakeDaemon::json(200, R"({"Version":"26.1.5"})"); });
  Client client = client_of(daemon);
  EXPECT_THAT(client.version(), HasValue("26.1.5"));
  EXPECT_THAT(client.version(), HasValue("26.1.5"));
  EXPECT_EQ(daemon.requests(), 2);
  EXPECT_EQ(daemon.connections(), 1);
}

TEST(ClientCalls, ConnectAgainOnceWhenTheDaemonClosedTheIdleConnection) {
  const FakeDaemon daemon(
      [](std::string_view) { return Reply{FakeDaemon::json(200, R"({"Version":"1"})").bytes, Then::close}; });
  Client client = client_of(daemon);
  EXPECT_THAT(client.version(), HasValue("1"));
  EXPECT_THAT(client.version(), HasValue("1"));
  EXPECT_EQ(daemon.connections(), 2);
}

TEST(ClientCalls, AreRepeatedOnceAtMost) {
  const FakeDaemon daemon([](std::string_view) { return Reply{"", Then::close}; });
  const auto version = client_of(daemon).version();
  ASSERT_THAT(version, HasError(ErrorKind::failed));
  EXPECT_THAT(version.error().what, HasSubstr("without an answer"));
  EXPECT_EQ(daemon.requests(), 2);
}

TEST(ClientCalls, GiveUpOnADaemonThatNeverAnswers) {
  const Error error = error_of_list({"", Then::keep});
  EXPECT_EQ(error.kind, ErrorKind::failed);
  EXPECT_EQ(error.err, ETIMEDOUT);
}

TEST(ClientCalls, GiveUpOnADaemonThatDrips) {
  EXPECT_EQ(error_of_list({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Then::drip}).kind,
            ErrorKind::failed);
  EXPECT_EQ(error_of_list({"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", Then::drip}).err, ETIMEDOUT);
  EXPECT_EQ(error_of_list({"x", Then::drip}).kind, ErrorKind::failed);
}

TEST(ClientCalls, RefuseWhatIsNotHttp) {
  for (const char* bytes :
       {"garbage\r\n\r\n", "\r\n\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 twohundred OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "220 mail ready\r\n"}) {
    const Error error = error_of_list({bytes, Then::close});
    EXPECT_EQ(error.kind, ErrorKind::failed) << bytes;
  }
}

TEST(ClientCalls, RefuseATruncatedAnswer) {
  for (const char* bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[]", "HTTP/1.1 200 OK\r\nContent-"})
    EXPECT_THAT(error_of_list({bytes, Then::close}).what, HasSubstr("in the middle")) << bytes;
}

TEST(ClientCalls, RefuseAnAnswerBeyondTheLimit) {
  EXPECT_THAT(error_of_list({"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"}).what,
              HasSubstr("larger than"));
  EXPECT_THAT(error_of_list(FakeDaemon::json(200, "[" + std::string(5000, ' ') + "]"), 1000).what,
              HasSubstr("larger than"));
  std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100; ++i) chunks += "64\r\n" + std::string(100, ' ') + "\r\n";
  EXPECT_THAT(error_of_list({chunks}, 1000).what, HasSubstr("larger than"));
  EXPECT_EQ(error_of_list({"HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'x')}).kind, ErrorKind::failed);
}

TEST(ClientCalls, ReadChunkedAnswersAndAnswersThatEndWithTheConnection) {
  const FakeDaemon chunked([](std::string_view) {
    return Reply{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
        "chunked\r\n\r\nb\r\n{\"Version\":\r\n4\r\n\"7\"}\r\n0\r\n\r\n"};
  });
  Client client = client_of(chunked);
  EXPECT_THAT(client.version(), HasValue("7"));
  EXPECT_THAT(client.version(), HasValue("7"));
  EXPECT_EQ(chunked.connections(), 1);
  const FakeDaemon until_close(
      [](std::string_view) { return Reply{"HTTP/1.0 200 OK\r\n\r\n{\"Version\":\"8\"}", Then::close}; });
  EXPECT_THAT(client_of(until_close).version(), HasValue("8"));
}

TEST(ClientCalls, PassOnTheDaemonsOwnMessage) {
  const Error error = error_of_list(FakeDaemon::json(500, R"({"message":"no space left"})"));
  EXPECT_EQ(error.kind, ErrorKind::failed);
  EXPECT_THAT(error.what, HasSubstr("answered 500: no space left"));
  EXPECT_THAT(error_of_list(FakeDaemon::json(502, "<html>Bad gateway</html>")).what, HasSubstr("<html>"));
  EXPECT_LT(error_of_list(FakeDaemon::json(500, std::string(100'000, 'x'))).what.size(), 500U);
}

TEST(ClientList, RefusesWrongShapes) {
  for (const char* body : {"<html></html>", "{}", "null", "\"x\"", "[", "", "[1,2", "{\"message\":\"x\"}"})
    EXPECT_NE(error_of_list(FakeDaemon::json(200, body)).what, "") << body;
}

TEST(ClientList, TakesWhatItCanUse) {
  const FakeDaemon daemon([](std::string_view) {
    return FakeDaemon::json(
        200,
        R"([{"Id":")" + kId +
            R"(","Names":["/db/alias","/web"],"Image":"nginx:1","Labels":)"
            R"({"tier":"db","n":7,"com.docker.compose.project":"shop","com.docker.compose.service":"front"}},)"
            R"({"Id":7},{"Id":"../x","Names":["/evil"]},3,null,{"Names":["/noid"]},)"
            R"({"Id":")" +
            std::string(64, 'b') + R"(","Names":7,"Labels":[]}])");
  });
  const auto list = client_of(daemon).list();
  ASSERT_THAT(list, Succeeds());
  ASSERT_EQ(list->size(), 2U);
  const Container& web = list->front();
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.image, "nginx:1");
  EXPECT_EQ(web.compose_project, "shop");
  EXPECT_EQ(web.compose_service, "front");
  EXPECT_EQ(web.labels.at("tier"), "db");
  EXPECT_FALSE(web.labels.contains("n"));
  EXPECT_EQ(list->back().name, "bbbbbbbbbbbb");
}

TEST(ClientListNamed, AsksForTheExactNameOnly) {
  std::string asked;
  const FakeDaemon daemon([&](std::string_view request) {
    asked = request.substr(0, request.find('\r'));
    return FakeDaemon::json(200, R"([{"Id":")" + kId + R"(","Names":["/a.b"]},{"Id":")" +
                                     std::string(64, 'c') + R"(","Names":["/a.bc"]}])");
  });
  const auto list = client_of(daemon).list_named("a.b");
  ASSERT_THAT(list, Succeeds());
  EXPECT_EQ(list->size(), 1U);
  EXPECT_EQ(asked,
            "GET /containers/json?filters=%7B%22name%22%3A%5B%22%5E%2F%3Fa%5C%5C.b%24%22%5D%7D HTTP/1.1");
}

TEST(ClientListNamed, AsksNothingForANameThatDockerCannotHave) {
  const FakeDaemon daemon([](std::string_view) { return FakeDaemon::json(200, "[]"); });
  Client client = client_of(daemon);
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a\r\nX: y"), std::string("^.*$"),
        std::string(4096, 'a'), std::string("\xff\xfe"), std::string("a\0b", 3)}) {
    const auto list = client.list_named(name);
    ASSERT_THAT(list, Succeeds());
    EXPECT_TRUE(list->empty());
  }
  EXPECT_EQ(daemon.requests(), 0);
}

TEST(ClientInspect, ReadsParentAndPid) {
  const FakeDaemon daemon([](std::string_view) {
    return FakeDaemon::json(
        200,
        R"({"Id":")" + kId +
            R"(","Name":"/web","State":{"Pid":42},"HostConfig":{"CgroupParent":"/x"},"Config":{"Image":"i"}})");
  });
  const auto inspect = client_of(daemon).inspect("web");
  ASSERT_THAT(inspect, Succeeds());
  EXPECT_EQ(inspect->cgroup_parent, "/x");
  EXPECT_EQ(inspect->pid, Pid(42));
  EXPECT_EQ(inspect->name, "web");
}

TEST(ClientInspect, ReadsTheLimitsAsTheEngineHoldsThem) {
  const FakeDaemon daemon([](std::string_view) {
    return FakeDaemon::json(
        200,
        R"({"Id":")" + kId +
            R"(","HostConfig":{"NanoCpus":1500000000,"CpuQuota":-1,"CpuPeriod":"x","Memory":18446744073709551615,
                 "MemorySwap":1.5,"PidsLimit":null,"CpusetCpus":"0-1","CpusetMems":[]}})");
  });
  const auto inspect = client_of(daemon).inspect("web");
  ASSERT_THAT(inspect, Succeeds());
  EXPECT_EQ(inspect->resources.nano_cpus, 1'500'000'000);
  EXPECT_EQ(inspect->resources.cpu_quota, -1);
  EXPECT_EQ(inspect->resources.cpuset_cpus, "0-1");
  for (const std::int64_t wrong : {inspect->resources.cpu_period, inspect->resources.memory,
                                   inspect->resources.memory_swap, inspect->resources.pids_limit})
    EXPECT_EQ(wrong, 0);
  EXPECT_EQ(inspect->resources.cpuset_mems, "");
}

TEST(ClientInspect, HasNoPidForWrongNumbers) {
  for (const char* pid : {"0", "-1", "\"42\"", "99999999999", "1.5", "null", "[]"}) {
    const FakeDaemon daemon([&](std::string_view) {
      return FakeDaemon::json(200, R"({"Id":")" + kId + R"(","State":{"Pid":)" + pid + "}}");
    });
    const auto inspect = client_of(daemon).inspect("web");
    ASSERT_THAT(inspect, Succeeds());
    EXPECT_EQ(inspect->pid, std::nullopt) << pid;
  }
}

TEST(ClientInspect, IsGoneForAnUnknownContainerAndInvalidForAnImpossibleName) {
  const FakeDaemon daemon(
      [](std::string_view) { return FakeDaemon::json(404, R"({"message":"No such container: x"})"); });
  Client client = client_of(daemon);
  EXPECT_THAT(client.inspect("x"), HasError(ErrorKind::gone));
  EXPECT_THAT(client.update("x", {"{}"}), HasError(ErrorKind::gone));
  for (const char* name : {"..", ".", "a/b", "a b", "a\r\nHost: x", ""})
    EXPECT_THAT(client.inspect(name), HasError(ErrorKind::invalid)) << name;
  EXPECT_EQ(daemon.requests(), 2);
}

TEST(ClientUpdate, PostsTheBody) {
  std::string asked;
  const FakeDaemon daemon([&](std::string_view request) {
    asked = request;
    return FakeDaemon::json(200, R"({"Warnings":null})");
  });
  EXPECT_THAT(client_of(daemon).update(kId, {R"({"CpuQuota":50000})"}), Succeeds());
  EXPECT_TRUE(asked.starts_with("POST /containers/" + kId + "/update HTTP/1.1\r\n")) << asked;
  EXPECT_TRUE(asked.ends_with("\r\n\r\n{\"CpuQuota\":50000}")) << asked;
}

TEST(ClientCall, RefusesARequestLineThatWouldSplit) {
  const FakeDaemon daemon([](std::string_view) { return FakeDaemon::json(200, "[]"); });
  Client client = client_of(daemon);
  for (const char* path : {"", "version", "/a b", "/a\r\nX: y", "/\x7f", "/\xc3\xa4"})
    EXPECT_THAT(client.call("GET", path), HasError(ErrorKind::invalid)) << path;
  EXPECT_THAT(client.call("GET /x", "/version"), HasError(ErrorKind::invalid));
}

TEST(ClientAfterAnError, ConnectsAfresh) {
  int asked = 0;
  const FakeDaemon daemon([&](std::string_view) {
    return ++asked == 1 ? Reply{"garbage\r\n\r\n"} : FakeDaemon::json(200, R"({"Version":"1"})");
  });
  Client client = client_of(daemon);
  EXPECT_THAT(client.version(), HasError(ErrorKind::failed));
  EXPECT_THAT(client.version(), HasValue("1"));
  EXPECT_EQ(daemon.connections(), 2);
}

}  // namespace
}  // namespace weir::docker
