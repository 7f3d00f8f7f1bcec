// SPDX-License-Identifier: MIT
// A frame of N cgroups, read and parsed by the Sampler, against a bare pread loop over the same files on kept
// fds, and against opening, reading and closing each, in turns. Every file that the cgroups here have is
// read; pressure at most once a second, as ever, so the rounds are that far apart.
//
//   build/release/bin/frame_1000 [N [ROUNDS]]
//
// As root, on a host with a cgroup2 mount. Exit code 1 if the ratios are over 1.2 or under 2.5 (medians).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "cgroup_place.h"
#include "spread.h"
#include <thread>

#include "weir/base/clock.h"
#include "weir/base/fd.h"
#include "weir/base/text.h"
#include "weir/sample/sampler.h"

namespace {

using namespace weir;
using bench::must;
using std::chrono::nanoseconds;

constexpr double kMostRatio = 1.2, kLeastGain = 2.5;

const SystemClock kClock;

template <typename Work>
double timed(Work work) {
  const nanoseconds begin = kClock.monotonic();
  work();
  return static_cast<double>((kClock.monotonic() - begin).count());
}

std::size_t read_once(int fd, std::vector<char>& buffer) {
  const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), 0);
  if (n < 0) bench::give_up(errno_error(errno, "a cgroup's file", "read"));
  return static_cast<std::size_t>(n);
}

int run(std::size_t count, std::size_t rounds) {
  struct rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) bench::give_up(errno_error(errno, "open files", "allow more"));
  std::unique_ptr<bench::CgroupPlace> place;
  const auto available =
      must(must(cgroup::open_root(must(cgroup::find_mount_point())))->read("cgroup.controllers"));
  place = std::make_unique<bench::CgroupPlace>(
      available.find("memory") == std::string::npos ? "" : "+cpu +memory +io +pids");
  sample::Sampler sampler = must(sample::Sampler::open(place->root(), "/proc", kClock));
  std::vector<std::string> paths;
  std::vector<Fd> fds;
  for (std::size_t n = 0; n < count; ++n) {
    const std::string name = fmt::format("c{}", n);
    place->make(name);
    must(sampler.add({.name = name, .cgroup = place->path(name)}));
    for (std::size_t source = 0; source < kSources; ++source) {
      const std::string path = place->file(name, file_of(static_cast<Source>(source)));
      Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd.valid()) continue;
      fds.push_back(std::move(fd));
      paths.push_back(path);
    }
  }
  std::vector<char> buffer(16384);
  std::size_t bytes = 0;
  std::vector<double> bare, frame, opened, ratio, gain;
  for (std::size_t round = 0; round <= rounds; ++round) {
    const auto second = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1001)); };
    const double bare_ns = timed([&] {
      for (const Fd& fd : fds) bytes += read_once(fd.get(), buffer);
    });
    second();
    const double frame_ns = timed([&] { sampler.read(sample::all_sources()); });
    if (sampler.unreadable() > 0)
      bench::give_up(make_error(ErrorKind::failed, "a frame", "has unread files"));
    second();
    const double opened_ns = timed([&] {
      for (const std::string& path : paths)
        bytes += read_once(Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)).get(), buffer);
    });
    second();
    if (round == 0) continue;  // the first touches everything for the first time
    bare.push_back(bare_ns);
    frame.push_back(frame_ns);
    opened.push_back(opened_ns);
    ratio.push_back(frame_ns / bare_ns);
    gain.push_back(opened_ns / frame_ns);
  }
  struct utsname host{};
  ::uname(&host);
  const auto per_frame = bench::spread(ratio), against_open = bench::spread(gain);
  fmt::print("frame_1000: {} cgroups, {} files each, {} CPUs, {}; {} rounds\n", count, fds.size() / count,
             ::sysconf(_SC_NPROCESSORS_ONLN), host.release, rounds);
  fmt::print("  bare preads        {:7.2f} ms\n", bench::spread(bare).median / 1e6);
  fmt::print("  frame, parsed      {:7.2f} ms   x{:.2f} ({:.2f} .. {:.2f}), target <= {}: {}\n",
             bench::spread(frame).median / 1e6, per_frame.median, per_frame.q1, per_frame.q3, kMostRatio,
             per_frame.median <= kMostRatio ? "met" : "missed");
  fmt::print(
      "  open, read, close  {:7.2f} ms   the frame is {:.2f} times as fast ({:.2f} .. {:.2f}), target >= {}: "
      "{}\n",
      bench::spread(opened).median / 1e6, against_open.median, against_open.q1, against_open.q3, kLeastGain,
      against_open.median >= kLeastGain ? "met" : "missed");
  return bytes > 0 && per_frame.median <= kMostRatio && against_open.median >= kLeastGain ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = argc > 1 ? parse_u64(argv[1]) : 1000U;
  const auto rounds = argc > 2 ? parse_u64(argv[2]) : 15U;
  if (!count || !rounds || *count < 1 || *count > 10000 || *rounds < 1) {
    fmt::print(stderr, "usage: frame_1000 [N [ROUNDS]]\n");
    return 2;
  }
  return run(*count, *rounds);
}
