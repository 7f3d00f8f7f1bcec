// SPDX-License-Identifier: MIT
#include "weir/history/record.h"

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "weir/history/wire.h"

namespace weir::history {
namespace {

constexpr std::string_view kMagic = "WHR1";
constexpr std::uint64_t kLongestLine = 1U << 20U;

Error bad(std::string_view what) { return make_error(ErrorKind::failed, "history", what); }

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<unsigned>(bytes.size())));
}

void put_header(std::string& out, const RecordHeader& header) {
  const std::size_t begin = out.size();
  out += kMagic;
  put_fixed(out, static_cast<std::uint64_t>(header.kind), 4);
  put_fixed(out, header.stored, 4);
  put_fixed(out, header.raw, 4);
  put_fixed(out, header.first, 8);
  put_fixed(out, header.count, 4);
  put_fixed(out, static_cast<std::uint64_t>(header.first_time.count()), 8);
  put_fixed(out, static_cast<std::uint64_t>(header.last_time.count()), 8);
  put_fixed(out, checksum(std::string_view(out).substr(begin)), 4);
}

Result<std::string> compress(std::span<const std::string> pieces, Press press) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (!context) return std::unexpected(errno_error(ENOMEM, "history", "compress"));
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, press == Press::numbers ? 1 : 6);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::size_t most = 64;
  for (const std::string& piece : pieces) most += ZSTD_compressBound(piece.size()) + 64;
  std::string packed(most, '\0');
  ZSTD_outBuffer out{packed.data(), packed.size(), 0};
  for (const std::string& piece : pieces) {
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    if (ZSTD_compressStream2(context.get(), &out, &in, ZSTD_e_flush) != 0)
      return std::unexpected(bad("cannot be compressed"));
  }
  ZSTD_inBuffer none{nullptr, 0, 0};
  if (ZSTD_compressStream2(context.get(), &out, &none, ZSTD_e_end) != 0)
    return std::unexpected(bad("cannot be compressed"));
  packed.resize(out.pos);
  return packed;
}

}  // namespace

Result<std::string> make_record(RecordHeader header, std::span<const std::string> pieces, Press press) {
  std::uint64_t raw = 0;
  for (const std::string& piece : pieces) raw += piece.size();
  if (raw > kMostRaw) return std::unexpected(bad("would be too large a record"));
  WEIR_TRY(const std::string packed, compress(pieces, press));
  header.raw = static_cast<std::uint32_t>(raw);
  header.stored = static_cast<std::uint32_t>(packed.size());
  std::string record;
  put_header(record, header);
  return record + packed;
}

Result<RecordHeader> parse_header(std::string_view bytes) {
  Take in(bytes.substr(0, kHeaderBytes));
  RecordHeader header;
  std::string_view magic;
  std::uint64_t kind = 0, stored = 0, raw = 0, count = 0, first_time = 0, last_time = 0, sum = 0;
  if (!in.bytes(magic, kMagic.size()) || magic != kMagic || !in.fixed(kind, 4) || !in.fixed(stored, 4) ||
      !in.fixed(raw, 4) || !in.fixed(header.first, 8) || !in.fixed(count, 4) || !in.fixed(first_time, 8) ||
      !in.fixed(last_time, 8) || !in.fixed(sum, 4) || sum != checksum(bytes.substr(0, kHeaderBytes - 4)) ||
      kind < 1 || kind > 3 || raw > kMostRaw)
    return std::unexpected(bad("holds no whole record"));
  header.kind = static_cast<RecordKind>(kind);
  header.stored = static_cast<std::uint32_t>(stored);
  header.raw = static_cast<std::uint32_t>(raw);
  header.count = static_cast<std::uint32_t>(count);
  header.first_time = std::chrono::nanoseconds(static_cast<std::int64_t>(first_time));
  header.last_time = std::chrono::nanoseconds(static_cast<std::int64_t>(last_time));
  return header;
}

Result<std::string> unpack_record(const RecordHeader& header, std::string_view stored) {
  std::string raw(header.raw, '\0');
  const std::size_t size = ZSTD_decompress(raw.data(), raw.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != header.raw) return std::unexpected(bad("holds a damaged record"));
  return raw;
}

Records scan_records(int fd, std::uint64_t size) {
  Records records;
  std::array<char, kHeaderBytes> bytes{};
  while (records.end + kHeaderBytes <= size) {
    const ssize_t n = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(records.end));
    if (n < 0 && errno == EINTR) continue;
    const auto header = parse_header({bytes.data(), n < 0 ? 0 : static_cast<std::size_t>(n)});
    if (!header || records.end + kHeaderBytes + header->stored > size) break;
    records.places.push_back({.header = *header, .offset = records.end + kHeaderBytes});
    records.end += kHeaderBytes + header->stored;
  }
  return records;
}

Result<std::string> read_record(int fd, const RecordPlace& place) {
  std::string stored(place.header.stored, '\0');
  for (std::size_t done = 0; done < stored.size();) {
    const ssize_t n =
        ::pread(fd, stored.data() + done, stored.size() - done, static_cast<off_t>(place.offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(errno_error(errno, "history", "read"));
    if (n == 0) return std::unexpected(bad("holds a record that was cut off"));
    done += static_cast<std::size_t>(n);
  }
  return unpack_record(place.header, stored);
}

std::string encode_lines(std::span<const EventLine> lines) {
  std::string out;
  put_varint(out, lines.size());
  for (const EventLine& each : lines) {
    put_signed(out, each.time.count());
    put_text(out, std::string_view(each.line).substr(0, kLongestLine));
  }
  return out;
}

Result<std::vector<EventLine>> decode_lines(std::string_view bytes) {
  Take in(bytes);
  std::uint64_t count = 0;
  bool whole = in.varint(count, bytes.size());
  std::vector<EventLine> lines;
  for (std::uint64_t n = 0; whole && n < count; ++n) {
    std::int64_t time = 0;
    EventLine& line = lines.emplace_back();
    whole = in.signed_varint(time) && in.text(line.line, kLongestLine);
    line.time = std::chrono::nanoseconds(time);
  }
  if (whole && in.is_over()) return lines;
  return std::unexpected(bad("holds no whole list of events"));
}

}  // namespace weir::history
