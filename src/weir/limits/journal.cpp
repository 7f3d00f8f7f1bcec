// SPDX-License-Identifier: MIT
#include "weir/limits/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <ranges>
#include <thread>
#include <utility>

#include "weir/base/file.h"
#include "weir/base/text.h"
#include "weir/limits/record.h"

namespace weir::limits {
namespace {

constexpr std::string_view kOldJournalFile = "limits.journal.old";
constexpr std::size_t kLongestJournal = std::size_t{64} << 20;

/// Ours, or root's; nobody else could have written it.
bool trusted(const struct stat& st) {
  return (st.st_uid == 0 || st.st_uid == ::geteuid()) && (st.st_mode & 022U) == 0;
}

Error untrusted(std::string_view path) {
  return make_error(ErrorKind::refused, path, "can be written by others, so it is not believed",
                    "remove it, or make it yours (chown root, chmod go-w)");
}

Result<void> lock_directory(int directory, std::string_view path, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPause{20};
  for (auto waited = std::chrono::milliseconds(0);; waited += kPause) {
    if (::flock(directory, LOCK_EX | LOCK_NB) == 0) return {};
    if (errno != EWOULDBLOCK && errno != EINTR) return std::unexpected(errno_error(errno, path, "lock"));
    if (waited >= patience)
      return std::unexpected(
          make_error(ErrorKind::failed, path, "another weir is changing limits and has not finished",
                     "a write to memory.max can take long; try again, or look for it: pgrep -a weir"));
    std::this_thread::sleep_for(kPause);
  }
}

/// What the last whole record of this boot says about the greatest epoch.
std::optional<std::uint64_t> last_head(std::string_view text, std::string_view boot_id) {
  while (!text.empty()) {
    const std::size_t newline = text.rfind('\n');
    const auto record = decode(text.substr(newline == std::string_view::npos ? 0 : newline + 1));
    if (record && record->boot == boot_id) return record->head;
    text = text.substr(0, newline == std::string_view::npos ? 0 : newline);
  }
  return std::nullopt;
}

/// How much of a journal's end is looked through for the last record of a place.
constexpr std::uint64_t kLastBlock = std::uint64_t{256} << 10;

std::optional<Change> find_last(std::string_view text, std::string_view boot_id, const Place& where) {
  // Most lines are of other places: looked through as text, they need not be taken apart.
  const std::string mark = fmt::format("\t{}\t{}\t", where.cgroup.count(), cgroup::info(where.knob).file);
  const std::vector<std::string_view> lines = split(text, '\n');
  for (const std::string_view line : std::views::reverse(lines)) {
    if (line.find(mark) == std::string_view::npos) continue;
    auto record = decode(line);
    if (record && record->boot == boot_id && place(record->change) == where) return std::move(record->change);
  }
  return std::nullopt;
}

}  // namespace

History parse_journal(std::string_view text, std::string_view boot_id) {
  History history;
  std::vector<Change> records;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    auto record = decode(line);
    if (!record)
      ++history.damaged;
    else if (record->boot != boot_id)
      ++history.other_boot;
    else
      records.push_back(std::move(record->change));
  }
  history.changes = latest(std::move(records));
  return history;
}

Journal::Journal(Fd directory, std::string run_dir, std::string boot_id, JournalOptions options)
    : directory_(std::move(directory)),
      run_dir_(std::move(run_dir)),
      path_(fmt::format("{}/{}", run_dir_, kJournalFile)),
      boot_id_(std::move(boot_id)),
      options_(std::move(options)) {}

Result<Journal> Journal::open(const std::string& run_dir, std::string boot_id, JournalOptions options) {
  auto directory = open_private_directory(run_dir, 0755);
  if (!directory)
    return std::unexpected(std::move(directory).error().context("the journal of limits cannot be kept"));
  Journal journal(std::move(*directory), run_dir, std::move(boot_id), std::move(options));
  WEIR_CHECK(journal.lock());
  return journal;
}

void Journal::unlock() { ::flock(directory_.get(), LOCK_UN); }

Result<void> Journal::lock() {
  WEIR_CHECK(lock_directory(directory_.get(), run_dir_, options_.lock_wait));
  auto opened = open_again();
  if (!opened) unlock();
  return opened;
}

Result<void> Journal::open_again() {
  struct stat now{}, held{};
  const bool same = file_.valid() && !torn_ &&
                    ::fstatat(directory_.get(), kJournalFile.data(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
                    ::fstat(file_.get(), &held) == 0 && now.st_dev == held.st_dev &&
                    now.st_ino == held.st_ino && static_cast<std::uint64_t>(now.st_size) == size_;
  if (same) return {};  // nobody else wrote meanwhile
  WEIR_CHECK(open_file());
  return find_head();
}

Result<void> Journal::open_file() {
  file_ = Fd(::openat(directory_.get(), kJournalFile.data(),
                      O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640));
  if (!file_.valid()) return std::unexpected(errno_error(errno, path_, "open"));
  struct stat st{};
  if (::fstat(file_.get(), &st) != 0) return std::unexpected(errno_error(errno, path_, "stat"));
  if (!S_ISREG(st.st_mode) || !trusted(st)) return std::unexpected(untrusted(path_));
  size_ = static_cast<std::uint64_t>(st.st_size);
  char last = '\n';
  if (size_ > 0 && ::pread(file_.get(), &last, 1, st.st_size - 1) != 1)
    return std::unexpected(errno_error(errno, path_, "read"));
  torn_ = last != '\n';
  return {};
}

Result<std::string> Journal::read_from(std::uint64_t offset) const {
  if (::lseek(file_.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
    return std::unexpected(errno_error(errno, path_, "seek"));
  return read_all(file_.get(), path_, kLongestJournal);
}

Result<History> Journal::read() const {
  WEIR_TRY(const std::string text, read_from(0));
  return parse_journal(text, boot_id_);
}

Result<void> Journal::find_head() {
  // The last record tells, so mostly the last block is enough. Its first line may be cut, which is no damage.
  constexpr std::uint64_t kBlock = 8192;
  if (size_ == 0) return {};
  WEIR_TRY(std::string text, read_from(size_ > kBlock ? size_ - kBlock : 0));
  auto head = last_head(text, boot_id_);
  if (!head && size_ > kBlock) {
    WEIR_TRY(text, read_from(0));
    head = last_head(text, boot_id_);
  }
  if (!head && parse_journal(text, boot_id_).other_boot > 0) {
    if (::renameat(directory_.get(), kJournalFile.data(), directory_.get(), kOldJournalFile.data()) != 0)
      return std::unexpected(errno_error(errno, path_, "put the journal of another boot aside"));
    return open_file();
  }
  head_ = head.value_or(0);
  return {};
}

Result<void> Journal::append(std::span<const Change* const> changes) {
  std::string lines;
  for (const Change* change : changes) {
    head_ = std::max(head_, change->id.epoch);
    const std::size_t before = lines.size();
    encode(boot_id_, head_, *change, lines);
    if (lines.size() - before > kLongestRecord)
      return std::unexpected(make_error(ErrorKind::invalid, change->target, "is too long for the journal"));
  }
  if (size_ + lines.size() > options_.cap) WEIR_CHECK(shrink());
  if (torn_) lines.insert(lines.begin(), '\n');  // ends the line that a killed writer left
  if (auto written = write_all(file_.get(), lines, path_); !written) {
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) torn_ = true;
    return std::unexpected(std::move(written).error());
  }
  size_ += lines.size();
  torn_ = false;
  return {};
}

Result<std::optional<Change>> Journal::last(const Place& where) const {
  if (size_ == 0) return std::nullopt;
  WEIR_TRY(const std::string text, read_from(size_ > kLastBlock ? size_ - kLastBlock : 0));
  return find_last(text, boot_id_, where);
}

Result<void> Journal::shrink() {
  WEIR_TRY(History history, read());
  if (options_.alive)
    std::erase_if(history.changes,
                  [&](const Change& change) { return in_force(change) && !options_.alive(change); });
  std::string text;
  // Two steps of a place still tell what was there first, and what someone else has set since.
  for (const Keep keep : {Keep{}, Keep{.steps = 2, .ended = 100}, Keep{.steps = 1, .ended = 100}}) {
    text.clear();
    for (const Change& change : compact(history.changes, keep))
      text += encode({.boot = boot_id_, .head = head_, .change = change});
    if (text.size() < options_.cap / 2) break;
  }
  if (text.size() + kLongestRecord / 16 > options_.cap)
    return std::unexpected(make_error(ErrorKind::failed, path_,
                                      "the journal is full of changes that are still in force",
                                      "take some back: weir undo --all"));

  constexpr const char* kNew = "limits.journal.new";  // nobody else writes it: we hold the lock
  ::unlinkat(directory_.get(), kNew, 0);
  const Fd fresh(
      ::openat(directory_.get(), kNew, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fresh.valid()) return std::unexpected(errno_error(errno, path_, "make the journal shorter"));
  auto written = write_all(fresh.get(), text, path_);
  if (written && ::renameat(directory_.get(), kNew, directory_.get(), kJournalFile.data()) != 0)
    written = std::unexpected(errno_error(errno, path_, "make the journal shorter"));
  if (!written) {
    ::unlinkat(directory_.get(), kNew, 0);
    return written;
  }
  return open_file();
}

namespace {

/// The journal's text without locking it, or only its end; empty where there is none.
Result<std::string> read_text(const std::string& run_dir, std::optional<std::uint64_t> at_most) {
  const std::string path = fmt::format("{}/{}", run_dir, kJournalFile);
  const Fd directory(::open(run_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory.valid() && errno == ENOENT) return std::string();
  if (!directory.valid()) return std::unexpected(errno_error(errno, run_dir, "open"));
  struct stat st{};
  if (::fstat(directory.get(), &st) != 0) return std::unexpected(errno_error(errno, run_dir, "stat"));
  if (!trusted(st)) return std::unexpected(untrusted(run_dir));

  const Fd file(
      ::openat(directory.get(), kJournalFile.data(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid() && errno == ENOENT) return std::string();
  if (!file.valid())
    return std::unexpected(
        errno_error(errno, path, "the journal of limits cannot be read").with_hint("run it as root"));
  if (::fstat(file.get(), &st) != 0) return std::unexpected(errno_error(errno, path, "stat"));
  if (!S_ISREG(st.st_mode) || !trusted(st)) return std::unexpected(untrusted(path));
  const auto size = static_cast<std::uint64_t>(st.st_size);
  if (at_most && size > *at_most) ::lseek(file.get(), static_cast<off_t>(size - *at_most), SEEK_SET);
  WEIR_TRY(std::string text, read_all(file.get(), path, kLongestJournal));
  // A last line without its end may be in the making just now: it is damage only if no writer is at work.
  if (!text.empty() && text.back() != '\n' && ::flock(directory.get(), LOCK_SH | LOCK_NB) != 0)
    text.resize(text.rfind('\n') + 1);
  return text;
}

}  // namespace

Result<History> read_history(const std::string& run_dir, const std::string& boot_id) {
  WEIR_TRY(const std::string text, read_text(run_dir, std::nullopt));
  return parse_journal(text, boot_id);
}

Result<std::optional<Change>> read_last(const std::string& run_dir, const std::string& boot_id,
                                        const Place& where) {
  WEIR_TRY(const std::string text, read_text(run_dir, kLastBlock));
  return find_last(text, boot_id, where);
}

}  // namespace weir::limits
