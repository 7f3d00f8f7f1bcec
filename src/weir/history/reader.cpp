// SPDX-License-Identifier: MIT
#include "weir/history/reader.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace weir::history {
namespace {

using std::chrono::nanoseconds;

/// Beyond that the clock was set between two frames.
constexpr std::chrono::seconds kClockStep{2};

bool belong_together(const Frame& before, const Frame& now) {
  const nanoseconds span = now.at - before.at;
  return span.count() > 0 && std::chrono::abs(now.time - before.time - span) <= kClockStep;
}

}  // namespace

Result<Reader> Reader::open(const std::string& directory) {
  const auto absent = [&] {
    return std::unexpected(make_error(ErrorKind::absent, directory, "holds no history",
                                      "record one: weir watch --record (--record-dir says where)"));
  };
  Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid() && (errno == ENOENT || errno == ENOTDIR)) return absent();
  if (!fd.valid()) return std::unexpected(errno_error(errno, directory, "open"));
  Reader reader(std::move(fd));
  // The journal first: what is taken from it afterwards is in a segment by then.
  auto journal = open_file(reader.directory_.get(), kJournal);
  WEIR_TRY(const std::vector<SegmentFile> segments, list_segments(reader.directory_.get()));
  if (!journal && segments.empty()) return absent();
  for (const SegmentFile& segment : segments)
    reader.files_.push_back({.segment = segment, .fd = {}, .records = {}});
  if (!journal) return reader;
  const std::uint64_t size = size_of(*journal);
  Records records = scan_records(journal->get(), size);
  File file{.segment = {.number = UINT64_MAX, .time = nanoseconds::max(), .size = size},
            .fd = std::move(*journal),
            .records = std::move(records)};
  for (const RecordPlace& place : file.records->places)
    file.segment.time = std::min(file.segment.time, place.header.first_time);
  reader.files_.push_back(std::move(file));
  reader.leave_out_what_segments_have();
  return reader;
}

const std::vector<RecordPlace>& Reader::records_of(File& file) {
  if (file.records) return file.records->places;
  file.records.emplace();
  // Gone: the oldest make room while we read.
  if (auto fd = open_file(directory_.get(), file.segment.name())) {
    file.fd = std::move(*fd);
    file.records = scan_records(file.fd.get(), size_of(file.fd));
  }
  return file.records->places;
}

/// A recorder that was killed between the two steps leaves both.
void Reader::leave_out_what_segments_have() {
  std::uint64_t frames = 0, events = 0;
  bool any_frames = false, any_events = false;
  for (std::size_t n = files_.size() - 1; n-- > 0 && !(any_frames && any_events);)
    for (const RecordPlace& place : records_of(files_[n])) {
      const std::uint64_t end = place.header.first + place.header.count;
      if (place.header.kind == RecordKind::frames) {
        frames = std::max(frames, end);
        any_frames = true;
      } else if (place.header.kind == RecordKind::events) {
        events = std::max(events, end);
        any_events = true;
      }
    }
  std::erase_if(files_.back().records->places, [&](const RecordPlace& place) {
    return (place.header.kind == RecordKind::frames && place.header.first < frames) ||
           (place.header.kind == RecordKind::events && place.header.first < events);
  });
}

Result<std::string> Reader::read(const Place& place) {
  auto bytes = read_record(files_[place.file].fd.get(), *place.record);
  if (!bytes) ++damaged_;
  return bytes;
}

Result<std::vector<Frame>> Reader::frames_of(const Place& place, std::size_t first, std::size_t count) {
  SubjectTable table;
  for (const RecordPlace& record : records_of(files_[place.file])) {
    if (record.offset >= place.record->offset) break;
    if (record.header.kind != RecordKind::subjects) continue;
    WEIR_TRY(const std::string bytes, read({place.file, &record}));
    WEIR_TRY(std::vector<Subject> subjects, decode_subjects(bytes));
    table.append(std::move(subjects));
  }
  WEIR_TRY(const std::string bytes, read(place));
  return decode_frames(bytes, table, first, count);
}

/// The block that has the last frame at or before `time`.
std::optional<Reader::Place> Reader::find_block(nanoseconds time) {
  std::vector<std::size_t> order;
  for (std::size_t n = 0; n < files_.size(); ++n)
    if (files_[n].segment.time <= time) order.push_back(n);
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t n) { return files_[n].segment.time; });
  std::optional<Place> best;
  nanoseconds best_time{0};
  for (const std::size_t n : order) {
    for (const RecordPlace& place : records_of(files_[n])) {
      if (place.header.kind != RecordKind::frames || place.header.first_time > time) continue;
      const nanoseconds last = std::min(place.header.last_time, time);
      if (best && last <= best_time) continue;
      best = Place{.file = n, .record = &place};
      best_time = last;
    }
    if (best && best_time == time) break;  // it goes on to that time and beyond
  }
  return best;
}

std::optional<Reader::Place> Reader::block_before(const Place& place) {
  for (std::size_t n = place.file + 1; n-- > 0 && n + 2 > place.file;)
    for (const RecordPlace& record : records_of(files_[n]))
      if (record.header.kind == RecordKind::frames &&
          record.header.first + record.header.count == place.record->header.first)
        return Place{.file = n, .record = &record};
  return std::nullopt;
}

std::optional<nanoseconds> Reader::first_after(nanoseconds time) {
  std::optional<nanoseconds> first;
  for (File& file : files_) {
    // One that begins later than what is found already has nothing earlier.
    if (first && file.segment.time >= *first) continue;
    for (const RecordPlace& place : records_of(file))
      if (place.header.kind == RecordKind::frames && place.header.first_time > time)
        first = std::min(first.value_or(nanoseconds::max()), place.header.first_time);
  }
  return first;
}

Result<Found> Reader::frames_at(nanoseconds time) {
  Found found;
  for (;;) {
    const std::optional<Place> place = find_block(time);
    if (!place) break;
    std::size_t at = 0;
    const auto bytes = read(*place);
    const auto stamps = bytes ? decode_stamps(*bytes) : std::unexpected(bytes.error());
    if (stamps)
      at = static_cast<std::size_t>(std::ranges::upper_bound(*stamps, time, {}, &FrameStamp::time) -
                                    stamps->begin());
    auto frames = at > 0 ? frames_of(*place, at < 2 ? 0 : at - 2, at < 2 ? 1 : 2)
                         : Result<std::vector<Frame>>(std::vector<Frame>());
    if (!frames || frames->empty()) {  // damaged: as if it were not there
      std::erase_if(files_[place->file].records->places,
                    [&](const RecordPlace& each) { return &each == place->record; });
      continue;
    }
    if (at < stamps->size()) found.next = (*stamps)[at].time;
    found.moment.emplace(Moment{.now = std::move(frames->back()), .before = {}});
    if (frames->size() == 2) {
      found.moment->before = std::move(frames->front());
    } else if (const auto earlier = block_before(*place)) {
      auto last = frames_of(*earlier, earlier->record->header.count - 1, 1);
      if (last && !last->empty()) found.moment->before = std::move(last->front());
    }
    if (found.moment->before && !belong_together(*found.moment->before, found.moment->now))
      found.moment->before.reset();
    break;
  }
  if (!found.next) found.next = first_after(time);
  return found;
}

Result<std::vector<EventLine>> Reader::events_between(nanoseconds since, nanoseconds until) {
  std::vector<EventLine> events;
  for (std::size_t n = 0; n < files_.size(); ++n) {
    if (files_[n].segment.time >= until) continue;
    for (const RecordPlace& place : records_of(files_[n])) {
      if (place.header.kind != RecordKind::events || place.header.last_time < since ||
          place.header.first_time >= until)
        continue;
      const auto bytes = read({.file = n, .record = &place});
      auto lines = bytes ? decode_lines(*bytes) : std::unexpected(bytes.error());
      if (!lines) continue;  // it is counted
      for (EventLine& line : *lines)
        if (line.time >= since && line.time < until) events.push_back(std::move(line));
    }
  }
  std::ranges::stable_sort(events, {}, &EventLine::time);
  return events;
}

}  // namespace weir::history
