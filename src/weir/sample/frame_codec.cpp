// SPDX-License-Identifier: MIT
#include "weir/sample/frame_codec.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace weir::sample {
namespace {

/// Rises when anything about the layout changes, as the number of metrics does.
constexpr std::uint32_t kLayout = (1U << 24U) | (kMetrics << 8U) | kSources;
constexpr std::uint64_t kMostSubjects = 1U << 20U;
constexpr std::uint64_t kLongestString = 1U << 16U;
static_assert(std::is_trivially_copyable_v<Sample>);

class Put {
 public:
  explicit Put(std::string& out) : out_(out) {}
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void value(const T& value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view text) {
    text = text.substr(0, kLongestString);
    value(static_cast<std::uint32_t>(text.size()));
    out_ += text;
  }

 private:
  std::string& out_;
};

/// Takes values from the front; once something is missing all that follows is.
class Take {
 public:
  explicit Take(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  bool value(T& out) {
    if (bytes_.size() < sizeof out) return fail();
    std::memcpy(&out, bytes_.data(), sizeof out);
    bytes_.remove_prefix(sizeof out);
    return true;
  }
  bool text(std::string& out) {
    std::uint32_t size = 0;
    if (!value(size) || size > kLongestString || bytes_.size() < size) return fail();
    out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }
  bool time(std::chrono::nanoseconds& out) {
    std::int64_t count = 0;
    if (!value(count)) return false;
    out = std::chrono::nanoseconds(count);
    return true;
  }
  [[nodiscard]] bool is_over() const { return bytes_.empty(); }

 private:
  bool fail() {
    bytes_ = {};
    return false;
  }
  std::string_view bytes_;
};

void put(Put& out, const Subject& subject) {
  const Container& c = subject.container;
  out.value(subject.cgroup_id.count());
  out.value(static_cast<std::uint8_t>(c.runtime));
  out.value(c.pid ? c.pid->count() : 0);
  for (const std::string* text : {&c.name, &c.id, &c.cgroup, &c.image, &c.k8s_namespace, &c.k8s_pod,
                                  &c.k8s_container, &c.compose_project, &c.compose_service})
    out.text(*text);
  out.value(static_cast<std::uint32_t>(c.labels.size()));
  for (const auto& [key, value] : c.labels) {
    out.text(key);
    out.text(value);
  }
}

bool take(Take& in, Subject& subject) {
  Container& c = subject.container;
  std::uint64_t id = 0;
  std::uint8_t runtime = 0;
  std::int32_t pid = 0;
  std::uint32_t labels = 0;
  if (!in.value(id) || !in.value(runtime) || runtime > static_cast<std::uint8_t>(Runtime::none) ||
      !in.value(pid))
    return false;
  subject.cgroup_id = CgroupId(id);
  c.runtime = static_cast<Runtime>(runtime);
  if (pid > 0) c.pid = Pid(pid);
  for (std::string* text : {&c.name, &c.id, &c.cgroup, &c.image, &c.k8s_namespace, &c.k8s_pod,
                            &c.k8s_container, &c.compose_project, &c.compose_service})
    if (!in.text(*text)) return false;
  if (!in.value(labels)) return false;
  for (std::uint32_t n = 0; n < labels; ++n) {
    std::string key, value;
    if (!in.text(key) || !in.text(value)) return false;
    c.labels.insert_or_assign(std::move(key), std::move(value));
  }
  return true;
}

bool take(Take& in, Sample& sample) {
  return in.value(sample) && std::ranges::all_of(sample.known, [](Known known) {
           return static_cast<std::uint8_t>(known) <= static_cast<std::uint8_t>(Known::measured);
         });
}

}  // namespace

void encode_frame(const Frame& frame, std::string& out) {
  Put put_to(out);
  put_to.value(kLayout);
  put_to.value(frame.number);
  put_to.value(frame.at.count());
  put_to.value(frame.time.count());
  put_to.value(frame.generation);
  put_to.value(frame.host);
  put_to.value(static_cast<std::uint64_t>(frame.subjects.size()));
  for (const Subject& subject : frame.subjects) put(put_to, subject);
  for (const Sample& sample : frame.samples) put_to.value(sample);
}

Result<Frame> decode_frame(std::string_view bytes) {
  Take in(bytes);
  Frame frame;
  std::uint32_t layout = 0;
  std::uint64_t count = 0;
  bool whole = in.value(layout) && layout == kLayout && in.value(frame.number) && in.time(frame.at) &&
               in.time(frame.time) && in.value(frame.generation) && take(in, frame.host) && in.value(count) &&
               count <= kMostSubjects && count <= bytes.size() / sizeof(Sample);
  if (whole) {
    frame.subjects.resize(count);
    frame.samples.resize(count);
    whole = std::ranges::all_of(frame.subjects, [&](Subject& each) { return take(in, each); }) &&
            std::ranges::all_of(frame.samples, [&](Sample& each) { return take(in, each); }) && in.is_over();
  }
  if (whole) return frame;
  return std::unexpected(make_error(ErrorKind::failed, "frames", "is not a frame of this version of weir"));
}

}  // namespace weir::sample
