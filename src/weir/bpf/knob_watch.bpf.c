// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tells who writes to chosen cgroup files. Limits are written seldom, so that each event wakes the reader.

#include "weir/bpf/kernel_types.bpf.h"
#include "weir/bpf/knob_watch_event.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 own_tgid; /* our own writes are no news */

__u64 lost; /* events for which the ring had no room */

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, KNOB_WATCH_FILES);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u64); /* inode of the control file */
  __type(value, __u8);
} files SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 18);
} events SEC(".maps");

static __always_inline int written(struct kernfs_open_file* of) {
  __u64 file = BPF_CORE_READ(of, kn, id);
  __u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct knob_watch_event* event;

  if (tgid == own_tgid || !bpf_map_lookup_elem(&files, &file)) return 0;
  event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) {
    __sync_fetch_and_add(&lost, 1);
    return 0;
  }
  event->time_ns = bpf_ktime_get_ns();
  event->file = file;
  event->by_cgroup = bpf_get_current_cgroup_id();
  event->tgid = tgid;
  event->uid = bpf_get_current_uid_gid();
  bpf_get_current_comm(event->comm, sizeof(event->comm));
  bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
  return 0;
}

SEC("fexit/cgroup_file_write")
int BPF_PROG(write_fexit, struct kernfs_open_file* of, char* buf, unsigned long nbytes, long long off,
             long ret) {
  return ret < 0 ? 0 : written(of);
}

/* On the way in: the value is not there yet. The reader looks again a little later. */
SEC("kprobe/cgroup_file_write")
int BPF_KPROBE(write_kprobe, struct kernfs_open_file* of) { return written(of); }
