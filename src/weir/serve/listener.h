// SPDX-License-Identifier: MIT
#pragma once
// Listener: the socket that clients connect to. A unix socket is made 0660 in a folder that only we can write
// to; one that is left over is replaced, but only if it is a socket of ours that nobody serves: a lock beside
// it (PATH.lock), held as long as this object lives, says so. It is removed at the end.

#include <string>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/serve/address.h"

namespace weir::serve {

class Listener {
 public:
  /// Errors: refused (the folder, another one's file or socket), failed (the port is taken).
  static Result<Listener> open(const Address& address);
  Listener(Listener&& other) noexcept = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  [[nodiscard]] int fd() const { return socket_.get(); }
  /// With the port that the kernel chose.
  [[nodiscard]] const Address& address() const { return address_; }

 private:
  explicit Listener(Address address) : address_(std::move(address)) {}
  Result<void> open_unix(const UnixAddress& address);
  Result<void> open_loopback(LoopbackAddress& address);

  Address address_;
  Fd socket_, folder_, lock_;
  std::string name_;  ///< of the socket in folder_, once it is there
};

}  // namespace weir::serve
