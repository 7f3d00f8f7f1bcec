// SPDX-License-Identifier: MIT
#include "weir/sample/board.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "weir/sample/frame_codec.h"

namespace weir::sample {
namespace {

using Word = std::uint64_t;

constexpr Word kMagic = 0x314452414f425257;  // "WRBOARD1"
/// A reader has the time of three frames to copy one.
constexpr std::size_t kSlots = 4;
constexpr std::size_t kFirstSlot = std::size_t{256} << 10;
constexpr std::size_t kLargestSlot = std::size_t{1} << 30;

/// The file: a header of eight words, then kSlots times a slot of its header and slot_words words.
enum HeaderWord : std::size_t { magic, slot_words, published, closed };
constexpr std::size_t kHeaderWords = 8;
enum SlotWord : std::size_t { sequence, size };
constexpr std::size_t kSlotHeaderWords = 2;

std::size_t words_of(std::size_t bytes) { return (bytes + sizeof(Word) - 1) / sizeof(Word); }

}  // namespace

/// Words that are only touched as atomics: what is copied while it changes is thrown away, but no data race.
class BoardMap {
 public:
  static Result<std::unique_ptr<BoardMap>> map(const Fd& file, std::size_t bytes, int protection) {
    void* at = ::mmap(nullptr, bytes, protection, MAP_SHARED, file.get(), 0);
    if (at == MAP_FAILED) return std::unexpected(errno_error(errno, kBoardFile, "map"));
    return std::unique_ptr<BoardMap>(new BoardMap(static_cast<Word*>(at), bytes));
  }
  BoardMap(const BoardMap&) = delete;
  BoardMap& operator=(const BoardMap&) = delete;
  ~BoardMap() { ::munmap(words_, bytes_); }

  [[nodiscard]] std::atomic_ref<Word> header(HeaderWord word) const { return std::atomic_ref(words_[word]); }
  [[nodiscard]] std::atomic_ref<Word> slot(std::size_t slot, std::size_t word) const {
    return std::atomic_ref(words_[kHeaderWords + slot * (kSlotHeaderWords + room_) + word]);
  }
  [[nodiscard]] std::atomic_ref<Word> data(std::size_t slot, std::size_t word) const {
    return this->slot(slot, kSlotHeaderWords + word);
  }
  [[nodiscard]] std::size_t room() const { return room_; }
  void set_room(std::size_t words) { room_ = words; }
  [[nodiscard]] bool fits() const {
    return bytes_ / sizeof(Word) >= kHeaderWords + kSlots * (kSlotHeaderWords + room_);
  }

 private:
  BoardMap(Word* words, std::size_t bytes) : words_(words), bytes_(bytes) {}
  Word* words_;
  std::size_t bytes_;
  std::size_t room_ = 0;  ///< words for a frame in each slot
};

namespace {

/// A new file with slots of that many words, in place of the one before.
Result<std::unique_ptr<BoardMap>> make_file(int directory, std::size_t room) {
  const std::string fresh = fmt::format("{}.{}.tmp", kBoardFile, ::getpid());
  ::unlinkat(directory, fresh.c_str(), 0);
  const Fd file(::openat(directory, fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file.valid()) return std::unexpected(errno_error(errno, fresh, "create"));
  const std::size_t bytes = (kHeaderWords + kSlots * (kSlotHeaderWords + room)) * sizeof(Word);
  const auto fail = [&](Error error) {
    ::unlinkat(directory, fresh.c_str(), 0);
    return std::unexpected(std::move(error));
  };
  // Room that is there: a full tmpfs is an error here and not a SIGBUS later.
  if (const int err = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes)); err != 0)
    return fail(errno_error(err, fresh, "make room for frames"));
  auto map = BoardMap::map(file, bytes, PROT_READ | PROT_WRITE);
  if (!map) return fail(std::move(map).error());
  (*map)->set_room(room);
  (*map)->header(slot_words).store(room);
  (*map)->header(magic).store(kMagic);
  if (::renameat(directory, fresh.c_str(), directory, std::string(kBoardFile).c_str()) != 0)
    return fail(errno_error(errno, fresh, "rename"));
  return map;
}

}  // namespace

Board::Board(int directory, std::unique_ptr<BoardMap> map) : directory_(directory), map_(std::move(map)) {}
Board::Board(Board&&) noexcept = default;
Board& Board::operator=(Board&& other) noexcept {
  std::swap(map_, other.map_);
  std::swap(directory_, other.directory_);
  std::swap(bytes_, other.bytes_);
  std::swap(published_, other.published_);
  return *this;
}

Board::~Board() {
  if (map_ == nullptr) return;
  map_->header(closed).store(1);
  ::unlinkat(directory_, std::string(kBoardFile).c_str(), 0);
}

Result<Board> Board::create(const Fd& run_dir) {
  WEIR_TRY(std::unique_ptr<BoardMap> map, make_file(run_dir.get(), kFirstSlot / sizeof(Word)));
  return Board(run_dir.get(), std::move(map));
}

Result<void> Board::publish(const Frame& frame) {
  bytes_.clear();
  encode_frame(frame, bytes_);
  const std::size_t length = bytes_.size(), words = words_of(length);
  if (words > map_->room()) {
    if (2 * length > kLargestSlot)
      return std::unexpected(make_error(ErrorKind::failed, kBoardFile, "cannot hold so large a frame"));
    WEIR_TRY(std::unique_ptr<BoardMap> larger, make_file(directory_, 2 * words));
    map_->header(closed).store(1);
    map_ = std::move(larger);
    published_ = 0;
  }
  bytes_.resize(words * sizeof(Word));
  const std::size_t slot = ++published_ % kSlots;
  const std::atomic_ref<Word> turn = map_->slot(slot, sequence);
  turn.store(turn.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // odd
  // Each word carries the odd number with it (release): who reads a new word (acquire) sees that number too.
  map_->slot(slot, size).store(length, std::memory_order_release);
  for (std::size_t n = 0; n < words; ++n) {
    Word word = 0;
    std::memcpy(&word, bytes_.data() + n * sizeof word, sizeof word);
    map_->data(slot, n).store(word, std::memory_order_release);
  }
  turn.store(turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);  // even
  map_->header(published).store(published_, std::memory_order_release);
  return {};
}

BoardReader::BoardReader(std::unique_ptr<BoardMap> map) : map_(std::move(map)) {}
BoardReader::BoardReader(BoardReader&&) noexcept = default;
BoardReader& BoardReader::operator=(BoardReader&&) noexcept = default;
BoardReader::~BoardReader() = default;

Result<BoardReader> BoardReader::open(const std::string& run_dir) {
  const std::string path = fmt::format("{}/{}", run_dir, kBoardFile);
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) return std::unexpected(errno_error(errno, path, "open"));
  struct stat st{};
  if (::fstat(file.get(), &st) != 0) return std::unexpected(errno_error(errno, path, "stat"));
  const bool trusted = (st.st_uid == 0 || st.st_uid == ::geteuid()) && (st.st_mode & 022U) == 0;
  if (!S_ISREG(st.st_mode) || !trusted)
    return std::unexpected(
        make_error(ErrorKind::refused, path, "can be written by others, so it is not believed"));
  const auto bytes = static_cast<std::size_t>(st.st_size);
  if (bytes < kHeaderWords * sizeof(Word))
    return std::unexpected(make_error(ErrorKind::failed, path, "is no board of frames"));
  WEIR_TRY(std::unique_ptr<BoardMap> map, BoardMap::map(file, bytes, PROT_READ));
  const Word room = map->header(slot_words).load();
  map->set_room(room);
  if (map->header(magic).load() != kMagic || room > kLargestSlot || !map->fits())
    return std::unexpected(
        make_error(ErrorKind::failed, path, "is no board of frames of this version of weir"));
  return BoardReader(std::move(map));
}

Result<std::optional<Frame>> BoardReader::read() {
  for (int tries = 0; tries < 100; ++tries) {
    const Word newest = map_->header(published).load(std::memory_order_acquire);
    if (newest == seen_) {
      if (map_->header(closed).load() == 0) return std::nullopt;
      return std::unexpected(make_error(ErrorKind::gone, kBoardFile, "who sampled has ended"));
    }
    const std::size_t slot = newest % kSlots;
    const std::atomic_ref<Word> turn = map_->slot(slot, sequence);
    const Word before = turn.load(std::memory_order_acquire);
    const Word length = map_->slot(slot, size).load(std::memory_order_acquire);
    if (before % 2 != 0 || words_of(length) > map_->room()) continue;
    std::string bytes(words_of(length) * sizeof(Word), '\0');
    for (std::size_t n = 0; n < words_of(length); ++n) {
      const Word word = map_->data(slot, n).load(std::memory_order_acquire);
      std::memcpy(bytes.data() + n * sizeof word, &word, sizeof word);
    }
    if (turn.load(std::memory_order_relaxed) != before) continue;
    seen_ = newest;
    WEIR_TRY(Frame frame, decode_frame(std::string_view(bytes).substr(0, length)));
    return std::optional(std::move(frame));
  }
  return std::unexpected(make_error(ErrorKind::failed, kBoardFile, "is written faster than it can be read"));
}

}  // namespace weir::sample
