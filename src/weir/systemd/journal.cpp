// SPDX-License-Identifier: MIT
#include "weir/systemd/journal.h"

#include <sys/socket.h>

#include <cstdint>

#include "weir/systemd/datagram.h"

namespace weir::systemd {

std::string encode_journal_entry(std::span<const JournalField> fields) {
  std::string bytes;
  for (const JournalField& field : fields) {
    bytes += field.name;
    if (field.value.find('\n') == std::string::npos) {
      bytes += '=';
    } else {
      bytes += '\n';
      for (unsigned shift = 0; shift < 64; shift += 8)  // little-endian
        bytes += static_cast<char>(static_cast<std::uint64_t>(field.value.size()) >> shift & 0xFFU);
    }
    bytes += field.value;
    bytes += '\n';
  }
  return bytes;
}

Result<Journal> Journal::open(std::string path) {
  WEIR_TRY(Fd socket, open_datagram_socket());
  // The longest entry that can be sent; the kernel grants what it allows.
  const int size = 8 << 20;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return Journal(std::move(path), std::move(socket));
}

Result<void> Journal::send(std::span<const JournalField> fields) {
  return send_datagram(socket_, path_, encode_journal_entry(fields));
}

}  // namespace weir::systemd
