// SPDX-License-Identifier: MIT
#pragma once
// How many files a command that samples may have open.

namespace weir::cli {

/// Each container costs a dozen open files; the soft limit is for programs that use select().
void allow_open_files();

}  // namespace weir::cli
