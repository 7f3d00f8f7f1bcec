// SPDX-License-Identifier: MIT
#pragma once
// Journal: the changes of this boot, kept in <run_dir>/limits.journal so that each can be taken back, also
// after a kill -9. Append-only text, one record a line (record.h). An append is one write() and no fsync: a
// killed process loses nothing that write() took, and limits do not survive a crash of the kernel either.
//
// A damaged record costs only itself. Records of another boot are ignored, and put aside once nothing else is
// in the file.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/limits/change.h"
#include "weir/limits/history.h"

namespace weir::limits {

inline constexpr std::string_view kJournalFile = "limits.journal";

struct JournalOptions {
  std::chrono::milliseconds lock_wait{30'000};
  std::size_t cap = std::size_t{4} << 20;  ///< a file that would grow past this is compacted first
  /// Whether a change's cgroup is still there; those that ended need not survive a compaction. Default: keep
  /// all.
  std::function<bool(const Change&)> alive;
};

/// The journal open for writing, locked: one writer per run_dir at a time. Not shared between threads.
class Journal {
 public:
  /// Makes run_dir and file where they are missing. Errors: refused (permissions, or a directory that others
  /// can write), failed (another weir holds the lock longer than lock_wait).
  static Result<Journal> open(const std::string& run_dir, std::string boot_id, JournalOptions options = {});

  /// Adds the changes as they are now, in one write(). On an error (a full disk) nothing was added.
  Result<void> append(std::span<const Change* const> changes);
  Result<void> append(const Change& change) {
    const Change* one = &change;
    return append(std::span(&one, 1));
  }
  /// The last record of that place, if it is among the last 256 KiB: tells of the last write there.
  [[nodiscard]] Result<std::optional<Change>> last(const Place& where) const;
  /// Lets other writers in until lock(). For a process that writes again and again; nothing but lock() may be
  /// called in between.
  void unlock();
  /// Errors: as open().
  Result<void> lock();
  [[nodiscard]] Result<History> read() const;
  /// One more than the greatest epoch so far.
  [[nodiscard]] std::uint64_t next_epoch() const { return head_ + 1; }
  /// The run_dir, which nobody else can write; as long as this lives.
  [[nodiscard]] int directory() const { return directory_.get(); }
  [[nodiscard]] std::chrono::milliseconds lock_wait() const { return options_.lock_wait; }

 private:
  Journal(Fd directory, std::string run_dir, std::string boot_id, JournalOptions options);
  Result<void> open_file();
  Result<void> open_again();
  Result<void> find_head();
  Result<void> shrink();
  [[nodiscard]] Result<std::string> read_from(std::uint64_t offset) const;

  Fd directory_;  ///< holds the lock
  Fd file_;
  std::string run_dir_, path_, boot_id_;
  JournalOptions options_;
  std::uint64_t size_ = 0;
  std::uint64_t head_ = 0;
  bool torn_ = false;  ///< the file does not end with a newline
};

/// The journal's content without locking it; empty where there is none. Refused without the right to read it,
/// or where others could have written it.
Result<History> read_history(const std::string& run_dir, const std::string& boot_id);

/// As Journal::last(), without locking.
Result<std::optional<Change>> read_last(const std::string& run_dir, const std::string& boot_id,
                                        const Place& where);

/// The history in a journal's text.
History parse_journal(std::string_view text, std::string_view boot_id);

}  // namespace weir::limits
