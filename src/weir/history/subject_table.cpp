// SPDX-License-Identifier: MIT
#include "weir/history/subject_table.h"

#include <array>
#include <utility>

#include "weir/history/wire.h"

namespace weir::history {
namespace {

constexpr std::uint64_t kLongestString = 1U << 16U;
constexpr std::uint64_t kMostLabels = 4096;

/// Its texts, in the order in which they are kept.
template <typename C>
auto texts_of(C& c) {
  return std::array{&c.name,           &c.id,      &c.cgroup,        &c.image,
                    &c.k8s_namespace,  &c.k8s_pod, &c.k8s_container, &c.compose_project,
                    &c.compose_service};
}

bool take(Take& in, Subject& subject) {
  Container& c = subject.container;
  std::uint64_t cgroup = 0, runtime = 0, pid = 0, labels = 0;
  if (!in.varint(cgroup) || !in.varint(runtime, static_cast<std::uint64_t>(Runtime::none)) ||
      !in.varint(pid, INT32_MAX))
    return false;
  subject.cgroup_id = CgroupId(cgroup);
  c.runtime = static_cast<Runtime>(runtime);
  if (pid > 0) c.pid = Pid(static_cast<std::int32_t>(pid));
  for (std::string* text : texts_of(c))
    if (!in.text(*text, kLongestString)) return false;
  if (!in.varint(labels, kMostLabels)) return false;
  for (std::uint64_t n = 0; n < labels; ++n) {
    std::string key, value;
    if (!in.text(key, kLongestString) || !in.text(value, kLongestString)) return false;
    c.labels.insert_or_assign(std::move(key), std::move(value));
  }
  return true;
}

}  // namespace

std::uint64_t SubjectTable::number_of(const Subject& subject) {
  const auto known = latest_.find(subject.cgroup_id);
  if (known != latest_.end() && subjects_[known->second] == subject) return known->second;
  subjects_.push_back(subject);
  return latest_[subject.cgroup_id] = subjects_.size() - 1;
}

void SubjectTable::append(std::vector<Subject> subjects) {
  for (Subject& subject : subjects) {
    latest_[subject.cgroup_id] = subjects_.size();
    subjects_.push_back(std::move(subject));
  }
}

void SubjectTable::cut(std::size_t count) {
  subjects_.resize(count);
  latest_.clear();
  for (std::size_t n = 0; n < subjects_.size(); ++n) latest_[subjects_[n].cgroup_id] = n;
}

std::string encode_subjects(std::span<const Subject> subjects) {
  std::string out;
  put_varint(out, subjects.size());
  for (const Subject& subject : subjects) {
    const Container& c = subject.container;
    put_varint(out, subject.cgroup_id.count());
    put_varint(out, static_cast<std::uint64_t>(c.runtime));
    put_varint(out, c.pid && c.pid->count() > 0 ? static_cast<std::uint64_t>(c.pid->count()) : 0);
    for (const std::string* text : texts_of(c))
      put_text(out, std::string_view(*text).substr(0, kLongestString));
    std::uint64_t labels = std::min<std::uint64_t>(c.labels.size(), kMostLabels);
    put_varint(out, labels);
    for (const auto& [key, value] : c.labels) {
      if (labels-- == 0) break;
      put_text(out, std::string_view(key).substr(0, kLongestString));
      put_text(out, std::string_view(value).substr(0, kLongestString));
    }
  }
  return out;
}

Result<std::vector<Subject>> decode_subjects(std::string_view bytes) {
  Take in(bytes);
  std::uint64_t count = 0;
  bool whole = in.varint(count, bytes.size());
  std::vector<Subject> subjects;
  for (std::uint64_t n = 0; whole && n < count; ++n) whole = take(in, subjects.emplace_back());
  if (whole && in.is_over()) return subjects;
  return std::unexpected(make_error(ErrorKind::failed, "history", "holds no whole list of containers"));
}

}  // namespace weir::history
