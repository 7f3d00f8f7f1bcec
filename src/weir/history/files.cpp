// SPDX-License-Identifier: MIT
#include "weir/history/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>

#include "weir/base/text.h"

namespace weir::history {
namespace {

constexpr std::string_view kPrefix = "segment-";

}  // namespace

std::string SegmentFile::name() const {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).count();
  struct tm tm{};
  ::gmtime_r(&seconds, &tm);
  return fmt::format("{}{:08}-{:04}{:02}{:02}T{:02}{:02}{:02}Z", kPrefix, number, tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool parse_segment_name(std::string_view name, SegmentFile& out) {
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  const std::size_t dash = name.find('-');
  const auto number = parse_u64(name.substr(0, dash));
  if (!number || dash == std::string_view::npos || name.size() != dash + 17 || name[dash + 9] != 'T' ||
      name.back() != 'Z')
    return false;
  const auto part = [&](std::size_t at, std::size_t size) { return parse_u64(name.substr(dash + at, size)); };
  const auto year = part(1, 4), month = part(5, 2), day = part(7, 2), hour = part(10, 2),
             minute = part(12, 2), second = part(14, 2);
  if (!year || !month || !day || !hour || !minute || !second) return false;
  struct tm tm{};
  tm.tm_year = static_cast<int>(*year) - 1900;
  tm.tm_mon = static_cast<int>(*month) - 1;
  tm.tm_mday = static_cast<int>(*day);
  tm.tm_hour = static_cast<int>(*hour);
  tm.tm_min = static_cast<int>(*minute);
  tm.tm_sec = static_cast<int>(*second);
  out.number = *number;
  out.time = std::chrono::seconds(::timegm(&tm));
  return true;
}

Result<std::vector<SegmentFile>> list_segments(int directory) {
  const int again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(again < 0 ? nullptr : ::fdopendir(again), ::closedir);
  if (!entries) return std::unexpected(errno_error(errno, "the history's directory", "read"));
  std::vector<SegmentFile> segments;
  while (const dirent* entry = ::readdir(entries.get())) {
    SegmentFile segment;
    struct stat st{};
    if (!parse_segment_name(entry->d_name, segment) ||
        ::fstatat(directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
      continue;
    segment.size = static_cast<std::uint64_t>(st.st_size);
    segments.push_back(segment);
  }
  std::ranges::sort(segments, {}, &SegmentFile::number);
  return segments;
}

Result<Fd> open_file(int directory, const std::string& name) {
  Fd fd(::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return std::unexpected(errno_error(errno, name, "open"));
  struct stat st{};
  if (::fstat(fd.get(), &st) != 0) return std::unexpected(errno_error(errno, name, "stat"));
  if (!S_ISREG(st.st_mode))
    return std::unexpected(make_error(ErrorKind::refused, name, "is no regular file"));
  return fd;
}

std::uint64_t size_of(const Fd& file) {
  struct stat st{};
  return ::fstat(file.get(), &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

Result<AppendFile> AppendFile::create(int directory, const std::string& name) {
  Fd fd(::openat(directory, name.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                 0640));
  if (!fd.valid()) return std::unexpected(errno_error(errno, name, "create"));
  return AppendFile(std::move(fd), name);
}

Result<void> AppendFile::append(std::string_view bytes) {
  ssize_t written = 0;
  do written = ::write(fd_.get(), bytes.data(), bytes.size());
  while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(bytes.size())) {
    size_ += bytes.size();
    return {};
  }
  const int err = written < 0 ? errno : ENOSPC;
  // What cannot be taken back is passed over by readers, and whoever appends begins another file.
  if (written > 0 && ::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) fd_.reset();
  return std::unexpected(errno_error(err, name_, "write"));
}

}  // namespace weir::history
