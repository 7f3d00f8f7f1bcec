// SPDX-License-Identifier: MIT
#include "weir/control/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "weir/base/text.h"
#include "weir/cgroup/value.h"
#include "weir/control/config_section.h"
#include "weir/limits/yaml_file.h"

namespace weir::control {
namespace {

using limits::YamlKeys;
using policy::Resource;

constexpr std::size_t kLargest = 4 * kMiB;
constexpr std::size_t kMostEntries = 10'000;
constexpr std::size_t kMostManaged = 100'000;  // aliases make a small file name more than it has room for
constexpr std::size_t kLongestPath = 4095;
constexpr unsigned kMostPriority = 100;

constexpr std::array kTop = std::to_array<std::string_view>(
    {"version", "on_exit", "host", "defaults", "containers", "ml", "outputs"});
constexpr std::array kHost = std::to_array<std::string_view>({"reserve"});
constexpr std::array kReserve = std::to_array<std::string_view>({"cpus", "memory"});
constexpr std::array kDefaults = std::to_array<std::string_view>({"policy", "cooldown", "priority"});
constexpr std::array kContainer =
    std::to_array<std::string_view>({"create", "pids", "priority", "cpu", "memory", "io"});
constexpr std::array kDevice = std::to_array<std::string_view>({"device", "read", "write"});
constexpr std::array kMl = std::to_array<std::string_view>({"model_path", "mode", "canary_share"});
constexpr std::array kOutputs = std::to_array<std::string_view>({"log", "samples"});

template <typename T>
struct Choice {
  std::string_view word;
  T value;
};
constexpr std::array<Choice<bool>, 4> kYesNo = {
    {{"yes", true}, {"no", false}, {"true", true}, {"false", false}}};
constexpr std::array<Choice<OnExit>, 2> kOnExit = {{{"restore", OnExit::restore}, {"keep", OnExit::keep}}};
constexpr std::array<Choice<MlMode>, 3> kModes = {
    {{"shadow", MlMode::shadow}, {"canary", MlMode::canary}, {"active", MlMode::active}}};
constexpr std::array<Choice<Resource>, 2> kSections = {
    {{"cpu", Resource::cpu}, {"memory", Resource::memory}}};
constexpr std::array<Choice<Resource>, 2> kDirections = {
    {{"read", Resource::io_read}, {"write", Resource::io_write}}};

class Parser {
 public:
  explicit Parser(std::string_view name) : file_(name), section_(file_) {}

  Result<Config> parse(std::string_view text) {
    WEIR_TRY(const YAML::Node root, file_.load(text));
    if (root.IsNull()) return nothing(root);
    WEIR_TRY(const YamlKeys keys, file_.keys(root, "a configuration", kTop));
    WEIR_CHECK(version(root, keys.find("version")));
    Config config;
    if (const YAML::Node* node = keys.find("on_exit")) {
      WEIR_TRY(config.on_exit, choice(*node, "on_exit", kOnExit));
    }
    if (const YAML::Node* node = keys.find("host")) WEIR_CHECK(host(*node, config));
    if (const YAML::Node* node = keys.find("defaults")) WEIR_CHECK(defaults(*node));
    if (const YAML::Node* node = keys.find("ml")) WEIR_CHECK(ml(*node, config));
    if (const YAML::Node* node = keys.find("outputs")) WEIR_CHECK(outputs(*node, config));
    const YAML::Node* const containers = keys.find("containers");
    if (containers == nullptr || (containers->IsMap() && containers->size() == 0))
      return nothing(containers == nullptr ? root : *containers);
    WEIR_TRY(config.entries, entries(*containers));
    return config;
  }

 private:
  [[nodiscard]] std::unexpected<Error> nothing(const YAML::Node& at) const {
    return file_.wrong(at, "manages nothing", "name what to manage: containers: {web: {cpu: {hard: 2}}}");
  }

  [[nodiscard]] Result<void> version(const YAML::Node& root, const YAML::Node* node) const {
    if (node == nullptr) return file_.wrong(root, "does not say its version", "begin it with version: 1");
    WEIR_TRY(const std::string said, file_.scalar(*node, "version"));
    if (said != "1") return file_.wrong(*node, fmt::format("version '{}' is not known", said), "known is 1");
    return {};
  }

  [[nodiscard]] Result<void> host(const YAML::Node& node, Config& config) const {
    WEIR_TRY(const YamlKeys keys, file_.keys(node, "host", kHost));
    const YAML::Node* const reserve = keys.find("reserve");
    if (reserve == nullptr) return {};
    WEIR_TRY(const YamlKeys reserved, file_.keys(*reserve, "reserve", kReserve));
    if (const YAML::Node* cpus = reserved.find("cpus")) {
      WEIR_TRY(config.reserve_cpus, section_.amount(*cpus, "reserve.cpus", Resource::cpu, 0));
    }
    if (const YAML::Node* memory = reserved.find("memory")) {
      WEIR_TRY(const double bytes, section_.amount(*memory, "reserve.memory", Resource::memory, 0));
      config.reserve_memory = Bytes(static_cast<std::uint64_t>(bytes));
    }
    return {};
  }

  [[nodiscard]] Result<void> defaults(const YAML::Node& node) {
    WEIR_TRY(const YamlKeys keys, file_.keys(node, "defaults", kDefaults));
    if (const YAML::Node* policy = keys.find("policy")) {
      WEIR_TRY(defaults_.policy, section_.policy(*policy, "policy"));
    }
    if (const YAML::Node* cooldown = keys.find("cooldown")) {
      WEIR_TRY(defaults_.cooldown, section_.cooldown(*cooldown, "cooldown"));
    }
    if (const YAML::Node* given = keys.find("priority")) {
      WEIR_TRY(defaults_.priority, priority(*given));
    }
    return {};
  }

  [[nodiscard]] Result<void> ml(const YAML::Node& node, Config& config) const {
    WEIR_TRY(const YamlKeys keys, file_.keys(node, "ml", kMl));
    if (const YAML::Node* model = keys.find("model_path")) {
      WEIR_TRY(config.model_path, path(*model, "model_path"));
    }
    if (const YAML::Node* share = keys.find("canary_share")) {
      WEIR_TRY(config.canary_share, section_.number(*share, "canary_share", 0, 1));
    }
    if (const YAML::Node* mode = keys.find("mode")) {
      WEIR_TRY(config.ml_mode, choice(*mode, "mode", kModes));
      if (config.ml_mode != MlMode::shadow && config.model_path.empty())
        return file_.wrong(*mode, fmt::format("mode {} has no model", mode->Scalar()),
                           "add model_path: FILE");
    }
    return {};
  }

  [[nodiscard]] Result<void> outputs(const YAML::Node& node, Config& config) const {
    WEIR_TRY(const YamlKeys keys, file_.keys(node, "outputs", kOutputs));
    if (const YAML::Node* log = keys.find("log")) {
      WEIR_TRY(config.log, path(*log, "log"));
    }
    if (const YAML::Node* samples = keys.find("samples")) {
      WEIR_TRY(config.samples, path(*samples, "samples"));
      if (config.samples == config.log)
        return file_.wrong(*samples, "log and samples are one file", "give each its own");
    }
    return {};
  }

  [[nodiscard]] Result<std::vector<Entry>> entries(const YAML::Node& containers) {
    if (!containers.IsMap())
      return file_.wrong(containers, "containers must name targets", "for example web: {cpu: {hard: 2}}");
    std::vector<Entry> all;
    std::set<std::string> seen;
    for (const auto& item : containers) {
      if (all.size() == kMostEntries)
        return file_.wrong(item.first, fmt::format("is one more than {} containers", kMostEntries),
                           "name a set of them, for example label:tier=batch");
      WEIR_TRY(const std::string name, file_.scalar(item.first, "a target"));
      if (!seen.insert(name).second)
        return file_.wrong(item.first, fmt::format("'{}' is named twice", name), "put both into one");
      WEIR_TRY(Entry made, entry(item.first, item.second, name));
      all.push_back(std::move(made));
    }
    return all;
  }

  [[nodiscard]] Result<Entry> entry(const YAML::Node& at, const YAML::Node& node, const std::string& name) {
    Entry entry{.where = file_.place(at.Mark()), .priority = defaults_.priority};
    auto target = container::parse_target(name);
    if (!target) return file_.wrong(at, std::move(target).error());
    entry.target = std::move(*target);
    if (name == "/")
      return file_.wrong(at, "is the root cgroup, which has no limits",
                         "name a cgroup below it, such as /demo");
    const auto idle = [&] {
      return file_.wrong(at, fmt::format("'{}' manages nothing", name),
                         "add cpu, memory or io: cpu: {hard: 2}");
    };
    if (node.IsNull()) return idle();
    WEIR_TRY(const YamlKeys keys, file_.keys(node, fmt::format("'{}'", name), kContainer));
    for (const std::string_view key : {"create", "pids"})
      if (keys.find(key) != nullptr && entry.target.kind != container::TargetKind::path)
        return file_.wrong(*keys.find(key), fmt::format("{} is for cgroup paths only", key),
                           "take it out, or name a path such as /demo/web");
    if (const YAML::Node* create = keys.find("create")) {
      WEIR_TRY(entry.create, choice(*create, "create", kYesNo));
    }
    if (const YAML::Node* given = keys.find("pids")) {
      WEIR_TRY(entry.pids, pids(*given));
    }
    if (const YAML::Node* given = keys.find("priority")) {
      WEIR_TRY(entry.priority, priority(*given));
    }
    for (const auto& [key, resource] : kSections)
      if (const YAML::Node* section = keys.find(key)) WEIR_CHECK(add(*section, resource, {}, entry));
    if (const YAML::Node* io = keys.find("io")) WEIR_CHECK(devices(*io, entry));
    if (entry.resources.empty()) return idle();
    return entry;
  }

  /// Of one device, or a list of several.
  [[nodiscard]] Result<void> devices(const YAML::Node& node, Entry& entry) {
    if (!node.IsSequence() || node.size() == 0) return device(node, entry);
    for (const YAML::Node& each : node) WEIR_CHECK(device(each, entry));
    return {};
  }

  [[nodiscard]] Result<void> device(const YAML::Node& node, Entry& entry) {
    WEIR_TRY(const YamlKeys keys, file_.keys(node, "io", kDevice));
    const YAML::Node* const given = keys.find("device");
    if (given == nullptr)
      return file_.wrong(node, "io has no device", "add device: MAJ:MIN, for example 8:0 (see lsblk)");
    WEIR_TRY(const std::string name, device_number(*given));
    if (std::ranges::find(entry.resources, name, &Managed::device) != entry.resources.end())
      return file_.wrong(*given, fmt::format("device {} is given twice", name), "put both into one");
    const std::size_t before = entry.resources.size();
    for (const auto& [key, resource] : kDirections)
      if (const YAML::Node* section = keys.find(key)) WEIR_CHECK(add(*section, resource, name, entry));
    if (entry.resources.size() == before)
      return file_.wrong(node, fmt::format("io of {} manages nothing", name),
                         "add read or write, for example write: {hard: 64M}");
    return {};
  }

  [[nodiscard]] Result<void> add(const YAML::Node& node, Resource resource, std::string_view device,
                                 Entry& entry) {
    if (++managed_ > kMostManaged)
      return file_.wrong(node, fmt::format("is one more than {} resources", kMostManaged),
                         "manage fewer containers or devices");
    WEIR_TRY(Managed managed, section_.managed(node, resource, defaults_));
    managed.device = device;
    entry.resources.push_back(std::move(managed));
    return {};
  }

  /// As the kernel writes it: "08:0" is 8:0.
  [[nodiscard]] Result<std::string> device_number(const YAML::Node& node) const {
    WEIR_TRY(const std::string text, file_.scalar(node, "device"));
    if (!cgroup::is_device_number(text))
      return file_.wrong(node, fmt::format("'{}' is no device number", text),
                         "write MAJ:MIN, for example 8:0 (see lsblk)");
    const std::vector<std::string_view> parts = split(text, ':');
    return fmt::format("{}:{}", *parse_u64(parts[0]), *parse_u64(parts[1]));
  }

  [[nodiscard]] Result<std::vector<Pid>> pids(const YAML::Node& node) {
    if (!node.IsSequence()) return file_.wrong(node, "pids must be a list", "for example [4242]");
    std::vector<Pid> all;
    for (const YAML::Node& each : node) {
      WEIR_TRY(const std::string text, file_.scalar(each, "a pid"));
      const auto number = parse_u64(text);
      if (!number || *number == 0 || *number > std::numeric_limits<std::int32_t>::max())
        return file_.wrong(each, fmt::format("'{}' is no pid", text), "for example 4242");
      const Pid pid(static_cast<std::int32_t>(*number));
      if (!pids_.insert(pid).second)
        return file_.wrong(each, fmt::format("pid {} is given twice", text), "a process is in one cgroup");
      all.push_back(pid);
    }
    return all;
  }

  [[nodiscard]] Result<int> priority(const YAML::Node& node) const {
    WEIR_TRY(const std::string text, file_.scalar(node, "priority"));
    const auto number = parse_u64(text);
    if (!number || *number > kMostPriority)
      return file_.wrong(node, fmt::format("priority must be a whole number from 0 to {}", kMostPriority),
                         "the higher goes first");
    return static_cast<int>(*number);
  }

  [[nodiscard]] Result<std::string> path(const YAML::Node& node, std::string_view what) const {
    WEIR_TRY(std::string text, file_.scalar(node, what));
    if (text.empty() || text.size() > kLongestPath || text.contains('\0'))
      return file_.wrong(node, fmt::format("{} is no path of a file", what), "for example logs/events.jsonl");
    return text;
  }

  template <typename T, std::size_t N>
  [[nodiscard]] Result<T> choice(const YAML::Node& node, std::string_view what,
                                 const std::array<Choice<T>, N>& choices) const {
    WEIR_TRY(const std::string word, file_.scalar(node, what));
    std::array<std::string_view, N> words;
    for (std::size_t n = 0; n < N; ++n) {
      if (choices[n].word == word) return choices[n].value;
      words[n] = choices[n].word;
    }
    return file_.unknown(node, fmt::format("is no value of {}", what), word, words);
  }

  limits::YamlFile file_;
  SectionParser section_;
  Defaults defaults_{.policy = &policy::policies().front()};
  std::set<Pid> pids_;
  std::size_t managed_ = 0;
};

}  // namespace

std::string_view to_string(MlMode mode) {
  return std::ranges::find(kModes, mode, &Choice<MlMode>::value)->word;
}

Result<Config> parse_config(std::string_view text, std::string_view name) {
  if (text.size() > kLargest)
    return std::unexpected(make_error(ErrorKind::invalid, name, "is larger than 4 MiB",
                                      "name sets of containers, for example label:tier=batch"));
  return Parser(name).parse(text);
}

}  // namespace weir::control
