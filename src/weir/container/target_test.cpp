// SPDX-License-Identifier: MIT
#include "weir/container/target.h"

#include <gmock/gmock.h>

#include "support/result_matchers.h"

#include "weir/container/match.h"

namespace weir::container {
namespace {

using testing::HasError;
using ::testing::HasSubstr;
using testing::Succeeds;

struct Good {
  std::string text;
  TargetKind kind;
  std::string first, second, third;
  Runtime runtime = Runtime::none;
  bool set = false;
};

TEST(ParseTarget, ReadsTheGrammar) {
  using enum TargetKind;
  const std::string id(64, 'a');
  for (const Good& good : {
           Good{"web", name, "web", "", ""},
           Good{"4f2a", name, "4f2a", "", ""},
           Good{id, name, id, "", ""},
           Good{"my web's \"$(reboot)\" `x` ;&|<>", name, "my web's \"$(reboot)\" `x` ;&|<>", "", ""},
           Good{"\xff\xfe", name, "\xff\xfe", "", ""},
           Good{"a..b", name, "a..b", "", ""},
           Good{"shop/front/nginx", name, "shop/front/nginx", "", ""},
           Good{std::string(4096, 'x'), name, std::string(4096, 'x'), "", ""},
           Good{"docker:web", runtime_name, "web", "", "", Runtime::docker},
           Good{"podman:web", runtime_name, "web", "", "", Runtime::podman},
           Good{"lxc:web", runtime_name, "web", "", "", Runtime::lxc},
           Good{"containerd:web", runtime_name, "web", "", "", Runtime::containerd},
           Good{"cri-o:web", runtime_name, "web", "", "", Runtime::crio},
           Good{"crio:web", runtime_name, "web", "", "", Runtime::crio},
           Good{"docker:a:b", runtime_name, "a:b", "", "", Runtime::docker},
           Good{"k8s:shop/front", k8s, "shop", "front", "", Runtime::none, true},
           Good{"k8s:shop/front/nginx", k8s, "shop", "front", "nginx"},
           Good{"label:tier", label, "tier", "", "", Runtime::none, true},
           Good{"label:tier=", label, "tier", "", "=", Runtime::none, true},
           Good{"label:tier=db", label, "tier", "db", "=", Runtime::none, true},
           Good{"label:url=http://x/y=z", label, "url", "http://x/y=z", "=", Runtime::none, true},
           Good{"image:nginx", image, "nginx", "", "", Runtime::none, true},
           Good{"image:nginx:1.25", image, "nginx", "1.25", "", Runtime::none, true},
           Good{"image:reg.io:5000/nginx", image, "reg.io:5000/nginx", "", "", Runtime::none, true},
           Good{"image:reg.io:5000/nginx:1", image, "reg.io:5000/nginx", "1", "", Runtime::none, true},
           Good{"compose:shop", compose, "shop", "", "", Runtime::none, true},
           Good{"compose:shop/web", compose, "shop", "web", "", Runtime::none, true},
           Good{"web-*", glob, "web-*", "", "", Runtime::none, true},
           Good{"web-?", glob, "web-?", "", "", Runtime::none, true},
           Good{"docker:web-*", glob, "web-*", "", "", Runtime::docker, true},
           Good{"unit:nginx.service", unit, "nginx.service", "", ""},
           Good{"unit:nginx", unit, "nginx.service", "", ""},
           Good{"unit:a-b.slice", unit, "a-b.slice", "", ""},
           Good{"pid:4242", pid, "4242", "", ""},
           Good{"/", path, "/", "", ""},
           Good{"/system.slice/foo", path, "/system.slice/foo", "", ""},
           Good{"/a:b/c*d", path, "/a:b/c*d", "", ""},
       }) {
    const auto target = parse_target(good.text);
    ASSERT_THAT(target, Succeeds()) << good.text;
    EXPECT_EQ(target->kind, good.kind) << good.text;
    EXPECT_EQ(target->text, good.text);
    EXPECT_EQ(target->first, good.first) << good.text;
    EXPECT_EQ(target->second, good.second) << good.text;
    EXPECT_EQ(target->third, good.third) << good.text;
    EXPECT_EQ(target->runtime, good.runtime) << good.text;
    EXPECT_EQ(is_set(*target), good.set) << good.text;
  }
}

TEST(ParseTarget, RefusesWhatIsNoTarget) {
  for (const std::string& text : {
           std::string(),
           std::string(4097, 'x'),
           std::string("a\nb"),
           std::string("a\0b", 3),
           std::string("\x1b[2J"),
           std::string("a\x7f"),
           std::string(".."),
           std::string("../x"),
           std::string("/a/../b"),
           std::string("docker:../x/.."),
           std::string("k8s:a/.."),
           std::string("/a//b"),
           std::string("/a/"),
           std::string("/a/./b"),
           std::string("//"),
           std::string("docker:"),
           std::string("k8s:"),
           std::string("k8s:a"),
           std::string("k8s:a/"),
           std::string("k8s:/b"),
           std::string("k8s:a/b/c/d"),
           std::string("label:"),
           std::string("label:=x"),
           std::string("image:"),
           std::string("image::1"),
           std::string("image:nginx:"),
           std::string("compose:"),
           std::string("compose:/web"),
           std::string("compose:a/b/c"),
           std::string("unit:"),
           std::string("unit:a/b"),
           std::string("pid:"),
           std::string("pid:0"),
           std::string("pid:-1"),
           std::string("pid:x"),
           std::string("pid:99999999999"),
           std::string("pid:1.5"),
           std::string("dokcer:web"),
           std::string("rkt:web"),
           std::string(":web"),
       })
    EXPECT_THAT(parse_target(text), HasError(ErrorKind::invalid)) << text;
}

TEST(ParseTarget, OffersTheNearestKind) {
  EXPECT_EQ(parse_target("dokcer:web").error().hint, "did you mean docker:?");
  EXPECT_THAT(parse_target("rkt:web").error().hint, HasSubstr("the kinds are: docker podman"));
}

TEST(ImageMatches, PassesOverDefaultRegistryAndDigest) {
  for (const char* image : {"nginx", "nginx:latest", "docker.io/library/nginx:latest", "docker.io/nginx",
                            "index.docker.io/library/nginx", "localhost/nginx:latest", "nginx@sha256:0123",
                            "docker.io/library/nginx:1@sha256:0123"})
    EXPECT_TRUE(image_matches("nginx", "", image)) << image;
  EXPECT_TRUE(image_matches("nginx", "latest", "docker.io/library/nginx"));
  EXPECT_TRUE(image_matches("reg:5000/a/b", "1", "reg:5000/a/b:1"));
  EXPECT_TRUE(image_matches("docker.io/library/nginx", "", "nginx:1"));
  for (const char* image : {"", "nginx2", "quay.io/nginx", "my/nginx", "nginx-exporter:1"})
    EXPECT_FALSE(image_matches("nginx", "", image)) << image;
  EXPECT_FALSE(image_matches("nginx", "1", "nginx"));
}

Container named(Runtime runtime, std::string name, std::string id, std::string cgroup) {
  Container container;
  container.runtime = runtime;
  container.name = std::move(name);
  container.id = std::move(id);
  container.cgroup = std::move(cgroup);
  return container;
}

TEST(PasteText, IsTheShortestThatMeansOneOnly) {
  const std::vector<Container> all = {
      named(Runtime::docker, "web", std::string(64, 'a'), "/a"),
      named(Runtime::podman, "web", std::string(64, 'b'), "/b"),
      named(Runtime::podman, "twin", std::string(64, 'c'), "/c"),
      named(Runtime::podman, "twin", std::string(64, 'd'), "/d"),
      named(Runtime::lxc, "bad\nname", "", "/lxc.payload.x"),
      named(Runtime::lxc, "it's", "", "/e"),
      named(Runtime::lxc, "star*", "", "/f g"),
      named(Runtime::systemd, "nginx.service", "", "/system.slice/nginx.service"),
  };
  const char* const expected[] = {
      "docker:web",     "podman:web", "podman:cccccccccccc", "podman:dddddddddddd", "/lxc.payload.x",
      "'lxc:it'\\''s'", "'/f g'",     "unit:nginx.service"};
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(paste_text(all[i], all), expected[i]);
}

}  // namespace
}  // namespace weir::container
