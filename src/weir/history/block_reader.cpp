// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>

#include "weir/history/block_codec.h"
#include "weir/history/block_layout.h"
#include "weir/history/series.h"
#include "weir/history/wire.h"

namespace weir::history {
namespace {

constexpr std::uint64_t kMostNames = 128, kLongestName = 256;
constexpr std::uint64_t kMostRows = 1U << 20U;    ///< in a block
constexpr std::uint64_t kMostValues = 1U << 25U;  ///< that are wanted at once: 256 MiB

Error bad() { return make_error(ErrorKind::failed, "history", "holds no whole block of frames"); }

/// The metric or file as this Weir numbers it; nullopt: it knows none of that name.
using Place = std::optional<std::size_t>;

struct Stint {
  std::uint64_t who = 0;  ///< 0: the host; else one more than its number in the table
  std::size_t first = 0, count = 0;
  std::size_t begin = 0, end = 0;  ///< of its rows, those that are wanted
  std::size_t at = 0;              ///< of the first of these among all that are wanted
};

class Reader {
 public:
  Reader(std::string_view block, std::size_t first, std::size_t count)
      : in_(block), first_(first), count_(count) {}

  [[nodiscard]] bool read_stamps(std::vector<FrameStamp>& out) {
    std::uint64_t format = 0, frames = 0;
    if (!in_.varint(format) || format != kBlockFormat || !in_.varint(frames, kMostFrames) ||
        frames > in_.left())
      return false;
    out.resize(frames);
    return read_stamp(out, [](FrameStamp& frame, std::uint64_t v) { frame.number = v; }) &&
           read_stamp(out, [](FrameStamp& frame, std::uint64_t v) { frame.generation = v; }) &&
           read_stamp(out,
                      [](FrameStamp& frame, std::uint64_t v) {
                        frame.at = std::chrono::nanoseconds(static_cast<std::int64_t>(v));
                      }) &&
           read_stamp(out, [](FrameStamp& frame, std::uint64_t v) {
             frame.time = std::chrono::nanoseconds(static_cast<std::int64_t>(v));
           });
  }

  [[nodiscard]] bool read(const SubjectTable& table, std::vector<Frame>& out) {
    std::vector<FrameStamp> stamps;
    if (!read_stamps(stamps) || !read_names() || !read_stints(table, stamps.size())) return false;
    count_ = first_ < stamps.size() ? std::min(count_, stamps.size() - first_) : 0;
    place_rows();
    if (wanted_ * columns() > kMostValues) return false;
    values_.assign(wanted_ * columns(), 0);
    files_.resize(stints_.size());
    if (!read_columns()) return false;
    for (std::size_t n = 0; n < count_; ++n) {
      const FrameStamp& stamp = stamps[first_ + n];
      out.push_back({.number = stamp.number,
                     .at = stamp.at,
                     .time = stamp.time,
                     .generation = stamp.generation,
                     .host = {},
                     .subjects = {},
                     .samples = {}});
    }
    fill(table, out);
    return read_times(stamps, out) && in_.is_over();
  }

 private:
  template <typename Set>
  bool read_stamp(std::vector<FrameStamp>& out, Set set) {
    std::uint64_t value = 0, growth = 0, small = 0;
    for (FrameStamp& frame : out) {
      if (!in_.varint(small)) return false;
      set(frame, value += growth += unzigzag(small));
    }
    return true;
  }

  bool read_names() {
    std::uint64_t count = 0;
    std::string name;
    if (!in_.varint(count, kMostNames)) return false;
    for (std::uint64_t n = 0; n < count; ++n) {
      if (!in_.text(name, kLongestName)) return false;
      const auto found = std::ranges::find(metrics(), name, &MetricInfo::name);
      metrics_.push_back(found == metrics().end() ? Place() : index(found->metric));
    }
    if (!in_.varint(count, 64)) return false;
    for (std::uint64_t n = 0; n < count; ++n) {
      if (!in_.text(name, kLongestName)) return false;
      Place place;
      for (std::size_t source = 0; source < kSources; ++source)
        if (file_of(static_cast<Source>(source)) == name) place = source;
      sources_.push_back(place);
    }
    for (std::size_t n = 0; n < metrics_.size(); ++n) {
      std::array<std::uint64_t, 2> to{};
      if (!in_.varint(to[0], n) || !in_.varint(to[1], n)) return false;  // only to metrics before it
      relations_.push_back(to);
    }
    return true;
  }
  [[nodiscard]] std::size_t known_words() const {
    return (metrics_.size() + kKnownInWord - 1) / kKnownInWord;
  }
  [[nodiscard]] std::size_t columns() const { return metrics_.size() + known_words() + 1; }

  bool read_stints(const SubjectTable& table, std::size_t frames) {
    std::uint64_t count = 0, rows = 0;
    if (!in_.varint(count, in_.left() / 3)) return false;
    for (std::uint64_t n = 0; n < count; ++n) {
      std::uint64_t who = 0, first = 0, length = 0;
      if (!in_.varint(who) || !in_.varint(first, frames) || !in_.varint(length, frames - first)) return false;
      if (length == 0 || (who > 0 && table.find(who - 1) == nullptr)) return false;
      rows += length;
      if (rows > kMostRows) return false;
      stints_.push_back({.who = who, .first = first, .count = length});
    }
    std::uint64_t firsts = 0, runs = 0, jumps = 0;
    std::string_view codings;
    if (!in_.varint(firsts) || !in_.varint(runs) || !in_.varint(jumps) ||
        !in_.bytes(codings, count * columns()))
      return false;
    for (const char byte : codings) {
      codings_.push_back(unpack(static_cast<std::uint8_t>(byte)));
      if (codings_.back().group >= kGroups) return false;
    }
    return read_masks() && in_.bytes(firsts_, firsts) && in_.bytes(runs_, runs) && in_.bytes(jumps_, jumps);
  }

  /// How many small numbers the planes of a column's class hold.
  [[nodiscard]] std::array<std::size_t, kGroups> group_sizes(std::size_t column) const {
    std::array<std::size_t, kGroups> sizes{};
    for (std::size_t n = 0; n < stints_.size(); ++n) {
      const Coding coding = coding_of(column, n);
      if (coding.way != Way::constant) sizes[coding.group] += stints_[n].count - 1;
    }
    return sizes;
  }
  [[nodiscard]] Coding coding_of(std::size_t column, std::size_t stint) const {
    return codings_[column * stints_.size() + stint];
  }

  bool read_masks() {
    masks_.resize(columns());
    for (std::size_t column = 0; column < columns(); ++column) {
      const auto sizes = group_sizes(column);
      for (std::size_t group = 0; group < kGroups; ++group) {
        std::uint64_t mask = 0;
        if (sizes[group] > 0 && !in_.fixed(mask, 1)) return false;
        masks_[column][group] = static_cast<std::uint8_t>(mask);
      }
    }
    return true;
  }

  void place_rows() {
    for (Stint& stint : stints_) {
      const std::size_t end = std::min(stint.first + stint.count, first_ + count_);
      stint.begin = std::clamp(first_, stint.first, stint.first + stint.count) - stint.first;
      stint.end = std::max(stint.begin, end > stint.first ? end - stint.first : 0);
      stint.at = wanted_;
      wanted_ += stint.end - stint.begin;
    }
  }

  std::uint64_t& value(std::size_t column, std::size_t row) { return values_[column * wanted_ + row]; }

  bool read_columns() {
    Take firsts(firsts_);
    for (std::size_t column = 0; column < columns(); ++column) {
      const auto sizes = group_sizes(column);
      std::array<std::array<std::string_view, 8>, kGroups> planes{};
      for (std::size_t group = 0; group < kGroups; ++group)
        for (unsigned byte = 0; byte < 8; ++byte)
          if ((masks_[column][group] >> byte & 1U) != 0 && !in_.bytes(planes[group][byte], sizes[group]))
            return false;
      std::array<std::size_t, kGroups> used{};
      for (std::size_t n = 0; n < stints_.size(); ++n) {
        std::uint64_t first = 0;
        if (!firsts.varint(first)) return false;
        const Coding coding = coding_of(column, n);
        if (coding.way == Way::related && (column >= metrics_.size() || relations_[column][0] == 0))
          return false;
        read_series(column, n, first, planes[coding.group], used[coding.group]);
      }
    }
    return firsts.is_over();
  }

  void read_series(std::size_t column, std::size_t n, std::uint64_t first,
                   const std::array<std::string_view, 8>& planes, std::size_t& used) {
    const Stint& stint = stints_[n];
    const Coding coding = coding_of(column, n);
    const bool files = column + 1 == columns();
    Decoder decoder(coding, first);
    if (files) files_[n].push_back(first);
    if (coding.way == Way::constant) {
      std::fill_n(values_.begin() + static_cast<std::ptrdiff_t>(column * wanted_ + stint.at),
                  stint.end - stint.begin, first);
      return;
    }
    for (std::size_t row = 0;; ++row) {
      if (row >= stint.begin && row < stint.end)
        value(column, stint.at + row - stint.begin) = decoder.value();
      if (row + 1 == stint.count) break;
      std::uint64_t small = 0;
      for (unsigned byte = 0; byte < 8; ++byte)
        if (!planes[byte].empty())
          small |= std::uint64_t{static_cast<unsigned char>(planes[byte][used])} << (8 * byte);
      ++used;
      decoder.next(small);
      if (files) files_[n].push_back(decoder.value());
    }
    if (coding.way != Way::related) return;
    const auto [minuend, subtrahend] = relations_[column];
    for (std::size_t row = stint.at; row < stint.at + stint.end - stint.begin; ++row)
      value(column, row) =
          value(minuend - 1, row) - (subtrahend > 0 ? value(subtrahend - 1, row) : 0) - value(column, row);
  }

  /// The samples, without their read times.
  void fill(const SubjectTable& table, std::vector<Frame>& out) {
    for (const Stint& stint : stints_)
      for (std::size_t row = stint.begin; row < stint.end; ++row) {
        Frame& frame = out[stint.first + row - first_];
        if (stint.who > 0) frame.subjects.push_back(*table.find(stint.who - 1));
        Sample& sample = stint.who > 0 ? frame.samples.emplace_back() : frame.host;
        const std::size_t at = stint.at + row - stint.begin;
        for (std::size_t n = 0; n < metrics_.size(); ++n) {
          if (!metrics_[n]) continue;
          sample.values[*metrics_[n]] = value(n, at);
          sample.known[*metrics_[n]] = static_cast<Known>(
              value(metrics_.size() + n / kKnownInWord, at) >> (2 * (n % kKnownInWord)) & 3U);
        }
      }
  }

  bool read_times(std::span<const FrameStamp> stamps, std::vector<Frame>& out) {
    std::vector<std::vector<std::uint32_t>> present(stamps.size());
    for (std::size_t n = 0; n < stints_.size(); ++n)
      for (std::size_t row = 0; row < stints_[n].count; ++row)
        present[stints_[n].first + row].push_back(static_cast<std::uint32_t>(n));
    Take runs(runs_), jumps(jumps_);
    std::uint64_t run = UINT64_MAX;
    if (!runs.is_over() && !runs.varint(run)) return false;
    for (std::size_t frame = 0; frame < stamps.size(); ++frame) {
      std::int64_t read = 0;
      std::size_t sample = 0;
      Frame* wanted = frame >= first_ && frame < first_ + count_ ? &out[frame - first_] : nullptr;
      for (const std::uint32_t n : present[frame]) {
        const auto& files = files_[n];
        const std::uint64_t mask = files.size() == 1 ? files.front() : files[frame - stints_[n].first];
        Sample* into = wanted == nullptr     ? nullptr
                       : stints_[n].who == 0 ? &wanted->host
                                             : &wanted->samples[sample++];
        for (std::size_t source = 0; source < sources_.size(); ++source) {
          if ((mask >> source & 1U) == 0) continue;
          if (run > 0) {
            --run;
          } else {
            std::int64_t jump = 0;
            if (!jumps.signed_varint(jump)) return false;
            read = static_cast<std::int64_t>(static_cast<std::uint64_t>(read) +
                                             static_cast<std::uint64_t>(jump));
            run = UINT64_MAX;
            if (!runs.is_over() && !runs.varint(run)) return false;
          }
          if (into != nullptr && sources_[source])
            into->read_at[*sources_[source]] = static_cast<std::int64_t>(
                static_cast<std::uint64_t>(stamps[frame].at.count()) +
                static_cast<std::uint64_t>(read) * static_cast<std::uint64_t>(kReadTick.count()));
        }
      }
    }
    return runs.is_over() && jumps.is_over();
  }

  Take in_;
  std::size_t first_, count_, wanted_ = 0;
  std::vector<Place> metrics_, sources_;
  std::vector<std::array<std::uint64_t, 2>> relations_;  ///< one more than the metrics; 0: none
  std::vector<Stint> stints_;
  std::vector<Coding> codings_;  ///< column by column
  std::vector<std::array<std::uint8_t, kGroups>> masks_;
  std::string_view firsts_, runs_, jumps_;
  std::vector<std::uint64_t> values_;  ///< column by column, of the wanted rows
  std::vector<std::vector<std::uint64_t>>
      files_;  ///< of each stint: which were read; one for all, or of each row
};

}  // namespace

Result<std::vector<FrameStamp>> decode_stamps(std::string_view block) {
  std::vector<FrameStamp> stamps;
  if (!Reader(block, 0, 0).read_stamps(stamps)) return std::unexpected(bad());
  return stamps;
}

Result<std::vector<Frame>> decode_frames(std::string_view block, const SubjectTable& table, std::size_t first,
                                         std::size_t count) {
  std::vector<Frame> frames;
  if (!Reader(block, first, count).read(table, frames)) return std::unexpected(bad());
  return frames;
}

}  // namespace weir::history
