// SPDX-License-Identifier: MIT
#include "weir/limits/footprint.h"

#include <fmt/format.h>
#include <sys/sysinfo.h>

#include <algorithm>

#include "weir/base/text.h"
#include "weir/cgroup/stat.h"

namespace weir::limits {
namespace {

using cgroup::Knob;

/// What of the cgroup's memory could still go to swap. Its ancestors' limits are not asked: a room that is
/// not there shows as use that does not come down.
Bytes read_swap_room(const ReadFile& read) {
  const auto limit_text = read("memory.swap.max"), use_text = read("memory.swap.current");
  if (!limit_text || !use_text) return {};
  struct sysinfo host{};
  if (::sysinfo(&host) != 0) return {};
  const std::uint64_t free = std::uint64_t{host.freeswap} * host.mem_unit;
  const auto limit = cgroup::parse_limit_bytes(*limit_text);
  const auto use = parse_u64(trim(*use_text));
  if (!limit || !use) return {};
  if (limit->is_unlimited()) return Bytes(free);
  const std::uint64_t most = limit->value().count();
  return Bytes(std::min(free, most > *use ? most - *use : 0));
}

Bytes room_above(Knob knob, Bytes limit) { return knob == Knob::memory_max ? headroom(limit) : Bytes(); }

bool fits(Knob knob, Bytes limit, Bytes need) {
  return need.count() <= limit.count() - room_above(knob, limit).count();
}

}  // namespace

Bytes headroom(Bytes limit) {
  const std::uint64_t room = std::clamp(limit.count() / 16, 4 * kMiB, 512 * kMiB);
  return Bytes(std::min(room, limit.count() / 2));
}

Result<Bytes> parse_need(std::string_view memory_stat, Bytes swap_room) {
  WEIR_TRY(const auto stat, cgroup::parse_flat_keyed(memory_stat));
  const auto bytes = [&](std::string_view key) -> std::uint64_t {
    const auto found = stat.find(key);
    return found == stat.end() ? 0 : found->second;  // not counted apart by this kernel
  };
  if (!stat.contains("anon"))
    return std::unexpected(
        make_error(ErrorKind::failed, "memory.stat", "does not say how much is anonymous"));
  // The lists count locked pages once, as unevictable, but lag behind anon by what is on its way to a list.
  const std::uint64_t swappable = bytes("active_anon") + bytes("inactive_anon");
  const std::uint64_t user = std::max(bytes("anon") + bytes("shmem"), swappable + bytes("unevictable")) -
                             std::min(swap_room.count(), swappable);
  const std::uint64_t all_kernel = bytes("kernel"), reclaimable = bytes("slab_reclaimable");
  const std::uint64_t kernel = all_kernel > reclaimable
                                   ? all_kernel - reclaimable
                                   : bytes("kernel_stack") + bytes("pagetables") + bytes("sec_pagetables") +
                                         bytes("percpu") + bytes("vmalloc") + bytes("slab_unreclaimable");
  return Bytes(user + kernel + bytes("sock"));
}

Result<Footprint> read_footprint(const ReadFile& read) {
  WEIR_TRY(const std::string current, read("memory.current"));
  WEIR_TRY(const std::string stat, read("memory.stat"));
  const auto use = parse_u64(trim(current));
  if (!use) return std::unexpected(make_error(ErrorKind::failed, "memory.current", "is no number"));
  WEIR_TRY(const Bytes need, parse_need(stat, read_swap_room(read)));
  return Footprint{.use = Bytes(*use), .need = need};
}

bool limits_memory(Knob knob) { return knob == Knob::memory_max || knob == Knob::memory_high; }

Result<std::optional<Footprint>> check_memory_cut(const cgroup::Dir& dir, const cgroup::Setting& before,
                                                  const cgroup::Setting& after) {
  WEIR_TRY(const Limit<Bytes> from, cgroup::parse_limit_bytes(before.text));
  WEIR_TRY(const Limit<Bytes> to, cgroup::parse_limit_bytes(after.text));
  if (from <= to) return std::nullopt;
  const Bytes limit = to.value();
  WEIR_TRY(const Footprint now, read_footprint([&](std::string_view file) { return dir.read(file); }));
  if (!fits(after.knob, limit, now.need)) return std::unexpected(does_not_fit(after.knob, limit, now.need));
  if (after.knob == Knob::memory_high) return now.use <= limit ? std::nullopt : std::optional(now);
  // What has never been in use since the cgroup began is the best guess at what it will want next. A kernel
  // before 5.19 has no memory.peak, so that the cut has to be watched.
  const auto peak_text = dir.read("memory.peak");
  const auto peak = peak_text ? parse_u64(trim(*peak_text)) : std::nullopt;
  if (peak && fits(after.knob, limit, Bytes(*peak)) && fits(after.knob, limit, now.use)) return std::nullopt;
  return now;
}

Error does_not_fit(Knob knob, Bytes limit, Bytes need) {
  const Bytes room = room_above(knob, limit);
  return make_error(
      ErrorKind::refused, "",
      fmt::format("{} {} is below what is in use and cannot be reclaimed, {}{}", cgroup::info(knob).file,
                  format_bytes(limit), format_bytes(need),
                  room.count() > 0 ? fmt::format(" and {} of headroom", format_bytes(room)) : ""),
      fmt::format("--force does it anyway: {}", knob == Knob::memory_max
                                                    ? "the kernel reclaims, then kills until it fits"
                                                    : "the kernel reclaims and slows it down"));
}

}  // namespace weir::limits
