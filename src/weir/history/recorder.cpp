// SPDX-License-Identifier: MIT
#include "weir/history/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace weir::history {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kBlockFrames = 300;
constexpr std::size_t kBlockBytes = std::size_t{8} << 20;  ///< of rows in memory
constexpr std::size_t kEventBytes = std::size_t{512} << 10;
/// Rows pack to a fifth and better; so a block stays well under a segment of the smallest ring.
constexpr std::uint64_t kBlocksInRing = 8;
constexpr std::chrono::seconds kUnsafe{10};
constexpr nanoseconds kEarly = std::chrono::milliseconds(20);  ///< of a timer
/// More than that between two frames, or between the clocks: they do not belong together.
constexpr std::chrono::seconds kGap{5}, kClockStep{2};

std::span<const std::string> one(const std::string& piece) { return {&piece, 1}; }

}  // namespace

Result<Recorder> Recorder::open(const std::string& directory, RecorderOptions options) {
  WEIR_TRY(Ring ring, Ring::open(directory, options.most_bytes));
  Recorder recorder(std::move(ring), options);
  recorder.find_numbers();
  WEIR_CHECK(recorder.bring_home());
  return recorder;
}

/// The first numbers that no segment has.
void Recorder::find_numbers() {
  bool frames = false, events = false;
  const auto& segments = ring_.segments();
  for (auto segment = segments.rbegin(); segment != segments.rend() && !(frames && events); ++segment) {
    const auto file = open_file(ring_.directory(), segment->name());
    if (!file) continue;
    for (const RecordPlace& place : scan_records(file->get(), segment->size).places) {
      const std::uint64_t end = place.header.first + place.header.count;
      if (place.header.kind == RecordKind::frames) {
        next_frame_ = std::max(next_frame_, end);
        frames = true;
      } else if (place.header.kind == RecordKind::events) {
        next_event_ = std::max(next_event_, end);
        events = true;
      }
    }
  }
}

/// What a recorder that was killed had in its journal becomes a segment.
Result<void> Recorder::bring_home() {
  const auto file = open_file(ring_.directory(), kJournal);
  if (!file) return {};  // none: the last one came to its end
  SubjectTable table;
  for (const RecordPlace& place : scan_records(file->get(), size_of(*file)).places) {
    const auto bytes = read_record(file->get(), place);
    if (!bytes) break;  // cut off; what is behind it as well
    if (place.header.kind == RecordKind::subjects) {
      auto subjects = decode_subjects(*bytes);
      if (!subjects) break;
      table.append(std::move(*subjects));
    } else if (place.header.kind == RecordKind::events &&
               place.header.first >= next_event_ + events_.size()) {
      auto lines = decode_lines(*bytes);
      if (!lines) break;
      std::ranges::move(*lines, std::back_inserter(events_));
    } else if (place.header.kind == RecordKind::frames &&
               place.header.first >= next_frame_ + block_.frames()) {
      const auto frames = decode_frames(*bytes, table);
      if (!frames) break;
      for (const Frame& frame : *frames) block_.add(frame);
    }
  }
  if (block_.frames() > 0 || !events_.empty()) WEIR_CHECK(write_block());
  ring_.end_segment();
  return ring_.restart_journal();
}

std::size_t Recorder::most_block_bytes() const {
  return std::min<std::size_t>(kBlockBytes, ring_.most_bytes() / kBlocksInRing);
}

bool Recorder::is_full() const {
  return block_.frames() >= kBlockFrames || block_.bytes() >= most_block_bytes() ||
         event_bytes_ >= kEventBytes;
}

Result<std::string> Recorder::records(const BlockBuilder& block, std::span<const EventLine> events,
                                      SubjectTable& table, std::uint64_t first_frame,
                                      std::uint64_t first_event) const {
  const std::size_t known = table.subjects().size();
  std::string all, frames;
  if (block.frames() > 0) {
    WEIR_TRY(frames, make_record({.kind = RecordKind::frames,
                                  .first = first_frame,
                                  .count = static_cast<std::uint32_t>(block.frames()),
                                  .first_time = block.first_time(),
                                  .last_time = block.last_time()},
                                 block.finish(table), Press::numbers));
  }
  if (table.subjects().size() > known) {
    const std::span<const Subject> fresh = std::span(table.subjects()).subspan(known);
    WEIR_TRY(all, make_record({.kind = RecordKind::subjects,
                               .first = known,
                               .count = static_cast<std::uint32_t>(fresh.size()),
                               .first_time = block.first_time(),
                               .last_time = block.last_time()},
                              one(encode_subjects(fresh)), Press::text));
  }
  if (!events.empty()) {
    const auto [first, last] = std::ranges::minmax(events, {}, &EventLine::time);
    WEIR_TRY(const std::string lines, make_record({.kind = RecordKind::events,
                                                   .first = first_event,
                                                   .count = static_cast<std::uint32_t>(events.size()),
                                                   .first_time = first.time,
                                                   .last_time = last.time},
                                                  one(encode_lines(events)), Press::text));
    all += lines;
  }
  return all + frames;
}

Result<void> Recorder::journal_frames() {
  if (unsafe_.frames() == 0) return {};
  const std::size_t known = journal_table_.subjects().size();
  const auto bytes =
      records(unsafe_, {}, journal_table_, next_frame_ + block_.frames() - unsafe_.frames(), next_event_);
  Result<void> written = bytes ? ring_.append_to_journal(*bytes) : std::unexpected(bytes.error());
  if (!written) {
    journal_table_.cut(known);
    return written;
  }
  unsafe_.clear();
  safe_at_ = last_at_;
  return {};
}

Result<void> Recorder::write_block() {
  if (block_.frames() == 0 && events_.empty()) return {};
  if (ring_.is_at_segment_end()) {
    ring_.end_segment();
    table_ = {};
  }
  std::vector<EventLine> lines = events_;
  if (lost() > 0) {
    const nanoseconds now = block_.frames() > 0 ? block_.last_time() : events_.back().time;
    lines.push_back(
        {.time = now,
         .line = fmt::format(R"({{"schema":1,"time_ns":{},"event":"lost","frames":{},"lines":{}}})",
                             now.count(), lost_frames_, lost_events_)});
  }
  nanoseconds first =
      lines.empty() ? block_.first_time() : std::ranges::min(lines, {}, &EventLine::time).time;
  if (block_.frames() > 0) first = std::min(first, block_.first_time());
  const std::size_t known = table_.subjects().size();
  const auto bytes = records(block_, lines, table_, next_frame_, next_event_);
  Result<void> written = bytes ? ring_.append(*bytes, first) : std::unexpected(bytes.error());
  if (!written) {
    table_.cut(known);
    return written;
  }
  next_frame_ += block_.frames();
  next_event_ += lines.size();
  lost_frames_ = lost_events_ = 0;
  forget();
  return ring_.restart_journal();
}

void Recorder::forget() {
  block_.clear();
  unsafe_.clear();
  events_.clear();
  event_bytes_ = 0;
  journal_table_ = {};
  safe_at_ = last_at_;
}

void Recorder::lose() {
  lost_frames_ += block_.frames();
  lost_events_ += events_.size();
  next_frame_ += block_.frames();  // so that no one takes what follows for what comes next
  next_event_ += events_.size();
  forget();
  (void)ring_.restart_journal();
}

/// A block that is full is written; where that fails again and again, it is given up at twice its size.
Result<void> Recorder::write_if_full() {
  if (!is_full()) return {};
  if (failed_at_.count() != 0 && last_at_ - failed_at_ < kUnsafe) return {};
  auto written = write_block();
  failed_at_ = written ? nanoseconds(0) : last_at_;
  if (!written && (block_.frames() >= 2 * kBlockFrames || block_.bytes() >= 2 * most_block_bytes() ||
                   event_bytes_ >= 2 * kEventBytes))
    lose();
  return written;
}

Result<void> Recorder::add(const Frame& frame) {
  const nanoseconds step = frame.at - last_at_, drift = frame.time - last_time_ - step;
  const bool begins = last_at_.count() == 0;
  // Another boot, a clock that was set, or a sleep of the host: times in a segment only rise.
  const bool jumped =
      !begins && (step.count() <= 0 || frame.time <= last_time_ || std::chrono::abs(drift) > kClockStep);
  if (!begins && !jumped && frame.at + kEarly < due_) return {};
  due_ = begins || jumped || due_ + options_.interval < frame.at ? frame.at + options_.interval
                                                                 : due_ + options_.interval;
  if (jumped || (!begins && step > kGap + options_.interval)) {
    if (!write_block()) lose();
    if (jumped) ring_.end_segment();
  }
  if (block_.frames() == 0) safe_at_ = frame.at;
  last_at_ = frame.at;
  last_time_ = frame.time;
  block_.add(frame);
  unsafe_.add(frame);
  if (is_full()) return write_if_full();
  if (frame.at - safe_at_ + kEarly < kUnsafe) return {};
  return journal_frames();
}

Result<void> Recorder::add_event(nanoseconds time, std::string_view line) {
  events_.push_back({.time = time, .line = std::string(line)});
  event_bytes_ += line.size() + sizeof(EventLine);
  if (is_full()) return write_if_full();
  const auto record = make_record({.kind = RecordKind::events,
                                   .first = next_event_ + events_.size() - 1,
                                   .count = 1,
                                   .first_time = time,
                                   .last_time = time},
                                  one(encode_lines(std::span(events_).last(1))), Press::text);
  if (!record) return std::unexpected(record.error());
  return ring_.append_to_journal(*record);
}

Result<void> Recorder::flush() { return write_block(); }

}  // namespace weir::history
