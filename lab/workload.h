// SPDX-License-Identifier: MIT
#pragma once
// The three workloads of weir-lab. Each starts its threads and returns; they run until the process ends, so
// there is nothing to stop or to join: the only thing made on the host is a file that is unlinked as soon as
// it is open.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/base/units.h"

namespace weir::lab {

/// What was done so far; written by the workload's threads, read for a report at any moment.
struct Progress {
  std::atomic<std::uint64_t> operations{0};
  std::atomic<std::uint64_t> bytes{0};
};

struct CpuOptions {
  unsigned threads = 1;
  unsigned duty = 100;  ///< percent of each period that every thread wants to compute
  std::chrono::microseconds period{100'000};
};
struct MemoryOptions {
  Bytes size{64 * kMiB};              ///< anonymous memory, reached in steps
  Bytes step{4 * kMiB};               ///< one step every 50 ms
  std::chrono::microseconds hold{0};  ///< give all of it back after so long, and start again; 0: keep it
  std::chrono::microseconds touch{1'000'000};  ///< every page is written again this often; 0: never
  Bytes cache{0};                              ///< size of a file that is read over and over; 0: none
  std::string path = ".";                      ///< directory of that file
};
struct IoOptions {
  Bytes bytes{64 * kMiB};  ///< size of the file, written over and over
  Bytes block{64 * kKiB};
  std::string path = ".";  ///< directory of the file
  Bytes rate{0};           ///< bytes a second; 0: as fast as it goes
  unsigned fsync = 16;     ///< fsync after so many blocks; 0: never
};

/// `progress` must live as long as the process.
Result<void> start_cpu(const CpuOptions& options, Progress& progress);
Result<void> start_memory(const MemoryOptions& options, Progress& progress);
Result<void> start_io(const IoOptions& options, Progress& progress);

/// A file in `directory` without a name. Refused on a tmpfs, where a file is memory and no disk is written.
Result<Fd> open_scratch(const std::string& directory);

/// For threads, which have nobody to return an error to: prints it and ends the process with 1.
[[noreturn]] void die(const Error& error);

}  // namespace weir::lab
