// SPDX-License-Identifier: MIT
// resolve() and take_inventory() over a fake cgroup tree and runtimes' records in a directory that stands for
// the host.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <filesystem>
#include <fstream>

#include "weir/container/inventory.h"
#include "weir/container/target.h"

namespace weir::container {
namespace {

using ::testing::ElementsAre;
using testing::FakeCgroupfs;
using testing::HasError;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Succeeds;

const std::string kA(64, 'a');
const std::string kB = "abcd" + std::string(60, '0');
const std::string kC = "abcd" + std::string(60, '1');

class Host : public ::testing::Test {
 protected:
  Host() {
    paths.host_root = dir.path();
    paths.proc = dir.path("proc");
  }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(dir.path(path)).parent_path());
    std::ofstream(dir.path(path)) << text;
  }
  void add_docker(const std::string& id, const std::string& name, const std::string& more = "") {
    write("var/lib/docker/containers/" + id + "/config.v2.json",
          fmt::format(R"({{"State":{{"Running":true,"Pid":42}},"ID":"{}","Name":"/{}"{}}})", id, name, more));
    write("var/lib/docker/containers/" + id + "/hostconfig.json", R"({"CgroupParent":""})");
  }
  void run_docker(const std::string& id, const std::string& name, const std::string& more = "") {
    add_docker(id, name, more);
    cgroups.add("system.slice/docker-" + id + ".scope");
  }
  void run_podman(const std::string& id, const std::string& name) {
    podman_list += fmt::format(R"({}{{"id":"{}","names":["{}"]}})", podman_list.empty() ? "" : ",", id, name);
    const std::string base = "var/lib/containers/storage/overlay-containers/";
    write(base + "containers.json", "[" + podman_list + "]");
    write(base + id + "/userdata/config.json",
          fmt::format(R"({{"linux":{{"cgroupsPath":"machine.slice:libpod:{}"}}}})", id));
    cgroups.add("machine.slice/libpod-" + id + ".scope");
  }

  Result<std::vector<Container>> find(std::string_view text) {
    WEIR_TRY(const Target target, parse_target(text));
    const auto root = cgroups.root();
    return resolve(target, paths, *root);
  }
  /// The cgroups that a target stands for.
  std::vector<std::string> cgroups_of(std::string_view text) {
    const auto found = find(text);
    if (!found) return {"error: " + found.error().message()};
    std::vector<std::string> result;
    for (const Container& each : *found) result.push_back(each.cgroup);
    return result;
  }
  std::vector<std::string> names(Include include) {
    const auto root = cgroups.root();
    inventory = take_inventory(paths, *root, include);
    std::vector<std::string> result;
    for (const Container& each : inventory.containers) result.push_back(each.name);
    return result;
  }
  static std::string docker_scope(const std::string& id) { return "/system.slice/docker-" + id + ".scope"; }
  static std::string podman_scope(const std::string& id) { return "/machine.slice/libpod-" + id + ".scope"; }

  testing::TempDir dir;
  HostPaths paths;
  FakeCgroupfs cgroups;
  std::string podman_list;
  Inventory inventory;
};

TEST_F(Host, AnExactNameIsFoundWhateverItsRuntime) {
  run_docker(kA, "web");
  run_podman(kB, "db");
  cgroups.add("lxc.payload.c1");
  EXPECT_THAT(cgroups_of("web"), ElementsAre(docker_scope(kA)));
  EXPECT_THAT(cgroups_of("db"), ElementsAre(podman_scope(kB)));
  EXPECT_THAT(cgroups_of("c1"), ElementsAre("/lxc.payload.c1"));
  EXPECT_EQ(find("web")->front().pid, Pid(42));
}

TEST_F(Host, FourDigitsOfAnIdAreEnoughAndThreeAreNot) {
  run_docker(kA, "web");
  EXPECT_THAT(cgroups_of("aaaa"), ElementsAre(docker_scope(kA)));
  EXPECT_THAT(cgroups_of(kA), ElementsAre(docker_scope(kA)));
  EXPECT_THAT(cgroups_of("docker:aaaa"), ElementsAre(docker_scope(kA)));
  EXPECT_THAT(find("aaa"), HasError(ErrorKind::absent));
  EXPECT_THAT(find("podman:aaaa"), HasError(ErrorKind::absent));
}

TEST_F(Host, ANameThatLooksLikeAnIdWins) {
  run_docker(kA, "web");
  run_podman(kB, "aaaa");
  EXPECT_THAT(cgroups_of("aaaa"), ElementsAre(podman_scope(kB)));
}

TEST_F(Host, OneNameInTwoRuntimesIsAmbiguousAndTheCandidatesCanBePasted) {
  run_docker(kA, "web");
  run_podman(kB, "web");
  const auto found = find("web");
  ASSERT_THAT(found, HasError(ErrorKind::invalid));
  EXPECT_EQ(found.error().hint, "say which one: docker:web podman:web");
  EXPECT_THAT(cgroups_of("docker:web"), ElementsAre(docker_scope(kA)));
  EXPECT_THAT(cgroups_of("podman:web"), ElementsAre(podman_scope(kB)));
}

TEST_F(Host, AnIdPrefixOfSeveralIsAmbiguous) {
  run_docker(kB, "one");
  run_docker(kC, "two");
  EXPECT_EQ(find("abcd").error().hint, "say which one: docker:one docker:two");
  EXPECT_THAT(cgroups_of("abcd0"), ElementsAre(docker_scope(kB)));
}

TEST_F(Host, AnUnknownNameOffersTheNearOnes) {
  run_docker(kA, "frontend");
  cgroups.add("system.slice/frontent.service");
  const auto found = find("frontned");
  ASSERT_THAT(found, HasError(ErrorKind::absent));
  EXPECT_THAT(found.error().hint, HasSubstr("docker:frontend"));
  EXPECT_EQ(find("zzzzzzzz").error().hint, "weir ls shows what is here");
}

TEST_F(Host, ANestedLookAlikeIsNeverTaken) {
  run_docker(kA, "web");
  add_docker(kB, "victim");  // has a record and no cgroup of its own: it is stopped
  cgroups.add("system.slice/docker-" + kA + ".scope/docker-" + kB + ".scope");
  cgroups.add("system.slice/docker-" + kA + ".scope/system.slice/docker-" + kB + ".scope");
  cgroups.add("system.slice/docker-" + kA + ".scope/lxc.payload.evil");
  cgroups.add("system.slice/docker-" + kA + ".scope/x.slice/sshd.service");
  EXPECT_THAT(find("victim"), HasError(ErrorKind::absent));
  EXPECT_THAT(find("abcd"), HasError(ErrorKind::absent));
  EXPECT_THAT(find("evil"), HasError(ErrorKind::absent));
  EXPECT_THAT(find("unit:sshd"), HasError(ErrorKind::absent));
  EXPECT_THAT(names(Include::containers_and_services), ElementsAre("web"));
}

TEST_F(Host, TheCgroupfsDriverHasItsOwnAnchor) {
  add_docker(kA, "web");
  cgroups.add("docker/" + kA);
  cgroups.add("docker/" + std::string(63, 'b'));
  EXPECT_THAT(cgroups_of("web"), ElementsAre("/docker/" + kA));
}

TEST_F(Host, ACustomParentComesFromTheContainersOwnRecord) {
  add_docker(kA, "web");
  write("var/lib/docker/containers/" + kA + "/hostconfig.json", R"({"CgroupParent":"a-b.slice"})");
  cgroups.add("a.slice/a-b.slice/docker-" + kA + ".scope");
  add_docker(kB, "db");
  write("var/lib/docker/containers/" + kB + "/hostconfig.json", R"({"CgroupParent":"/jobs"})");
  cgroups.add("jobs/" + kB);
  add_docker(kC, "evil");
  write("var/lib/docker/containers/" + kC + "/hostconfig.json", R"({"CgroupParent":"/../x"})");
  EXPECT_THAT(cgroups_of("web"), ElementsAre("/a.slice/a-b.slice/docker-" + kA + ".scope"));
  EXPECT_THAT(cgroups_of("db"), ElementsAre("/jobs/" + kB));
  EXPECT_THAT(find("evil"), HasError(ErrorKind::absent));
}

TEST_F(Host, DaemonJsonMovesTheDataRoot) {
  write("etc/docker/daemon.json", R"({"data-root":"/data/docker"})");
  write("data/docker/containers/" + kA + "/config.v2.json",
        fmt::format(R"({{"ID":"{}","Name":"/web"}})", kA));
  cgroups.add("system.slice/docker-" + kA + ".scope");
  EXPECT_THAT(cgroups_of("web"), ElementsAre(docker_scope(kA)));
}

TEST_F(Host, AMalformedRecordIsANoteAndTheContainerKeepsItsId) {
  cgroups.add("system.slice/docker-" + kA + ".scope");
  write("var/lib/docker/containers/" + kA + "/config.v2.json", "<html>");
  EXPECT_THAT(names(Include::containers), ElementsAre("aaaaaaaaaaaa"));
  ASSERT_FALSE(inventory.notes.empty());
  EXPECT_EQ(inventory.notes.front().subject, "docker");
  EXPECT_THAT(inventory.notes.front().text, HasSubstr("is not valid JSON"));
}

TEST_F(Host, ARuntimeThatDoesNotAnswerIsSaidWithTheUnknownName) {
  cgroups.add("system.slice/docker-" + kA +
              ".scope");  // runs, but there are no files and no daemon to tell its name
  const auto found = find("web");
  ASSERT_THAT(found, HasError(ErrorKind::absent));
  EXPECT_THAT(found.error().hint, HasSubstr("docker does not answer"));
}

TEST_F(Host, AHostWithoutRuntimesHasNothingToNote) {
  EXPECT_THAT(names(Include::containers), ElementsAre());
  EXPECT_TRUE(inventory.notes.empty());
}

TEST_F(Host, APodmanContainerThatStoppedIsNotThere) {
  run_podman(kA, "web");
  cgroups.remove("machine.slice/libpod-" + kA + ".scope");
  EXPECT_THAT(find("web"), HasError(ErrorKind::absent));
}

TEST_F(Host, AUsersPodmanCannotPointOutsideOfTheUsersService) {
  const std::string base = "home/ann/.local/share/containers/storage/overlay-containers/";
  const std::string service = "user.slice/user-1000.slice/user@1000.service";
  write("etc/passwd", "ann:x:1000:1000::/home/ann:/bin/sh\n");
  write(base + "containers.json",
        fmt::format(R"([{{"id":"{}","names":["mine"]}},{{"id":"{}","names":["stolen"]}}])", kA, kB));
  write(base + kA + "/userdata/config.json",
        fmt::format(R"({{"linux":{{"cgroupsPath":"user.slice:libpod:{}"}}}})", kA));
  write(base + kB + "/userdata/config.json", R"({"linux":{"cgroupsPath":"/system.slice/sshd.service"}})");
  cgroups.add(service + "/user.slice/libpod-" + kA + ".scope");
  cgroups.add("system.slice/sshd.service");
  EXPECT_THAT(cgroups_of("mine"), ElementsAre("/" + service + "/user.slice/libpod-" + kA + ".scope"));
  EXPECT_THAT(find("stolen"), HasError(ErrorKind::absent));
}

TEST_F(Host, LxcKnowsItsOldAndItsSuffixedCgroups) {
  write("var/lib/lxc/c1/config", "");
  write("var/lib/lxc/c2/config", "lxc.cgroup.dir = jobs\n");
  cgroups.add("lxc.payload.c1-1");
  cgroups.add("jobs/lxc.payload.c2");
  cgroups.add("lxc/old");
  cgroups.add("lxc.monitor.c1");
  EXPECT_THAT(cgroups_of("lxc:c1"), ElementsAre("/lxc.payload.c1-1"));
  EXPECT_THAT(cgroups_of("lxc:c2"), ElementsAre("/jobs/lxc.payload.c2"));
  EXPECT_THAT(cgroups_of("lxc:old"), ElementsAre("/lxc/old"));
  EXPECT_THAT(names(Include::containers), ElementsAre("c1", "c2", "old"));
}

TEST_F(Host, SetsAreOrderedByNameAndNeverEmpty) {
  const std::string shop =
      R"(,"Config":{"Image":"nginx:1","Labels":{"tier":"web","com.docker.compose.project":"shop","com.docker.compose.service":"front"}})";
  run_docker(kB, "web-2", shop);
  run_docker(kA, "web-1", shop);
  run_podman(kC, "web-3");
  EXPECT_THAT(cgroups_of("web-*"), ElementsAre(docker_scope(kA), docker_scope(kB), podman_scope(kC)));
  EXPECT_THAT(cgroups_of("podman:web-*"), ElementsAre(podman_scope(kC)));
  EXPECT_THAT(cgroups_of("label:tier=web"), ElementsAre(docker_scope(kA), docker_scope(kB)));
  EXPECT_THAT(cgroups_of("label:tier"), ElementsAre(docker_scope(kA), docker_scope(kB)));
  EXPECT_THAT(cgroups_of("image:nginx"), ElementsAre(docker_scope(kA), docker_scope(kB)));
  EXPECT_THAT(cgroups_of("compose:shop/front"), ElementsAre(docker_scope(kA), docker_scope(kB)));
  for (const char* none : {"label:tier=db", "image:nginx:2", "compose:shop/back", "zzz*", "k8s:a/b"})
    EXPECT_THAT(find(none), HasError(ErrorKind::absent)) << none;
}

TEST_F(Host, ALabelSaysNothingAboutTheCgroup) {
  run_docker(kA, "web",
             R"(,"Config":{"Labels":{"com.example.cgroup_path":"/system.slice/sshd.service","name":"db"}})");
  cgroups.add("system.slice/sshd.service");
  EXPECT_THAT(cgroups_of("label:name=db"), ElementsAre(docker_scope(kA)));
}

TEST_F(Host, UnitsStandDirectlyBelowSlices) {
  cgroups.add("system.slice/nginx.service");
  cgroups.add("a.slice/a-b.slice/job.scope");
  cgroups.add("init.scope");
  cgroups.add("user.slice/user-1000.slice/user@1000.service/app.slice/mine.service");
  EXPECT_THAT(cgroups_of("unit:nginx"), ElementsAre("/system.slice/nginx.service"));
  EXPECT_THAT(cgroups_of("unit:job.scope"), ElementsAre("/a.slice/a-b.slice/job.scope"));
  EXPECT_THAT(cgroups_of("unit:a-b.slice"), ElementsAre("/a.slice/a-b.slice"));
  const auto none = find("unit:ngimx");
  ASSERT_THAT(none, HasError(ErrorKind::absent));
  EXPECT_EQ(none.error().hint, "did you mean unit:nginx.service?");
  EXPECT_THAT(find("unit:mine"), HasError(ErrorKind::absent));
  EXPECT_THAT(names(Include::containers_and_services),
              ElementsAre("init.scope", "job.scope", "nginx.service", "user@1000.service"));
}

TEST_F(Host, APathIsTheCgroupAndKnowsWhoseItIs) {
  run_docker(kA, "web");
  cgroups.add("system.slice/nginx.service/sub");
  EXPECT_EQ(find(docker_scope(kA))->front().name, "web");
  EXPECT_EQ(find("/system.slice/nginx.service")->front().runtime, Runtime::systemd);
  EXPECT_EQ(find("/system.slice/nginx.service/sub")->front().name, "/system.slice/nginx.service/sub");
  EXPECT_EQ(find("/")->front().cgroup, "/");
  EXPECT_THAT(find("/system.slice/none"), HasError(ErrorKind::gone));
}

TEST_F(Host, APidIsTheCgroupThatItIsIn) {
  run_docker(kA, "web");
  cgroups.add("system.slice/docker-" + kA + ".scope/nested");
  write("proc/42/cgroup", "0::" + docker_scope(kA) + "\n");
  write("proc/43/cgroup", "0::" + docker_scope(kA) + "/nested\n");
  EXPECT_EQ(find("pid:42")->front().name, "web");
  const auto nested = find("pid:43");
  ASSERT_THAT(nested, Succeeds());
  EXPECT_EQ(nested->front().cgroup, docker_scope(kA) + "/nested");
  EXPECT_EQ(nested->front().runtime, Runtime::none);
  EXPECT_EQ(nested->front().pid, Pid(43));
  EXPECT_THAT(find("pid:44"), HasError(ErrorKind::gone));
}

TEST_F(Host, EveryCgroupListsEachOnce) {
  run_docker(kA, "web");
  cgroups.add("system.slice/docker-" + kA + ".scope/nested");
  EXPECT_THAT(names(Include::every_cgroup),
              ElementsAre("/system.slice", docker_scope(kA) + "/nested", "web"));
}

TEST_F(Host, KubernetesNamesComeFromAnnotations) {
  paths.host_root = WEIR_SOURCE_DIR "/tests/data/runtimes/k8s";
  const auto repeated = [](const char* two) {
    return fmt::format("{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}", fmt::format("{0}{0}", two));
  };
  const std::string pod =
      "kubepods.slice/kubepods-burstable.slice/"
      "kubepods-burstable-pod0f4c1d3e_6f2b_4a55_9a3e_6d2f3a1b5c01.slice/";
  const std::string nginx = pod + "cri-containerd-" + repeated("a1") + ".scope";
  const std::string sidecar = pod + "cri-containerd-" + repeated("b2") + ".scope";
  const std::string api = "kubepods/besteffort/pod9b1f/" + repeated("c3");
  const std::string redis = "kubepods.slice/kubepods-podc0ffee.slice/crio-" + repeated("e5") + ".scope";
  for (const std::string& path :
       {nginx, sidecar, api, redis, pod + "cri-containerd-" + repeated("51") + ".scope",
        std::string("default/batch"),
        "kubepods.slice/kubepods-podc0ffee.slice/crio-" + repeated("f6") + ".scope",
        "system.slice/docker-" + repeated("d4") + ".scope"})
    cgroups.add(path);
  EXPECT_THAT(cgroups_of("k8s:shop/front-7d9c"), ElementsAre("/" + nginx, "/" + sidecar));
  EXPECT_THAT(cgroups_of("k8s:shop/front-7d9c/nginx"), ElementsAre("/" + nginx));
  EXPECT_THAT(cgroups_of("k8s:shop/back-0/api"), ElementsAre("/" + api));
  EXPECT_THAT(cgroups_of("shop/cache-0/redis"), ElementsAre("/" + redis));
  EXPECT_THAT(cgroups_of("image:nginx:1.25"), ElementsAre("/" + nginx));
  EXPECT_THAT(cgroups_of("label:tier=cache"), ElementsAre("/" + redis));
  EXPECT_THAT(cgroups_of("containerd:batch"), ElementsAre("/default/batch"));
  EXPECT_THAT(cgroups_of("c3c3"), ElementsAre("/" + api));
  EXPECT_EQ(find("cri-o:shop/cache-0/redis")->front().pid, Pid(4343));
  EXPECT_THAT(names(Include::containers),
              ElementsAre("batch", "d4d4d4d4d4d4", "shop/back-0/api", "shop/cache-0/redis",
                          "shop/front-7d9c/nginx", "shop/front-7d9c/sidecar"));
}

TEST_F(Host, HostileNamesMatchAsBytes) {
  cgroups.add("lxc.payload.a b;$(x)'\"\xff");
  EXPECT_THAT(cgroups_of("a b;$(x)'\"\xff"), ElementsAre("/lxc.payload.a b;$(x)'\"\xff"));
  EXPECT_THAT(find(std::string(4096, 'x')), HasError(ErrorKind::absent));
}

}  // namespace
}  // namespace weir::container
