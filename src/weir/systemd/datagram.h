// SPDX-License-Identifier: MIT
#pragma once
// One datagram to a unix socket: how the service manager and the journal are spoken to. Never blocks.

#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/fd.h"

namespace weir::systemd {

Result<Fd> open_datagram_socket();
/// To the socket at `path`; a leading '@' is the abstract namespace. Errors: absent (nobody is there),
/// refused, failed (it does not take more now, or it is too long).
Result<void> send_datagram(const Fd& socket, const std::string& path, std::string_view bytes);

}  // namespace weir::systemd
