// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Follows one cgroup file through a write, and the first thing that the new limit does. Everything is matched
// in the kernel by ids: the file's inode number, the cgroup's id. Each hook exists in the forms of the ladder
// (BTF tracepoint or raw tracepoint, fentry/fexit, kprobe/kretprobe); limit_write.cpp loads the first form
// that this kernel attaches.

#include "weir/bpf/kernel_types.bpf.h"
#include "weir/bpf/limit_write_event.h"

#define CGROUP2_SUPER_MAGIC 0x63677270

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 target_cgroup;
const volatile __u64 target_file;
const volatile __u32 target_level;

__u64 lost; /* events for which the ring had no room */

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} events SEC(".maps");

/* Threads inside of the handler, for kretprobes, which do not see the arguments. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, __u8);
} in_handler SEC(".maps");

static __always_inline int say(__u32 kind, __s64 value) {
  struct limit_write_event* event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

  if (!event) {
    __sync_fetch_and_add(&lost, 1);
    return 0;
  }
  event->time_ns = bpf_ktime_get_ns();
  event->value = value;
  event->kind = kind;
  event->tgid = bpf_get_current_pid_tgid() >> 32;
  /* The reader polls: a wake-up for each event costs seven times the event (and makes events of its own). */
  bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
  return 0;
}

static __always_inline int is_target_file(struct file* file) {
  struct inode* inode = BPF_CORE_READ(file, f_inode);

  return BPF_CORE_READ(inode, i_ino) == target_file &&
         BPF_CORE_READ(inode, i_sb, s_magic) == CGROUP2_SUPER_MAGIC;
}

/* The cgroup itself or one below it. */
static __always_inline int is_in_target(struct task_struct* task) {
  struct cgroup* cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
  struct cgroup* ancestor = NULL;

  if (BPF_CORE_READ(cgroup, kn, id) == target_cgroup) return 1;
  if (!bpf_core_field_exists(cgroup->ancestors) || BPF_CORE_READ(cgroup, level) <= (int)target_level)
    return 0;
  bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
                        (void*)cgroup + bpf_core_field_offset(struct cgroup, ancestors) + 8 * target_level);
  return ancestor && BPF_CORE_READ(ancestor, kn, id) == target_cgroup;
}

static __always_inline void enter_handler(void) {
  __u32 thread = bpf_get_current_pid_tgid();
  __u8 inside = 1;

  if (bpf_map_update_elem(&in_handler, &thread, &inside, BPF_ANY)) __sync_fetch_and_add(&lost, 1);
}

/* ---- the write reaches the kernel: vfs_write(file, …) */

SEC("fentry/vfs_write")
int BPF_PROG(entry_fentry, struct file* file) { return is_target_file(file) ? say(LIMIT_WRITE_ENTRY, 0) : 0; }

SEC("kprobe/vfs_write")
int BPF_KPROBE(entry_kprobe, struct file* file) {
  return is_target_file(file) ? say(LIMIT_WRITE_ENTRY, 0) : 0;
}

/* ---- the knob's handler is done: handler(of, buf, nbytes, off), set by the loader */

SEC("fexit")
int BPF_PROG(file_handler_fexit, struct kernfs_open_file* of, char* buf, unsigned long nbytes, long long off,
             long ret) {
  return BPF_CORE_READ(of, kn, id) == target_file ? say(LIMIT_WRITE_DONE, ret) : 0;
}

SEC("kprobe")
int BPF_KPROBE(file_handler_kprobe, struct kernfs_open_file* of) {
  if (BPF_CORE_READ(of, kn, id) == target_file) enter_handler();
  return 0;
}

/* ---- the same for handlers of one number: handler(css, cft, value) */

SEC("fexit")
int BPF_PROG(css_handler_fexit, struct cgroup_subsys_state* css, void* cft, __u64 value, int ret) {
  return BPF_CORE_READ(css, cgroup, kn, id) == target_cgroup ? say(LIMIT_WRITE_DONE, ret) : 0;
}

SEC("kprobe")
int BPF_KPROBE(css_handler_kprobe, struct cgroup_subsys_state* css) {
  if (BPF_CORE_READ(css, cgroup, kn, id) == target_cgroup) enter_handler();
  return 0;
}

SEC("kretprobe")
int BPF_KRETPROBE(handler_kretprobe, long ret) {
  __u32 thread = bpf_get_current_pid_tgid();

  if (!bpf_map_lookup_elem(&in_handler, &thread)) return 0;
  bpf_map_delete_elem(&in_handler, &thread);
  return say(LIMIT_WRITE_DONE, ret);
}

/* ---- throttled: before 6.18 a run queue is taken off its CPU at once, and its tasks with it */

SEC("fexit/throttle_cfs_rq")
int BPF_PROG(throttle_fexit, struct cfs_rq* cfs_rq, _Bool throttled) {
  return throttled && BPF_CORE_READ(cfs_rq, tg, css.cgroup, kn, id) == target_cgroup ? say(LIMIT_THROTTLED, 0)
                                                                                     : 0;
}

SEC("kprobe/throttle_cfs_rq")
int BPF_KPROBE(throttle_kprobe, struct cfs_rq* cfs_rq) {
  return BPF_CORE_READ(cfs_rq, tg, css.cgroup, kn, id) == target_cgroup ? say(LIMIT_THROTTLED, 0) : 0;
}

/* Since 6.18 (e1fad12dcb66) throttle_cfs_rq only marks the run queue; a task stops in this work on its way to
 * user space. */

SEC("fentry/throttle_cfs_rq_work")
int BPF_PROG(throttle_work_fentry) {
  return is_in_target((struct task_struct*)bpf_get_current_task()) ? say(LIMIT_THROTTLED, 0) : 0;
}

SEC("kprobe/throttle_cfs_rq_work")
int BPF_KPROBE(throttle_work_kprobe) {
  return is_in_target((struct task_struct*)bpf_get_current_task()) ? say(LIMIT_THROTTLED, 0) : 0;
}

/* ---- a task of the cgroup gets a CPU: sched_switch(preempt, prev, next) */

SEC("tp_btf/sched_switch")
int BPF_PROG(run_tp_btf, _Bool preempt, struct task_struct* prev, struct task_struct* next) {
  return is_in_target(next) ? say(LIMIT_RAN, 0) : 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(run_raw_tp, _Bool preempt, struct task_struct* prev, struct task_struct* next) {
  return is_in_target(next) ? say(LIMIT_RAN, 0) : 0;
}

/* ---- reclaim in the cgroup begins */

SEC("fentry/try_to_free_mem_cgroup_pages")
int BPF_PROG(reclaim_fentry, struct mem_cgroup* memcg) {
  return BPF_CORE_READ(memcg, css.cgroup, kn, id) == target_cgroup ? say(LIMIT_RECLAIM, 0) : 0;
}

SEC("kprobe/try_to_free_mem_cgroup_pages")
int BPF_KPROBE(reclaim_kprobe, struct mem_cgroup* memcg) {
  return BPF_CORE_READ(memcg, css.cgroup, kn, id) == target_cgroup ? say(LIMIT_RECLAIM, 0) : 0;
}
