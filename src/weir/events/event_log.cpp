// SPDX-License-Identifier: MIT
#include "weir/events/event_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "weir/base/file.h"
#include "weir/base/text.h"

namespace weir::events {

EventLog::EventLog(std::string path, Fd directory, std::string name, LogOptions options)
    : path_(std::move(path)), directory_(std::move(directory)), name_(std::move(name)), options_(options) {}

Result<EventLog> EventLog::open(const std::string& path, LogOptions options) {
  const std::size_t slash = path.rfind('/');
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  if (name.empty() || name == "." || name == "..")
    return std::unexpected(make_error(ErrorKind::invalid, path, "is no file's name"));
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  auto directory = open_private_directory(folder, 0750);
  if (!directory)
    return std::unexpected(std::move(directory)
                               .error()
                               .context("events cannot be logged")
                               .with_hint("log into a folder of your own: --log FOLDER/events.jsonl"));
  EventLog log(path, std::move(*directory), name, options);
  WEIR_CHECK(log.open_file());
  return log;
}

Result<void> EventLog::open_file() {
  file_ = Fd(::openat(directory_.get(), name_.c_str(),
                      O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0640));
  if (!file_.valid()) return std::unexpected(errno_error(errno, path_, "open"));
  struct stat st{};
  if (::fstat(file_.get(), &st) != 0) return std::unexpected(errno_error(errno, path_, "stat"));
  if (!S_ISREG(st.st_mode))
    return std::unexpected(make_error(ErrorKind::refused, path_, "is no regular file"));
  size_ = static_cast<std::uint64_t>(st.st_size);
  char last = '\n';
  // A line that a killed writer left without its end becomes one of its own.
  if (size_ > 0 && ::pread(file_.get(), &last, 1, st.st_size - 1) == 1 && last != '\n' &&
      ::write(file_.get(), "\n", 1) == 1)
    ++size_;
  return {};
}

/// Whether the name still means the file that is open; else opens what it means now.
Result<void> EventLog::follow() {
  struct stat held{}, named{};
  const bool same = file_.valid() && ::fstat(file_.get(), &held) == 0 &&
                    ::fstatat(directory_.get(), name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                    held.st_dev == named.st_dev && held.st_ino == named.st_ino;
  if (!same) return open_file();
  size_ = static_cast<std::uint64_t>(held.st_size);  // it may have been truncated
  return {};
}

void EventLog::rotate() {
  const auto numbered = [&](int n) { return fmt::format("{}.{}", name_, n); };
  if (options_.kept <= 0) {
    ::unlinkat(directory_.get(), name_.c_str(), 0);
    return;
  }
  for (int n = options_.kept - 1; n >= 1; --n)
    ::renameat(directory_.get(), numbered(n).c_str(), directory_.get(), numbered(n + 1).c_str());
  ::renameat(directory_.get(), name_.c_str(), directory_.get(), numbered(1).c_str());
}

Result<void> EventLog::write_line(std::string_view line) {
  WEIR_CHECK(follow());
  if (size_ > 0 && size_ + line.size() + 1 > options_.most_bytes) {
    rotate();
    WEIR_CHECK(open_file());
  }
  const std::string whole = fmt::format("{}\n", line);
  ssize_t written = 0;
  do written = ::write(file_.get(), whole.data(), whole.size());
  while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(whole.size())) {
    size_ += whole.size();
    return {};
  }
  const int err = written < 0 ? errno : ENOSPC;
  if (written > 0 && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) file_.reset();  // ends it anew
  return std::unexpected(errno_error(err, path_, "write"));
}

Result<void> EventLog::append(std::string_view line) {
  if (lost_ > 0 && write_line(fmt::format(R"({{"schema":1,"event":"lost","lines":{}}})", lost_))) lost_ = 0;
  auto written = write_line(line);
  if (!written) ++lost_;
  return written;
}

Result<void> read_log(const std::string& path, const std::function<void(std::string_view line)>& take) {
  constexpr std::size_t kLargest = std::size_t{1} << 30;
  std::vector<std::string> files = {path};
  for (int n = 1; ::access(fmt::format("{}.{}", path, n).c_str(), F_OK) == 0; ++n)
    files.push_back(fmt::format("{}.{}", path, n));
  bool any = false;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    const auto text = read_file(*file, kLargest);
    if (!text && text.error().kind == ErrorKind::absent) continue;  // it was rotated just now
    if (!text) return std::unexpected(text.error());
    any = true;
    for (const std::string_view line : split(*text, '\n'))
      if (!line.empty()) take(line);
  }
  if (any) return {};
  return std::unexpected(
      make_error(ErrorKind::absent, path, "is no event log", "weir watch and weir control write one"));
}

}  // namespace weir::events
