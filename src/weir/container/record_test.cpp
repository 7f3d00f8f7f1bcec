// SPDX-License-Identifier: MIT
#include "weir/container/record.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <filesystem>
#include <fstream>

#include "weir/container/anchor.h"
#include "weir/container/records.h"

namespace weir::container {
namespace {

using testing::HasError;
using testing::HasValue;
using testing::Succeeds;

const std::string kId(64, 'a');

TEST(SlicePath, UnfoldsTheParents) {
  EXPECT_THAT(slice_path("system.slice"), HasValue("/system.slice"));
  EXPECT_THAT(slice_path("a-b-c.slice"), HasValue("/a.slice/a-b.slice/a-b-c.slice"));
  EXPECT_THAT(slice_path("kubepods-pod1_2.slice"), HasValue("/kubepods.slice/kubepods-pod1_2.slice"));
  EXPECT_THAT(slice_path("-.slice"), HasValue(""));
  for (const char* bad : {"", ".slice", "a", "a.service", "-a.slice", "a-.slice", "a--b.slice", "a/b.slice",
                          "../a.slice", "/a.slice"})
    EXPECT_THAT(slice_path(bad), HasError(ErrorKind::invalid)) << bad;
}

TEST(OciCgroupPath, KnowsBothCgroupDrivers) {
  EXPECT_THAT(oci_cgroup_path("system.slice:docker:" + kId),
              HasValue("/system.slice/docker-" + kId + ".scope"));
  EXPECT_THAT(
      oci_cgroup_path("kubepods-burstable-podx.slice:cri-containerd:" + kId),
      HasValue("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx.slice/cri-containerd-" +
               kId + ".scope"));
  EXPECT_THAT(oci_cgroup_path("kubepods.slice:crio:x"), HasValue("/kubepods.slice/crio-x.scope"));
  EXPECT_THAT(oci_cgroup_path(":a:b"), HasValue("/system.slice/a-b.scope"));
  EXPECT_THAT(oci_cgroup_path("x.slice::b"), HasValue("/x.slice/b.scope"));
  EXPECT_THAT(oci_cgroup_path("/kubepods/burstable/pod1/abc"), HasValue("/kubepods/burstable/pod1/abc"));
  EXPECT_THAT(oci_cgroup_path("/default/foo:bar:baz"), HasValue("/default/foo:bar:baz"));
  EXPECT_THAT(oci_cgroup_path("foo"), HasValue("/foo"));
  for (const char* bad :
       {"", "/a/../b", "/a//b", "..", "x.slice:../..:y", "x.slice:a:b/../c", "nope:a:b", "a/../../b"})
    EXPECT_THAT(oci_cgroup_path(bad), HasError(ErrorKind::invalid)) << bad;
}

TEST(OciCgroupPath, OfAContainerIsNeverTheRootNorOutOfItsSlice) {
  for (const char* bad :
       {"/", "::-.slice", ":a:-.slice", "x.slice::-.slice", "x.slice:a:b/c", "x.slice:a/b:c"})
    EXPECT_THAT(oci_cgroup_path(bad), HasError(ErrorKind::invalid)) << bad;
  EXPECT_THAT(oci_cgroup_path("-.slice:a:b"), HasValue("/a-b.scope"));
}

TEST(ScopeId, WantsTheWholeShape) {
  EXPECT_EQ(scope_id("docker-" + kId + ".scope", "docker"), kId);
  for (const std::string& bad :
       {"docker-" + kId, "docker" + kId + ".scope", "docker-" + kId.substr(1) + ".scope",
        "docker-" + kId + "a.scope", "docker-" + std::string(64, 'A') + ".scope",
        std::string("docker-.scope"), std::string("docker.scope"), std::string()})
    EXPECT_EQ(scope_id(bad, "docker"), "") << bad;
}

TEST(DockerRecord, TakesTheNameAndWhatElseIsThere) {
  const auto record = parse_docker_record(
      R"({"ID":")" + kId +
          R"(","Name":"/web","State":{"Running":true,"Pid":42},"Config":{"Image":"nginx:1","Labels":{"tier":"db","n":1}}})",
      kId);
  ASSERT_THAT(record, Succeeds());
  EXPECT_EQ(record->container.name, "web");
  EXPECT_EQ(record->container.image, "nginx:1");
  EXPECT_EQ(record->container.pid, Pid(42));
  EXPECT_EQ(record->container.labels, (std::map<std::string, std::string>{{"tier", "db"}}));
  EXPECT_TRUE(record->running);
}

TEST(DockerRecord, SurvivesWrongTypes) {
  const auto record = parse_docker_record(
      R"({"ID":")" + kId + R"(","Name":7,"State":[],"Config":{"Labels":"x","Image":{}}})", kId);
  ASSERT_THAT(record, Succeeds());
  EXPECT_EQ(record->container.name, "aaaaaaaaaaaa");
  EXPECT_FALSE(record->running);
}

TEST(DockerRecord, RefusesAnotherContainersRecordAndGarbage) {
  for (const std::string& text :
       {std::string(R"({"ID":"b"})"), std::string("{}"), std::string("[]"), std::string("<html>"),
        std::string(), std::string("{\"ID\":"), std::string(10'000, '['), "{\"ID\":[\"" + kId + "\"]}"})
    EXPECT_THAT(parse_docker_record(text, kId), HasError(ErrorKind::invalid)) << text.substr(0, 50);
}

TEST(StorageContainers, TakesTheFirstNameAndTheImage) {
  const auto list = parse_storage_containers(
      R"([{"id":")" + kId +
      R"(","names":["web","x"],"metadata":"{\"image-name\":\"docker.io/library/nginx:1\"}"},)"
      R"({"id":"short","names":["x"]},7,{"id":")" +
      std::string(64, 'b') + R"(","names":null,"metadata":"{{{"}])");
  ASSERT_THAT(list, Succeeds());
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ(list->front().name, "web");
  EXPECT_EQ(list->front().image, "docker.io/library/nginx:1");
  EXPECT_EQ(list->back().name, "bbbbbbbbbbbb");
}

TEST(OciSpecParse, IsEmptyWhereMembersAreMissing) {
  const auto spec = parse_oci_spec(R"({"linux":{"cgroupsPath":7},"annotations":{"a":"b","c":1}})");
  ASSERT_THAT(spec, Succeeds());
  EXPECT_EQ(spec->cgroups_path, "");
  EXPECT_EQ(spec->annotation("a"), "b");
  EXPECT_EQ(spec->annotation("c"), "");
}

TEST(TomlString, FindsTheKeyOnly) {
  EXPECT_EQ(toml_string("[storage]\n# graphroot = \"/no\"\ngraphroot = \"/data\" # why\n", "graphroot"),
            "/data");
  EXPECT_EQ(toml_string("graphroot=/x", "graphroot"), "");
  EXPECT_EQ(toml_string("graphroot=\"x", "graphroot"), "");
  EXPECT_EQ(toml_string("", "graphroot"), "");
}

TEST(HomeOf, ReadsPasswd) {
  const char* const passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n";
  EXPECT_EQ(home_of(passwd, 1000), "/home/ann");
  EXPECT_EQ(home_of(passwd, 1001), "");
}

class RecordsTest : public ::testing::Test {
 protected:
  RecordsTest() {
    std::filesystem::create_directories(dir.path("base/sub"));
    write("base/file", "text");
    write("outside", "secret");
    paths.host_root = dir.path();
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(dir.path(name)) << text; }

  testing::TempDir dir;
  HostPaths paths;
};

TEST_F(RecordsTest, ReadsRegularFilesOnly) {
  const auto records = Records::open(paths, "/base");
  ASSERT_THAT(records, Succeeds());
  EXPECT_THAT(records->read("file"), HasValue("text"));
  EXPECT_THAT(records->read("none"), HasError(ErrorKind::absent));
  EXPECT_THAT(records->read("sub"), HasError(ErrorKind::failed));
  ASSERT_EQ(::mkfifo(dir.path("base/fifo").c_str(), 0600), 0);
  EXPECT_THAT(records->read("fifo"), HasError(ErrorKind::failed));
}

TEST_F(RecordsTest, FollowsNoSymlinkAndLeavesNowhere) {
  std::filesystem::create_symlink("../outside", dir.path("base/link"));
  std::filesystem::create_directory_symlink("sub", dir.path("base/dirlink"));
  const auto records = Records::open(paths, "/base");
  ASSERT_THAT(records, Succeeds());
  EXPECT_FALSE(records->read("link").has_value());
  EXPECT_FALSE(records->read("../outside").has_value());
  EXPECT_FALSE(records->read(dir.path("outside")).has_value());
  EXPECT_FALSE(records->below("dirlink").has_value());
  EXPECT_FALSE(records->below("..").has_value());
}

TEST_F(RecordsTest, FollowsTheAdministratorsSymlinkWithinTheHostsRoot) {
  std::filesystem::create_directory_symlink("/base",
                                            dir.path("moved"));  // absolute: means the host's /base, not ours
  const auto records = Records::open(paths, "/moved");
  ASSERT_THAT(records, Succeeds());
  EXPECT_THAT(records->read("file"), HasValue("text"));
  EXPECT_FALSE(Records::open(paths, "/moved", Records::Owner::user).has_value());
}

TEST_F(RecordsTest, RefusesAFileBeyondTheCap) {
  write("base/big", std::string(1000, 'x'));
  const auto records = Records::open(paths, "/base");
  EXPECT_THAT(records->read("big", 999), HasError(ErrorKind::failed));
  EXPECT_THAT(records->names(), HasValue(std::vector<std::string>{"big", "file", "sub"}));
}

}  // namespace
}  // namespace weir::container
