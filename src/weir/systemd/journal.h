// SPDX-License-Identifier: MIT
#pragma once
// Journal: entries with fields to the systemd journal, by its native protocol: one datagram an entry. A value
// may hold any bytes: one with a newline is sent with its length, so that it cannot make a field of its own.
// Never blocks, and needs no library.

#include <span>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/fd.h"

namespace weir::systemd {

struct JournalField {
  std::string_view name;  ///< of ours: capitals, digits and underscores
  std::string value;
};
/// The entry as it is sent.
std::string encode_journal_entry(std::span<const JournalField> fields);

class Journal {
 public:
  static constexpr const char* kSocket = "/run/systemd/journal/socket";
  static Result<Journal> open(std::string path = kSocket);
  /// Errors: absent (no journal here), failed (it does not take more now). The entry is lost then.
  Result<void> send(std::span<const JournalField> fields);

 private:
  Journal(std::string path, Fd socket) : path_(std::move(path)), socket_(std::move(socket)) {}
  std::string path_;
  Fd socket_;
};

}  // namespace weir::systemd
