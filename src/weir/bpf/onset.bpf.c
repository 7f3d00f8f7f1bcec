// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tells at once when a watched cgroup is throttled by its own CPU limit, and which process is killed for want
// of memory. Throttling comes ten times a second and more, so that it is damped here: what is over soon is
// left out, and a cgroup is told of once in a while. So each event may wake the reader.

#include "weir/bpf/kernel_types.bpf.h"
#include "weir/bpf/nearest.bpf.h"
#include "weir/bpf/onset_event.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 pause_ns = 1000000000; /* a cgroup that is throttled is told of once in that time */
__u64 lost;                                 /* events for which the ring had no room */

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, ONSET_CGROUPS);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u64);   /* cgroup id */
  __type(value, __u64); /* when its throttling was last told */
} cgroups SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 18);
} events SEC(".maps");

static __always_inline struct onset_event* begin_event(__u32 kind, __u64 now) {
  struct onset_event* event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

  if (!event) {
    __sync_fetch_and_add(&lost, 1);
    return NULL;
  }
  __builtin_memset(event, 0, sizeof(*event));
  event->time_ns = now;
  event->kind = kind;
  return event;
}

/* ---- throttled. Between two refills; the next is when the period's timer expires. */

static __always_inline int throttled(struct cfs_rq* cfs_rq) {
  __u64 id = BPF_CORE_READ(cfs_rq, tg, css.cgroup, kn, id);
  __u64* told = bpf_map_lookup_elem(&cgroups, &id);
  __u64 now, before, left, period;
  struct onset_event* event;

  if (!told) return 0;
  now = bpf_ktime_get_ns();
  before = *told;
  if (now - before < pause_ns) return 0;
  period = BPF_CORE_READ(cfs_rq, tg, cfs_bandwidth.period);
  left = BPF_CORE_READ(cfs_rq, tg, cfs_bandwidth.period_timer._softexpires) - now;
  if (left > period || left * 4 < period) return 0;
  /* Of several CPUs one tells. */
  if (__sync_val_compare_and_swap(told, before, now) != before) return 0;
  event = begin_event(ONSET_THROTTLED, now);
  if (!event) return 0;
  event->cgroup = id;
  event->left_ns = left;
  event->period_ns = period;
  bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
  return 0;
}

SEC("fexit/throttle_cfs_rq")
int BPF_PROG(throttle_fexit, struct cfs_rq* cfs_rq, _Bool is_throttled) {
  return is_throttled ? throttled(cfs_rq) : 0;
}

/* On the way in: now and then it finds some time left after all. */
SEC("kprobe/throttle_cfs_rq")
int BPF_KPROBE(throttle_kprobe, struct cfs_rq* cfs_rq) { return throttled(cfs_rq); }

/* ---- killed: oom_kill_process(oc, message). On the way out it is counted in memory.events. */

/* The watched cgroup that a task is in, or below of. */
static __always_inline __u64 watched(struct task_struct* task) {
  struct cgroup* cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);

  return nearest_in(&cgroups, cgroup, BPF_CORE_READ(cgroup, kn, id));
}

static __always_inline int kills(struct oom_control* control) {
  struct task_struct* victim = BPF_CORE_READ(control, chosen);
  struct mem_cgroup* memcg = BPF_CORE_READ(control, memcg);
  struct onset_event* event;

  if (!victim) return 0;
  event = begin_event(ONSET_KILL, bpf_ktime_get_ns());
  if (!event) return 0;
  event->cgroup = watched(victim);
  event->limit_cgroup = memcg ? BPF_CORE_READ(memcg, css.cgroup, kn, id) : 0;
  event->pid = BPF_CORE_READ(victim, tgid);
  bpf_probe_read_kernel_str(event->comm, sizeof(event->comm), victim->comm);
  bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
  return 0;
}

SEC("fexit/oom_kill_process")
int BPF_PROG(kill_fexit, struct oom_control* control) { return kills(control); }

SEC("kprobe/oom_kill_process")
int BPF_KPROBE(kill_kprobe, struct oom_control* control) { return kills(control); }
