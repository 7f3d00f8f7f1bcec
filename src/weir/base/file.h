// SPDX-License-Identifier: MIT
#pragma once
// Whole small files, read and written safely: O_CLOEXEC and O_NOFOLLOW always, sizes capped.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/fd.h"

namespace weir {

inline constexpr std::size_t kSmallFile = 1U << 20;

/// Everything that `fd` gives from its start or current position, at most `cap` bytes; more is an error
/// (failed, EFBIG).
Result<std::string> read_all(int fd, std::string_view name, std::size_t cap = kSmallFile);
/// open + read + close, relative to `dirfd` (AT_FDCWD for absolute paths). The last component may not be a
/// symlink.
Result<std::string> read_file_at(int dirfd, const std::string& path, std::size_t cap = kSmallFile);
Result<std::string> read_file(const std::string& path, std::size_t cap = kSmallFile);

/// Opens a regular file for reading, not through a symlink, that nobody could have written or put there but
/// root, the effective user and `also`: refused otherwise, also where that is so of a folder above it. In a
/// folder with the sticky bit (/tmp) others cannot touch what is not theirs.
Result<Fd> open_trusted(const std::string& path, std::optional<uid_t> also);

/// Writes all of `bytes`, retrying short writes and EINTR.
Result<void> write_all(int fd, std::string_view bytes, std::string_view name);
/// Replaces `path` by a temporary file and rename, so that a reader sees the old or the new bytes; `durable`
/// fsyncs both.
enum class Durable { no, yes };
Result<void> replace_file(const std::string& path, std::string_view bytes, mode_t mode, Durable durable);

/// Makes `path` a directory of ours (mode), or checks that it is a real directory that belongs to the
/// effective user and that no one else can write: refused otherwise. Parents must exist or are made 0755.
Result<Fd> open_private_directory(const std::string& path, mode_t mode);

}  // namespace weir
