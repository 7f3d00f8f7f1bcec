// SPDX-License-Identifier: MIT
#pragma once
// Ring: the reading end of a BPF ring buffer of events of one type. And the owner of an attached program. For
// the loaders of this folder.

#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/error.h"

namespace weir::bpf {

struct LinkDeleter {
  void operator()(bpf_link* attached) const { bpf_link__destroy(attached); }
};
using Link = std::unique_ptr<bpf_link, LinkDeleter>;

template <typename Event>
class Ring {
 public:
  /// `map`: the ring buffer's. `name`: for the error.
  static Result<Ring> open(const bpf_map* map, std::string_view name) {
    Ring ring;
    ring.buffer_.reset(
        ring_buffer__new(bpf_map__fd(map), take, static_cast<void*>(ring.sink_.get()), nullptr));
    if (!ring.buffer_) return std::unexpected(errno_error(errno, name, "mapping the BPF ring buffer"));
    return ring;
  }

  /// Readable when there are events that woke their reader.
  [[nodiscard]] int fd() const { return ring_buffer__epoll_fd(buffer_.get()); }
  /// Appends what came since the last call. Does not wait.
  void drain(std::vector<Event>& events) {
    *sink_ = &events;
    ring_buffer__consume(buffer_.get());
    *sink_ = nullptr;
  }

 private:
  struct Deleter {
    void operator()(ring_buffer* buffer) const { ring_buffer__free(buffer); }
  };
  Ring() = default;
  static int take(void* sink, void* data, std::size_t size) {
    if (size == sizeof(Event))
      (*static_cast<std::vector<Event>**>(sink))->push_back(*static_cast<const Event*>(data));
    return 0;
  }

  /// Where libbpf's callback finds it however this is moved.
  std::unique_ptr<std::vector<Event>*> sink_ = std::make_unique<std::vector<Event>*>(nullptr);
  std::unique_ptr<ring_buffer, Deleter> buffer_;
};

}  // namespace weir::bpf
