// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Follows the CFS periods of chosen cgroups: when each last began, in memory that the reader maps; and, where
// it asked for it, a wake-up at the next start. A few ten starts a second and container, so that a wake-up
// for each of the asked ones is cheap.

#include "weir/bpf/kernel_types.bpf.h"
#include "weir/bpf/period_start_event.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u64 lost; /* starts that were asked for and for which the ring had no room */

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, PERIOD_START_SLOTS);
  __type(key, __u64); /* cgroup id */
  __type(value, __u32);
} slot_of SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, PERIOD_START_SLOTS);
  __type(key, __u32);
  __type(value, struct period_start_slot);
} slots SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 18);
} events SEC(".maps");

static __always_inline int began(struct hrtimer* timer) {
  struct task_group* group = (void*)timer - bpf_core_field_offset(struct task_group, cfs_bandwidth) -
                             bpf_core_field_offset(struct cfs_bandwidth, period_timer);
  __u64 id = BPF_CORE_READ(group, css.cgroup, kn, id);
  __u32* number = bpf_map_lookup_elem(&slot_of, &id);
  struct period_start_slot* slot = number ? bpf_map_lookup_elem(&slots, number) : NULL;
  struct period_start_event* event;

  if (!slot) return 0;
  slot->last_ns = bpf_ktime_get_ns();
  if (!__sync_lock_test_and_set(&slot->armed, 0)) return 0;
  event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) {
    __sync_fetch_and_add(&lost, 1);
    return 0;
  }
  event->time_ns = slot->last_ns;
  event->slot = *number;
  event->unused = 0;
  bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
  return 0;
}

/* On the way out: the quota is filled, the run queues have what they were short of. */
SEC("fexit/sched_cfs_period_timer")
int BPF_PROG(period_fexit, struct hrtimer* timer) { return began(timer); }

SEC("kprobe/sched_cfs_period_timer")
int BPF_KPROBE(period_kprobe, struct hrtimer* timer) { return began(timer); }

/* Where neither attaches: every timer of the host passes here, and ours are told by their function. */
extern const void sched_cfs_period_timer __ksym __weak;

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(period_tp_btf, struct hrtimer* timer) {
  return BPF_CORE_READ(timer, function) == (void*)&sched_cfs_period_timer ? began(timer) : 0;
}
