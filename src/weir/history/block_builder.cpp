// SPDX-License-Identifier: MIT
#include <algorithm>

#include "weir/history/block_codec.h"
#include "weir/history/block_layout.h"
#include "weir/history/series.h"
#include "weir/history/wire.h"

namespace weir::history {
namespace {

using Column = std::vector<std::uint64_t>;
using Matrix = std::array<Column, kColumns>;

/// Its texts, roughly.
constexpr std::size_t kSubjectBytes = 1024;

/// Ticks since the frame began, rounded to the nearest. A read time out of range, as only a damaged frame has
/// it, wraps around.
std::int64_t ticks(std::int64_t read_at, std::int64_t frame_at) {
  const std::int64_t tick = kReadTick.count();
  const auto span =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(read_at) - static_cast<std::uint64_t>(frame_at));
  const std::int64_t rest = span % tick;
  return span / tick + (2 * rest >= tick ? 1 : 2 * rest <= -tick ? -1 : 0);
}

void put_names(std::string& out) {
  put_varint(out, kMetrics);
  for (const MetricInfo& metric : metrics()) put_text(out, metric.name);
  put_varint(out, kSources);
  for (std::size_t n = 0; n < kSources; ++n) put_text(out, file_of(static_cast<Source>(n)));
  for (const MetricInfo& metric : metrics()) {
    const auto* found = std::ranges::find(kRelations, metric.metric, &Relation::metric);
    const bool related = found != kRelations.end();
    put_varint(out, related ? index(found->minuend) + 1 : 0);
    put_varint(out, related && found->subtrahend ? index(*found->subtrahend) + 1 : 0);
  }
}

void put_stamps(std::string& out, std::span<const FrameStamp> frames) {
  put_varint(out, frames.size());
  const auto put = [&](auto value_of) {
    std::uint64_t before = 0, growth = 0;
    for (const FrameStamp& frame : frames) {
      const std::uint64_t value = value_of(frame), more = value - before;
      put_varint(out, zigzag(more - growth));
      before = value;
      growth = more;
    }
  };
  put([](const FrameStamp& frame) { return frame.number; });
  put([](const FrameStamp& frame) { return frame.generation; });
  put([](const FrameStamp& frame) { return static_cast<std::uint64_t>(frame.at.count()); });
  put([](const FrameStamp& frame) { return static_cast<std::uint64_t>(frame.time.count()); });
}

/// The rows of a stint, turned to columns.
void unroll(std::string_view rows, std::size_t count, Matrix& out) {
  Take in(rows);
  std::array<std::uint64_t, kColumns> value{};
  for (Column& column : out) column.clear();
  for (std::size_t row = 0; row < count; ++row)
    for (std::size_t n = 0; n < kColumns; ++n) {
      std::uint64_t small = 0;
      WEIR_ASSERT(in.varint(small));
      out[n].push_back(value[n] += unzigzag(small));
    }
}

/// What is left of `column` beside its relations; empty where it has none.
void leave(const Matrix& matrix, std::size_t column, Column& rest) {
  rest.clear();
  const auto* relation =
      std::ranges::find(kRelations, column, [](const Relation& each) { return index(each.metric); });
  if (relation == kRelations.end()) return;
  const Column& minuend = matrix[index(relation->minuend)];
  for (std::size_t n = 0; n < minuend.size(); ++n)
    rest.push_back(minuend[n] - (relation->subtrahend ? matrix[index(*relation->subtrahend)][n] : 0) -
                   matrix[column][n]);
}

/// One column of all stints.
struct Written {
  std::string codings, firsts;
  std::array<std::array<std::string, 8>, kGroups> planes;

  void add(const Column& values, const Column& rest, Coded& coded) {
    code(values, rest, coded);
    codings += static_cast<char>(pack(coded.coding));
    put_varint(firsts, coded.coding.way == Way::related ? rest.front() : values.front());
    if (coded.coding.way == Way::constant) return;
    auto& group = planes[coded.coding.group];
    for (std::size_t byte = 0; byte < group.size(); ++byte)
      for (const std::uint64_t small : coded.small) group[byte] += static_cast<char>(small >> (8 * byte));
  }
};

bool is_empty(const std::string& plane) { return plane.find_first_not_of('\0') == std::string::npos; }

}  // namespace

std::size_t BlockBuilder::stint_of(const Subject& subject) {
  const auto known = open_.find(subject.cgroup_id);
  if (known != open_.end()) {
    const Stint& stint = stints_[known->second];
    // Of two with the same id in one frame the second is none of the frame's.
    if (stint.first + stint.count + 1 >= frames_.size() && stint.subject == subject) return known->second;
  }
  stints_.push_back({.subject = subject, .first = frames_.size() - 1});
  bytes_ += sizeof(Stint) + kSubjectBytes;
  return open_[subject.cgroup_id] = stints_.size() - 1;
}

void BlockBuilder::add_row(std::size_t number, const Sample& sample, std::int64_t at) {
  Stint& stint = stints_[number];
  if (stint.first + stint.count >= frames_.size()) return;
  Row row{};
  std::ranges::copy(sample.values, row.begin());
  for (std::size_t n = 0; n < kMetrics; ++n)
    row[kMetrics + n / kKnownInWord] |= static_cast<std::uint64_t>(sample.known[n])
                                        << (2 * (n % kKnownInWord));
  std::uint64_t& files = row.back();
  for (std::size_t n = 0; n < kSources; ++n) {
    if (sample.read_at[n] == 0) continue;
    files |= std::uint64_t{1} << n;
    const std::int64_t read = ticks(sample.read_at[n], at);
    if (read == read_) {
      ++run_;
      continue;
    }
    put_varint(runs_, std::exchange(run_, 0));
    put_varint(jumps_, zigzag(static_cast<std::uint64_t>(read) -
                              static_cast<std::uint64_t>(std::exchange(read_, read))));
  }
  const std::size_t size = stint.rows.size();
  for (std::size_t n = 0; n < kColumns; ++n) put_varint(stint.rows, zigzag(row[n] - stint.before[n]));
  stint.before = row;
  ++stint.count;
  bytes_ += stint.rows.size() - size;
}

void BlockBuilder::add(const Frame& frame) {
  if (frames_.size() == kMostFrames) return;
  if (stints_.empty()) stints_.push_back({.host = true});
  const bool same = !frames_.empty() && frames_.back().generation == frame.generation &&
                    std::ranges::equal(
                        order_, frame.subjects, {},
                        [&](std::size_t n) { return stints_[n].subject.cgroup_id; }, &Subject::cgroup_id);
  frames_.push_back(
      {.number = frame.number, .generation = frame.generation, .at = frame.at, .time = frame.time});
  if (!same) {
    order_.clear();
    for (const Subject& subject : frame.subjects) order_.push_back(stint_of(subject));
  }
  read_ = 0;  // of each frame anew: a reader can begin anywhere
  add_row(0, frame.host, frame.at.count());
  // Those of a stint that is older come first: the read times are in the order of the stints.
  std::vector<std::size_t> sorted(order_.size());
  for (std::size_t n = 0; n < sorted.size(); ++n) sorted[n] = n;
  std::ranges::stable_sort(sorted, {}, [&](std::size_t n) { return order_[n]; });
  for (const std::size_t n : sorted) add_row(order_[n], frame.samples[n], frame.at.count());
}

std::vector<std::string> BlockBuilder::finish(SubjectTable& table) const {
  std::array<Written, kColumns> written;
  Matrix matrix;
  Column rest;
  Coded coded;
  for (const Stint& stint : stints_) {
    unroll(stint.rows, stint.count, matrix);
    for (std::size_t n = 0; n < kColumns; ++n) {
      leave(matrix, n, rest);
      written[n].add(matrix[n], rest, coded);
    }
  }
  std::string head, codings, firsts;
  put_varint(head, kBlockFormat);
  put_stamps(head, frames_);
  put_names(head);
  put_varint(head, stints_.size());
  for (const Stint& stint : stints_) {
    put_varint(head, stint.host ? 0 : table.number_of(stint.subject) + 1);
    put_varint(head, stint.first);
    put_varint(head, stint.count);
  }
  for (const Written& each : written) {
    codings += each.codings;
    firsts += each.firsts;
  }
  std::vector<std::string> planes;
  for (Written& each : written)
    for (auto& group : each.planes) {
      if (group.front().empty()) continue;
      unsigned present = 0;
      for (std::size_t byte = 0; byte < group.size(); ++byte) {
        if (is_empty(group[byte])) continue;
        present |= 1U << byte;
        planes.push_back(std::move(group[byte]));
      }
      codings += static_cast<char>(present);
    }
  put_varint(head, firsts.size());
  put_varint(head, runs_.size());
  put_varint(head, jumps_.size());
  std::vector<std::string> pieces{std::move(head), std::move(codings), std::move(firsts), runs_, jumps_};
  std::ranges::move(planes, std::back_inserter(pieces));
  return pieces;
}

}  // namespace weir::history
