// SPDX-License-Identifier: MIT
#pragma once
// Endpoint: the last frame, served as metrics. What it is given is copied, so that a client reads one frame
// however long that takes; the text is made when someone asks, once a frame. No thread (server.h).

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "weir/export/prometheus.h"
#include "weir/model/frame.h"
#include "weir/serve/server.h"

namespace weir::serve {

class Endpoint {
 public:
  /// `clock` outlives it. Errors: as of Listener.
  static Result<std::unique_ptr<Endpoint>> open(const Address& address, const Clock& clock);

  /// From now on this frame is served; of its containers those that are `wanted`.
  void see(const Frame& frame, const std::function<bool(const Container&)>& wanted);
  /// What is told beside the frame. Whatever is changed there is told from the next request on.
  exports::Watching& watching();

  [[nodiscard]] int fd() const { return server_->fd(); }
  void serve() { server_->serve(); }
  [[nodiscard]] const Address& address() const { return server_->address(); }

  /// What is answered to a request.
  Reply answer(const Request& request);

 private:
  explicit Endpoint(const Address& address) : loopback_(std::holds_alternative<LoopbackAddress>(address)) {}
  std::shared_ptr<const std::string> page(exports::Dialect dialect);

  bool loopback_;
  Frame frame_;
  exports::Watching watching_;
  std::array<std::shared_ptr<const std::string>, 2> pages_;  ///< by dialect; null: to be made
  std::unique_ptr<Server> server_;
};

}  // namespace weir::serve
