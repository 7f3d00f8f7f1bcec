// SPDX-License-Identifier: MIT
#include "weir/control/config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

#include "weir/base/file.h"

namespace weir::control {
namespace {

using policy::Bounds;
using policy::find_policy;
using policy::Resource;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// The only resource of a file that manages one, given as "cpu: {…}".
Managed only(const std::string& section) {
  const auto config = parse_config("version: 1\ncontainers: {web: {" + section + "}}", "c.yml");
  if (!config) {
    ADD_FAILURE() << config.error().message();
    return {};
  }
  return config->entries.at(0).resources.at(0);
}

TEST(Config, IsWhatTheFileSays) {
  const auto config = parse_config(
      "version: 1\n"
      "on_exit: keep\n"
      "host:\n"
      "  reserve: {cpus: 0.5, memory: 512M}\n"
      "containers:\n"
      "  web:\n"
      "    priority: 10\n"
      "    cpu: {soft: 0.5, hard: 2, floor: 0.2, step: 0.25, cooldown: 2s}\n"
      "    memory: {soft: 128M, hard: 512M, floor: 64M, step: 16M, policy: pressure, parameters: {target: "
      "0.1}}\n"
      "  /demo/batch:\n"
      "    create: true\n"
      "    pids: [4242, 17]\n"
      "    io: {device: 8:0, write: {soft: 4M, hard: 64M, floor: 1M, step: 1M, cooldown: 500ms}}\n"
      "defaults: {policy: percentile, cooldown: 5s, priority: 3}\n"
      "ml: {model_path: models/soft_limit.json, mode: canary, canary_share: 0.25}\n"
      "outputs: {log: logs/events.jsonl, samples: logs/training_samples.jsonl}\n",
      "c.yml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->on_exit, OnExit::keep);
  EXPECT_EQ(config->reserve_cpus, 0.5);
  EXPECT_EQ(config->reserve_memory, Bytes(512 * kMiB));
  EXPECT_EQ(config->model_path, "models/soft_limit.json");
  EXPECT_EQ(config->ml_mode, MlMode::canary);
  EXPECT_EQ(config->canary_share, 0.25);
  EXPECT_EQ(config->log, "logs/events.jsonl");
  EXPECT_EQ(config->samples, "logs/training_samples.jsonl");

  ASSERT_THAT(config->entries, SizeIs(2));
  const Entry& web = config->entries[0];
  EXPECT_EQ(web.target.text, "web");
  EXPECT_EQ(web.target.kind, container::TargetKind::name);
  EXPECT_EQ(web.where, "c.yml:6:3");
  EXPECT_FALSE(web.create);
  EXPECT_THAT(web.pids, IsEmpty());
  EXPECT_EQ(web.priority, 10);
  EXPECT_THAT(
      web.resources,
      ElementsAre(Managed{.resource = Resource::cpu,
                          .bounds = {.soft = 0.5, .hard = 2, .floor = 0.2, .step = 0.25, .cooldown = 2},
                          .policy = find_policy("percentile"),
                          .parameters = {95, 0.15}},
                  Managed{.resource = Resource::memory,
                          .bounds = {.soft = 128 * kMiB,
                                     .hard = 512 * kMiB,
                                     .floor = 64 * kMiB,
                                     .step = 16 * kMiB,
                                     .cooldown = 5},
                          .policy = find_policy("pressure"),
                          .parameters = {0.1, 0.5}}));

  const Entry& batch = config->entries[1];
  EXPECT_EQ(batch.target.kind, container::TargetKind::path);
  EXPECT_EQ(batch.where, "c.yml:10:3");
  EXPECT_TRUE(batch.create);
  EXPECT_THAT(batch.pids, ElementsAre(Pid(4242), Pid(17)));
  EXPECT_EQ(batch.priority, 3);
  EXPECT_THAT(
      batch.resources,
      ElementsAre(Managed{
          .resource = Resource::io_write,
          .device = "8:0",
          .bounds = {.soft = 4 * kMiB, .hard = 64 * kMiB, .floor = kMiB, .step = kMiB, .cooldown = 0.5},
          .policy = find_policy("percentile"),
          .parameters = {95, 0.15}}));
}

TEST(Config, NeedsNoMoreThanAHardLimit) {
  const auto config = parse_config("version: 1\ncontainers: {web: {cpu: {hard: 2}}}", "c.yml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->on_exit, OnExit::restore);
  EXPECT_EQ(config->reserve_cpus, 0);
  EXPECT_EQ(config->reserve_memory, Bytes(0));
  EXPECT_EQ(config->model_path, "");
  EXPECT_EQ(config->ml_mode, MlMode::shadow);
  EXPECT_EQ(config->canary_share, 0.1);
  EXPECT_EQ(config->log, "");
  EXPECT_EQ(config->samples, "");
  ASSERT_THAT(config->entries, SizeIs(1));
  EXPECT_EQ(config->entries[0].priority, 0);
  EXPECT_THAT(config->entries[0].resources, SizeIs(1));
}

struct Filled {
  const char* section;
  Bounds bounds;
};

class FilledBounds : public ::testing::TestWithParam<Filled> {};

TEST_P(FilledBounds, AreWhatIsNotGiven) { EXPECT_EQ(only(GetParam().section).bounds, GetParam().bounds); }

constexpr double kPage = 4096;

INSTANTIATE_TEST_SUITE_P(
    Sections, FilledBounds,
    ::testing::Values(
        Filled{"cpu: {hard: 2}", {.soft = 0.5, .hard = 2, .floor = 0.05, .step = 1.95 / 16}},
        Filled{"cpu: {hard: 2, floor: 1}", {.soft = 1, .hard = 2, .floor = 1, .step = 1.0 / 16}},
        Filled{"cpu: {hard: 2, soft: 0.02}", {.soft = 0.02, .hard = 2, .floor = 0.02, .step = 1.98 / 16}},
        Filled{"cpu: {hard: 0.03}", {.soft = 0.03, .hard = 0.03, .floor = 0.03, .step = 0.001}},
        Filled{"cpu: {hard: 0.3, floor: 0.1, step: 0.2}",
               {.soft = 0.1, .hard = 0.3, .floor = 0.1, .step = 0.3 - 0.1}},
        Filled{"memory: {hard: 512M}",
               {.soft = 128 * kMiB, .hard = 512 * kMiB, .floor = 16 * kMiB, .step = 31 * kMiB}},
        Filled{"memory: {hard: 40961, floor: 4097, step: 8191}",
               {.soft = 2 * kPage, .hard = 10 * kPage, .floor = kPage, .step = kPage}},
        Filled{"memory: {hard: 8M}", {.soft = 8 * kMiB, .hard = 8 * kMiB, .floor = 8 * kMiB, .step = kPage}},
        Filled{"memory: {hard: 20K, floor: 16K}",
               {.soft = 4 * kPage, .hard = 5 * kPage, .floor = 4 * kPage, .step = kPage}},
        Filled{"io: {device: 8:0, read: {hard: 1M, cooldown: 100ms}}",
               {.soft = 256 * kKiB, .hard = kMiB, .floor = 64 * kKiB, .step = 60 * kKiB, .cooldown = 0.1}}));

TEST(Config, TakesOneDeviceOrSeveral) {
  const auto config = parse_config(
      "version: 1\n"
      "containers:\n"
      "  web:\n"
      "    io:\n"
      "      - {device: 8:0, write: {hard: 64M}, read: {hard: 32M}}\n"
      "      - {device: '08:016', read: {hard: 32M}}\n",
      "c.yml");
  ASSERT_TRUE(config) << config.error().message();
  std::vector<std::string> told;
  for (const Managed& each : config->entries.at(0).resources)
    told.push_back(std::string(to_string(each.resource)) + " " + each.device);
  EXPECT_THAT(told, ElementsAre("io.read 8:0", "io.write 8:0", "io.read 8:16"));
}

TEST(Config, KnowsTheWordsForYesAndNo) {
  for (const auto& [word, meant] :
       {std::pair("yes", true), {"true", true}, {"no", false}, {"false", false}}) {
    const auto config = parse_config(
        std::string("version: 1\ncontainers: {/demo: {create: ") + word + ", cpu: {hard: 1}}}", "c.yml");
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->entries[0].create, meant);
  }
}

TEST(Config, ExampleOfTheTreeIsOne) {
  const auto text = read_file(WEIR_SOURCE_DIR "/config/containers.yml");
  ASSERT_TRUE(text) << text.error().message();
  const auto config = parse_config(*text, "containers.yml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_THAT(config->entries, SizeIs(::testing::Ge(2U)));
}

/// What is optional in the example is commented out as "#key:" or "#- item", without a blank.
TEST(Config, ExampleOfTheTreeIsOneWithAllThatIsOptional) {
  const auto text = read_file(WEIR_SOURCE_DIR "/config/containers.yml");
  ASSERT_TRUE(text) << text.error().message();
  std::string all;
  for (std::size_t n = 0; n < text->size(); ++n) {
    const bool taken_out = (*text)[n] == '#' && n + 1 < text->size() && (*text)[n + 1] > ' ';
    if (!taken_out) all += (*text)[n];
  }
  const auto config = parse_config(all, "containers.yml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_GT(config->entries.size(), parse_config(*text, "containers.yml")->entries.size());
  EXPECT_EQ(config->ml_mode, MlMode::canary);
}

TEST(Config, ReferenceHasEveryParameterOfEveryPolicy) {
  const auto text = read_file(WEIR_SOURCE_DIR "/docs/reference/containers.yml.md");
  ASSERT_TRUE(text) << text.error().message();
  for (const policy::Policy& policy : policy::policies()) {
    EXPECT_THAT(*text, HasSubstr(fmt::format("| `{}` | `", policy.name)));
    for (const policy::Parameter& each : policy.parameters)
      EXPECT_THAT(*text, HasSubstr(fmt::format("| `{}` | {} | {}, {} |", each.name, each.value, each.low,
                                               each.high)));
  }
}

TEST(Config, IsAtMostFourMebibytes) {
  const auto read = parse_config("]" + std::string(4 * kMiB - 1, '.'), "c.yml");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message(), HasSubstr("is no YAML"));
  const auto large = parse_config(std::string(4 * kMiB + 1, '.'), "c.yml");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().message(), "c.yml: is larger than 4 MiB");
  EXPECT_NE(large.error().hint, "");
}

TEST(Config, NamesAtMostTenThousandContainers) {
  std::string text = "version: 1\ncontainers:\n  c0: &c0 {cpu: {hard: 2}}\n";
  for (int n = 1; n <= 10'000; ++n) text += "  c" + std::to_string(n) + ": *c0\n";
  const auto config = parse_config(text, "c.yml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message(), "c.yml:10003:3: is one more than 10000 containers");
  EXPECT_NE(config.error().hint, "");
}

TEST(Config, DoesNotGrowByAliases) {
  std::string text = "version: 1\ncontainers:\n  c0: {io: &io [";
  for (int n = 0; n < 100; ++n) text += "{device: 8:" + std::to_string(n) + ", read: {hard: 1M}}, ";
  text += "]}\n";
  for (int n = 1; n <= 1000; ++n) text += "  c" + std::to_string(n) + ": {io: *io}\n";
  const auto config = parse_config(text, "c.yml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message(), HasSubstr("is one more than 100000 resources"));
}

struct Bad {
  const char* text;
  const char* said;
};

class BadConfig : public ::testing::TestWithParam<Bad> {};

TEST_P(BadConfig, IsRefusedWithItsPlaceAndWhatToDo) {
  const auto config = parse_config(GetParam().text, "c");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().kind, ErrorKind::invalid);
  EXPECT_THAT(config.error().message() + " | " + config.error().hint, HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadConfig,
    ::testing::Values(
        Bad{"", "c: manages nothing | name what to manage"}, Bad{"# nothing yet\n", "manages nothing"},
        Bad{"version: 1", "c:1:1: manages nothing"},
        Bad{"version: 1\ncontainers:\n", "c:2:1: 'containers' has no value | give it one, or take it out"},
        Bad{"version: 1\ncontainers: {}", "c:2:13: manages nothing"},
        Bad{"version: 1\ncontainers: web", "c:2:13: containers must name targets | for example"},
        Bad{"- web", "c:1:1: a configuration must have keys | known are version, on_exit"},
        Bad{"version: [", "is no YAML"},
        Bad{"version: 1\n---\nversion: 1", "c:2:1: is not part of the document | a file is one document"},
        Bad{"containers: {}", "c:1:1: does not say its version | begin it with version: 1"},
        Bad{"version: 2", "c:1:10: version '2' is not known | known is 1"},
        Bad{"version: [1]", "c:1:10: version must be one value"},
        Bad{"version: 1\ncontainer: {}", "c:2:1: 'container' is unknown | did you mean 'containers'?"},
        Bad{"version: 1\nzzz: {}", "c:2:1: 'zzz' is unknown | known are version, on_exit, host"},
        Bad{"version: 1\nversion: 1", "c:2:1: 'version' is given twice | keep one of them"},
        Bad{"version: 1\n[a]: 1", "c:2:1: a key must be one value"}));

INSTANTIATE_TEST_SUITE_P(
    Keys, BadConfig,
    ::testing::Values(
        Bad{"version: 1\non_exit: keeep", "c:2:10: 'keeep' is no value of on_exit | did you mean 'keep'?"},
        Bad{"version: 1\nhost: 1", "c:2:7: host must have keys | known are reserve"},
        Bad{"version: 1\nhost: {reserve: {cpus: lots}}",
            "c:2:24: reserve.cpus 'lots' is not a number of CPUs"},
        Bad{"version: 1\nhost: {reserve: {cpus: 8193}}", "reserve.cpus must be from 0 to 8192, not 8193"},
        Bad{"version: 1\nhost: {reserve: {memory: 1X}}", "reserve.memory '1X' is not a size"},
        Bad{"version: 1\nhost: {reserve: {disk: 1}}", "'disk' is unknown | known are cpus, memory"},
        Bad{"version: 1\ndefaults: {policy: stepp}", "'stepp' is no policy | did you mean 'step'?"},
        Bad{"version: 1\ndefaults: {policy: magic}", "'magic' is no policy | known are step, pressure"},
        Bad{"version: 1\ndefaults: {cooldown: 1}", "cooldown '1' is not a duration | durations look like"},
        Bad{"version: 1\ndefaults: {cooldown: 99ms}", "cooldown must be from 100ms to 24h, not 99ms"},
        Bad{"version: 1\ndefaults: {cooldown: 25h}", "cooldown must be from 100ms to 24h, not 25h"},
        Bad{"version: 1\ndefaults: {priority: 101}", "priority must be a whole number from 0 to 100"},
        Bad{"version: 1\ndefaults: {priority: 1.5}", "priority must be a whole number from 0 to 100"},
        Bad{"version: 1\nml: {mode: on}", "'on' is no value of mode | known are shadow, canary, active"},
        Bad{"version: 1\nml: {mode: active}", "c:2:12: mode active has no model | add model_path: FILE"},
        Bad{"version: 1\nml: {canary_share: 1.1}", "canary_share must be a number from 0 to 1"},
        Bad{"version: 1\nml: {model_path: ''}", "model_path is no path of a file | for example"},
        Bad{"version: 1\noutputs: {log: \"a\\0b\"}", "log is no path of a file"},
        Bad{"version: 1\noutputs: {log: a, samples: a}",
            "log and samples are one file | give each its own"}));

/// Below "containers:"; the first line is line 3 of the file.
class BadContainer : public ::testing::TestWithParam<Bad> {};

TEST_P(BadContainer, IsRefusedWithItsPlaceAndWhatToDo) {
  const auto config = parse_config(std::string("version: 1\ncontainers:\n") + GetParam().text, "c");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().kind, ErrorKind::invalid);
  EXPECT_THAT(config.error().message() + " | " + config.error().hint, HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Targets, BadContainer,
    ::testing::Values(
        Bad{" web:", "c:3:2: 'web' manages nothing | add cpu, memory or io"},
        Bad{" web: 2", "c:3:7: 'web' must have keys | known are create, pids, priority, cpu, memory, io"},
        Bad{" web: {}", "c:3:2: 'web' manages nothing | add cpu, memory or io"},
        Bad{" web: {priority: 1}", "'web' manages nothing"},
        Bad{" web: {cpu: {hard: 1}}\n web: {}", "c:4:2: 'web' is named twice | put both into one"},
        Bad{" /a/../b: {cpu: {hard: 1}}", "c:3:2: /a/../b: '..' is refused"},
        Bad{" dokcer:web: {}", "'dokcer:' is no kind of target | did you mean docker:?"},
        Bad{" /: {cpu: {hard: 1}}", "is the root cgroup, which has no limits | name a cgroup below it"},
        Bad{" ? [web]\n : {}", "a target must be one value"},
        Bad{" web: {create: true}", "c:3:16: create is for cgroup paths only | take it out"},
        Bad{" web: {pids: [1]}", "pids is for cgroup paths only"},
        Bad{" /a: {create: maybe}", "'maybe' is no value of create | known are yes, no, true, false"},
        Bad{" /a: {pids: 7}", "pids must be a list | for example [4242]"},
        Bad{" /a: {pids: [0]}", "c:3:14: '0' is no pid"}, Bad{" /a: {pids: [3000000000]}", "is no pid"},
        Bad{" /a: {pids: [7, 7]}", "c:3:17: pid 7 is given twice | a process is in one cgroup"},
        Bad{" /a: {pids: [7], cpu: {hard: 1}}\n /b: {pids: [7]}", "c:4:14: pid 7 is given twice"},
        Bad{" web: {cpu: {hard: 1}, cpu: {hard: 2}}", "'cpu' is given twice"},
        Bad{" web: {cpus: {hard: 1}}", "c:3:8: 'cpus' is unknown | did you mean 'cpu'?"}));

INSTANTIATE_TEST_SUITE_P(
    Resources, BadContainer,
    ::testing::Values(
        Bad{" web: {cpu: 2}", "c:3:13: cpu must have keys | known are soft, hard"},
        Bad{" web: {cpu: {hard: 1, floor: }}", "'floor' has no value"},
        Bad{" web: {cpu: {soft: 1}}", "c:3:13: cpu has no hard limit | add what it may never pass"},
        Bad{" web: {cpu: {hard: -1}}", "c:3:20: cpu.hard '-1' is not a number of CPUs | for example 0.5"},
        Bad{" web: {cpu: {hard: 1e3}}", "is not a number of CPUs"},
        Bad{" web: {cpu: {hard: .inf}}", "is not a number of CPUs"},
        Bad{" web: {cpu: {hard: [1]}}", "cpu.hard must be one value"},
        Bad{" web: {cpu: {hard: 0.009}}", "cpu.hard must be from 0.01 to 8192, not 0.009 | for example 2"},
        Bad{" web: {cpu: {hard: 8193}}", "cpu.hard must be from 0.01 to 8192, not 8193"},
        Bad{" web: {cpu: {hard: 1, floor: 0}}", "cpu.floor must be from 0.01 to 8192, not 0"},
        Bad{" web: {cpu: {hard: 1, soft: 2}}",
            "c:3:29: cpu.soft is 2, more than hard, 1 | floor <= soft <= hard"},
        Bad{" web: {cpu: {hard: 1, floor: 2}}", "cpu.floor is 2, more than hard, 1"},
        Bad{" web: {cpu: {hard: 1, soft: 0.5, floor: 0.6}}", "cpu.floor is 0.6, more than soft, 0.5"},
        Bad{" web: {cpu: {hard: 1, step: 0}}", "cpu.step must be from 0.001 to 8192, not 0"},
        Bad{" web: {cpu: {hard: 1, floor: 0.5, step: 0.6}}", "cpu.step is 0.6, more than hard - floor, 0.5"},
        Bad{" web: {cpu: {hard: 1, cooldown: 1ms}}", "cooldown must be from 100ms to 24h, not 1ms"},
        Bad{" web: {memory: {hard: 4095}}", "memory.hard must be from 4K to 1E, not 4095 | for example 512M"},
        Bad{" web: {memory: {hard: 2048P}}", "memory.hard must be from 4K to 1E, not 2048P"},
        Bad{" web: {memory: {hard: 9M, step: 1K}}", "memory.step must be from 4K to 1E, not 1K"},
        Bad{" web: {memory: {hard: lots}}", "memory.hard 'lots' is not a size"},
        Bad{" web: {memory: {hard: 1M, soft: 2M}}", "memory.soft is 2M, more than hard, 1M"},
        Bad{" web: {cpu: {hard: 1, policy: presure}}", "'presure' is no policy | did you mean 'pressure'?"},
        Bad{" web: {cpu: {hard: 1, parameters: {margn: 1}}}", "'margn' is unknown | did you mean 'margin'?"},
        Bad{" web: {cpu: {hard: 1, parameters: {target: 1}}}",
            "'target' is unknown | known are margin, calm"},
        Bad{" web: {cpu: {hard: 1, parameters: {margin: 11}}}", "margin must be a number from 0 to 10"},
        Bad{" web: {cpu: {hard: 1, parameters: 1}}", "the parameters of step must have keys"}));

INSTANTIATE_TEST_SUITE_P(
    Devices, BadContainer,
    ::testing::Values(
        Bad{" web: {io: []}", "c:3:12: io must have keys | known are device, read, write"},
        Bad{" web: {io: [8:0]}", "c:3:13: io must have keys"},
        Bad{" web: {io: {write: {hard: 1M}}}", "c:3:12: io has no device | add device: MAJ:MIN"},
        Bad{" web: {io: {device: /dev/sda, read: {hard: 1M}}}",
            "'/dev/sda' is no device number | write MAJ:MIN"},
        Bad{" web: {io: {device: 8:0}}", "io of 8:0 manages nothing | add read or write"},
        Bad{" web: {io: {device: 8:0, read: {soft: 1M}}}", "io.read has no hard limit"},
        Bad{" web: {io: {device: 8:0, write: {hard: 0}}}", "io.write.hard must be from 1 to 1E, not 0"},
        Bad{" web: {io: [{device: 8:0, read: {hard: 1M}}, {device: 08:0, write: {hard: 1M}}]}",
            "c:3:55: device 8:0 is given twice | put both into one"}));

}  // namespace
}  // namespace weir::control
