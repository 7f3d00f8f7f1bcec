// SPDX-License-Identifier: MIT
#include "support/fake_cgroupfs.h"

#include <fmt/format.h>

#include "support/fake_rules.h"
#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "weir/base/text.h"

namespace weir::testing {

using cgroup::Access;
using cgroup::Dir;
using cgroup::File;

namespace {

using Names = std::set<std::string, std::less<>>;

const Names& all_controllers() {
  static const Names names = {"cpu", "cpuset", "io", "memory", "pids"};
  return names;
}

std::string joined(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += fmt::format("{}{}", text.empty() ? "" : " ", name);
  return text.empty() ? text : text + "\n";
}

struct Node {
  std::string path;
  CgroupId id;
  Node* parent = nullptr;
  bool alive = true;
  Names subtree_control;
  Names taken;                                            ///< files that are not there
  std::map<std::string, std::string, std::less<>> texts;  ///< what differs from the rule's first text
  std::map<std::string, int, std::less<>> failing;        ///< errno of writes
  std::map<std::string, std::shared_ptr<Node>, std::less<>> children;

  [[nodiscard]] bool is_root() const { return parent == nullptr; }
  [[nodiscard]] const Names& controllers() const {
    return is_root() ? all_controllers() : parent->subtree_control;
  }

  [[nodiscard]] bool has(std::string_view file) const {
    if (!alive || taken.contains(file)) return false;
    const FakeRule* rule = fake_rule(file);
    if (rule == nullptr) return texts.contains(file);
    if (is_root() && rule->root == FakeRoot::lacks) return false;
    return rule->controller.empty() || controllers().contains(rule->controller);
  }

  [[nodiscard]] std::string read(std::string_view file) const {
    if (const auto own = texts.find(file); own != texts.end()) return own->second;
    if (file == "cgroup.controllers") return joined(controllers());
    if (file == "cgroup.subtree_control") return joined(subtree_control);
    if (!is_root() && controllers().contains("cpu")) {
      if (file == "cpu.stat") file = "cpu.stat full";
      if (file == "cpu.stat.local") file = "cpu.stat.local full";
    }
    const FakeRule* rule = fake_rule(file);
    return rule == nullptr ? std::string() : std::string(rule->initial);
  }

  /// A controller that goes takes its values along.
  void forget(std::string_view controller) {
    for (const FakeRule& rule : fake_rules())
      if (rule.controller == controller) texts.erase(std::string(rule.file));
  }

  void end() {
    for (const auto& [name, child] : children) child->end();
    children.clear();
    alive = false;
  }

  int write_subtree_control(std::string_view text) {
    Names wanted = subtree_control;
    for (const std::string_view word : words(text)) {
      const std::string name(word.substr(1));
      if (word.size() < 2 || (word[0] != '+' && word[0] != '-') || !all_controllers().contains(name))
        return EINVAL;
      if (word[0] == '+') {
        if (!controllers().contains(name)) return ENOENT;
        wanted.insert(name);
      } else {
        for (const auto& [child_name, child] : children)
          if (child->subtree_control.contains(name)) return EBUSY;
        wanted.erase(name);
      }
    }
    if (!is_root() && !wanted.empty() && !trim(read("cgroup.procs")).empty()) return EBUSY;
    for (const std::string& name : subtree_control)
      if (!wanted.contains(name))
        for (const auto& [child_name, child] : children) child->forget(name);
    subtree_control = wanted;
    return 0;
  }
};

/// One component below `path`.
std::string below(const std::string& path, std::string_view name) {
  return path == "/" ? fmt::format("/{}", name) : fmt::format("{}/{}", path, name);
}

}  // namespace

struct FakeTree {
  std::shared_ptr<Node> root = std::make_shared<Node>();
  std::uint64_t next_id = 1;
  std::function<void(std::string_view, std::string_view, std::string_view)> hook;
  bool in_hook = false;

  FakeTree() {
    root->path = "/";
    root->id = CgroupId(next_id++);
  }

  std::shared_ptr<Node> make(Node& parent, std::string_view name) {
    auto node = std::make_shared<Node>();
    node->path = below(parent.path, name);
    node->id = CgroupId(next_id++);
    node->parent = &parent;
    parent.children.insert_or_assign(std::string(name), node);
    return node;
  }

  std::shared_ptr<Node> find(std::string_view path) const {
    std::shared_ptr<Node> node = root;
    for (const std::string_view part : split(path, '/')) {
      if (part.empty()) continue;
      const auto child = node->children.find(part);
      if (child == node->children.end()) return nullptr;
      node = child->second;
    }
    return node;
  }

  /// 0 or errno, as write() would give it.
  int write(const std::shared_ptr<Node>& node, std::string_view file, std::string_view text) {
    if (hook && !in_hook) {
      in_hook = true;  // the hook may write, or replace itself
      const auto called = hook;
      called(node->path, file, text);
      in_hook = false;
    }
    if (!node->alive) return ENODEV;
    if (const auto failing = node->failing.find(file); failing != node->failing.end()) return failing->second;
    if (file == "cgroup.subtree_control") return node->write_subtree_control(text);
    const FakeRule* rule = fake_rule(file);
    if (rule == nullptr || rule->write == nullptr) return EINVAL;
    const auto outcome = rule->write(text, [&](std::string_view other) { return node->read(other); });
    if (!outcome) return outcome.error();
    if (file == "cpu.idle" &&
        *outcome != node->read(file))  // an idle cgroup weighs the least, whatever it weighed
      node->texts.insert_or_assign("cpu.weight", *outcome == "1\n" ? "1\n" : "100\n");
    node->texts.insert_or_assign(std::string(file), *outcome);
    return 0;
  }
};

namespace {

/// The same meaning as the kernel's Dir gives to ENOENT and ENODEV.
Error fake_error(const Node& node, int err, std::string_view file, std::string doing) {
  Error error = errno_error(err, file.empty() ? node.path : below(node.path, file), doing);
  if (err == ENOENT || err == ENODEV)
    error.kind = !node.alive ? ErrorKind::gone : err == ENODEV ? ErrorKind::invalid : ErrorKind::absent;
  return error;
}

bool is_component(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

class FakeFile final : public File {
 public:
  FakeFile(std::shared_ptr<FakeTree> tree, std::shared_ptr<Node> node, std::string name, Access access)
      : tree_(std::move(tree)), node_(std::move(node)), name_(std::move(name)), access_(access) {}

  Result<void> write(std::string_view text) override {
    const int err = access_ == Access::read ? EBADF : tree_->write(node_, name_, text);
    if (err != 0) return std::unexpected(fake_error(*node_, err, name_, fmt::format("write \"{}\"", text)));
    return {};
  }
  Result<std::string> read() override {
    const int err = access_ == Access::write ? EBADF : !node_->alive ? ENODEV : 0;
    if (err != 0) return std::unexpected(fake_error(*node_, err, name_, "read"));
    return node_->read(name_);
  }
  Result<std::string_view> read_into(std::span<char> buffer) override {
    WEIR_TRY(const std::string text, read());
    if (text.size() >= buffer.size()) return std::unexpected(fake_error(*node_, EFBIG, name_, "read"));
    std::ranges::copy(text, buffer.begin());
    return std::string_view(buffer.data(), text.size());
  }
  [[nodiscard]] int fd() const override { return -1; }

 private:
  std::shared_ptr<FakeTree> tree_;
  std::shared_ptr<Node> node_;
  std::string name_;
  Access access_;
};

class FakeDir final : public Dir {
 public:
  FakeDir(std::shared_ptr<FakeTree> tree, std::shared_ptr<Node> node)
      : Dir(node->path, node->id), tree_(std::move(tree)), node_(std::move(node)) {}

  [[nodiscard]] Result<std::string> read(std::string_view file) const override {
    WEIR_CHECK(check(file, "open"));
    return node_->read(file);
  }
  [[nodiscard]] Result<void> write(std::string_view file, std::string_view text) override {
    const std::string doing = fmt::format("write \"{}\"", text);
    WEIR_CHECK(check(file, doing));
    if (const int err = tree_->write(node_, file, text); err != 0)
      return std::unexpected(fake_error(*node_, err, file, doing));
    return {};
  }
  [[nodiscard]] Result<std::unique_ptr<File>> keep(std::string_view file, Access access) const override {
    WEIR_CHECK(check(file, "open"));
    return std::make_unique<FakeFile>(tree_, node_, std::string(file), access);
  }
  [[nodiscard]] Result<std::uint64_t> file_id(std::string_view file) const override {
    WEIR_CHECK(check(file, "stat"));
    return (id().count() << 32U) + std::hash<std::string_view>()(file) % 1'000'000;
  }
  [[nodiscard]] Result<std::unique_ptr<Dir>> open(std::string_view relative) const override {
    if (relative.empty() || relative.starts_with('/'))
      return std::unexpected(make_error(ErrorKind::invalid, relative, "is not a relative cgroup path"));
    WEIR_CHECK(cgroup::check_path(fmt::format("/{}", relative)));
    std::shared_ptr<Node> node = node_;
    for (const std::string_view part : split(relative, '/')) {
      const auto child = node->children.find(part);
      if (child == node->children.end())
        return std::unexpected(fake_error(*node_, node->has(part) ? ENOTDIR : ENOENT, relative, "open"));
      node = child->second;
    }
    return std::make_unique<FakeDir>(tree_, node);
  }
  [[nodiscard]] Result<std::vector<std::string>> children() const override {
    if (!node_->alive) return std::unexpected(fake_error(*node_, ENOENT, "", "list"));
    std::vector<std::string> names;
    for (const auto& [name, child] : node_->children) names.push_back(name);
    return names;
  }
  [[nodiscard]] Result<std::unique_ptr<Dir>> make(std::string_view name) override {
    if (!is_component(name))
      return std::unexpected(make_error(ErrorKind::invalid, name, "is not a plain file name"));
    const int err = !node_->alive                               ? ENOENT
                    : node_->children.contains(name)            ? EEXIST
                    : name.find('\n') != std::string_view::npos ? EINVAL
                    : name.size() > 4095                        ? ENAMETOOLONG
                                                                : 0;
    if (err != 0) return std::unexpected(fake_error(*node_, err, name, "create"));
    return std::make_unique<FakeDir>(tree_, tree_->make(*node_, name));
  }
  [[nodiscard]] Result<void> remove(std::string_view name) override {
    if (!is_component(name))
      return std::unexpected(make_error(ErrorKind::invalid, name, "is not a plain file name"));
    const auto child = node_->children.find(name);
    if (child == node_->children.end()) return std::unexpected(fake_error(*node_, ENOENT, name, "remove"));
    if (!child->second->children.empty() || !trim(child->second->read("cgroup.procs")).empty()) {
      Error busy = fake_error(*node_, EBUSY, name, "remove");
      busy.kind = ErrorKind::refused;
      return std::unexpected(std::move(busy));
    }
    child->second->end();
    node_->children.erase(child);
    return {};
  }
  [[nodiscard]] bool alive() const override { return node_->alive; }

 private:
  [[nodiscard]] Result<void> check(std::string_view file, std::string_view doing) const {
    if (!is_component(file))
      return std::unexpected(make_error(ErrorKind::invalid, file, "is not a plain file name"));
    if (!node_->has(file)) return std::unexpected(fake_error(*node_, ENOENT, file, std::string(doing)));
    return {};
  }

  std::shared_ptr<FakeTree> tree_;
  std::shared_ptr<Node> node_;
};

}  // namespace

FakeCgroupfs::FakeCgroupfs() : tree_(std::make_shared<FakeTree>()) {}

FakeCgroupfs::FakeCgroupfs(const std::map<std::string, Files>& cgroups)
    : tree_(std::make_shared<FakeTree>()) {
  for (const auto& [path, files] : cgroups) {
    add(path);
    for (const auto& [file, text] : files) set(path, file, text);
  }
}

std::unique_ptr<Dir> FakeCgroupfs::root() const { return std::make_unique<FakeDir>(tree_, tree_->root); }

std::unique_ptr<Dir> FakeCgroupfs::dir(std::string_view path) const {
  auto node = tree_->find(path);
  WEIR_ASSERT(node != nullptr);
  return std::make_unique<FakeDir>(tree_, std::move(node));
}

void FakeCgroupfs::set(std::string_view path, std::string_view file, std::string_view text) {
  const auto node = tree_->find(path);
  WEIR_ASSERT(node != nullptr);
  if (file == "cgroup.subtree_control") {
    node->subtree_control.clear();
    for (const std::string_view word : words(text)) node->subtree_control.emplace(word);
    return;
  }
  node->texts.insert_or_assign(std::string(file), std::string(text));
}

std::string FakeCgroupfs::get(std::string_view path, std::string_view file) const {
  const auto node = tree_->find(path);
  WEIR_ASSERT(node != nullptr);
  return node->read(file);
}

void FakeCgroupfs::add(std::string_view path) {
  std::shared_ptr<Node> node = tree_->root;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty()) continue;
    if (const auto child = node->children.find(part); child != node->children.end()) {
      node = child->second;
      continue;
    }
    if (node->subtree_control.empty()) node->subtree_control = node->controllers();
    node = tree_->make(*node, part);
  }
}

void FakeCgroupfs::remove(std::string_view path) {
  const auto node = tree_->find(path);
  WEIR_ASSERT(node != nullptr && !node->is_root());
  auto& siblings = node->parent->children;
  node->end();
  std::erase_if(siblings, [&](const auto& entry) { return entry.second == node; });
}

void FakeCgroupfs::take_file(std::string_view path, std::string_view file) {
  const auto node = tree_->find(path);
  WEIR_ASSERT(node != nullptr);
  node->taken.emplace(file);
}

void FakeCgroupfs::fail_writes(std::string_view path, std::string_view file, int err) {
  const auto node = tree_->find(path);
  WEIR_ASSERT(node != nullptr);
  if (err == 0)
    node->failing.erase(std::string(file));
  else
    node->failing.insert_or_assign(std::string(file), err);
}

void FakeCgroupfs::before_write(
    std::function<void(std::string_view, std::string_view, std::string_view)> hook) {
  tree_->hook = std::move(hook);
}

}  // namespace weir::testing
