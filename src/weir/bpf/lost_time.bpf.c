// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sums of why watched cgroups do not run: held by a CPU limit, their own or one above, and waiting for a CPU
// that another one uses. All sums of a CPU are written under the lock of its run queue, so none is atomic.

#include "weir/bpf/kernel_types.bpf.h"
#include "weir/bpf/lost_time_sums.h"
#include "weir/bpf/nearest.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u64 generation; /* one more whenever another set of cgroups is watched */

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, LOST_TIME_CGROUPS);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u64); /* cgroup id */
  __type(value, struct lost_time_sums);
} sums_of SEC(".maps");

/* So that a task of no watched cgroup costs one look-up, however deep it is. */
struct membership {
  __u64 watched; /* 0: in none */
  __u64 generation;
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, __u64); /* cgroup id */
  __type(value, struct membership);
} memberships SEC(".maps");

struct wait {
  __u64 cgroup; /* the watched one */
  __u64 since;  /* on the clock of unheld(); 0: does not wait */
  __u64 cpu;
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 32768);
  __type(key, __u32); /* pid of a task */
  __type(value, struct wait);
} waits SEC(".maps");

/* Whose limit the tree is being walked for: [0] it is filled, [1] it is spent. Filling it can spend another.
 */
struct walk {
  __u64 cgroup;
  __u64 level;
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, struct walk);
} walks SEC(".maps");

/* ---- which cgroup a task counts for */

static __noinline __u64 find_watched(struct cgroup* cgroup, __u64 id) {
  return nearest_in(&sums_of, cgroup, id);
}

/* The watched cgroup that a task is in, or below of; of several the nearest. */
static __always_inline __u64 watched(struct task_struct* task) {
  struct cgroup* cgroup = task->cgroups->dfl_cgrp;
  __u64 id = cgroup->kn->id;
  struct membership* known = bpf_map_lookup_elem(&memberships, &id);
  struct membership found;

  if (known && known->generation == generation) return known->watched;
  found.generation = generation;
  found.watched = find_watched(cgroup, id);
  bpf_map_update_elem(&memberships, &id, &found, BPF_ANY);
  return found.watched;
}

/* ---- held by a limit. The highest level counts: raising a limit below it would not help. */

/* Before 6.18 a spent limit takes the whole run queue off the CPU at once; since then (e1fad12dcb66) each
 * task stops on its way to user space, and the queue is held from the first one on. */
static __always_inline _Bool stops_at_once(void) {
  return !bpf_core_field_exists(((struct task_struct*)0)->throttled);
}

static __always_inline _Bool wants_to_run(struct task_group* group, int cpu) {
  struct cfs_rq *cfs_rq = NULL, **by_cpu = BPF_CORE_READ(group, cfs_rq);

  bpf_probe_read_kernel(&cfs_rq, sizeof(cfs_rq), by_cpu + cpu);
  return bpf_core_field_exists(cfs_rq->nr_queued) ? BPF_CORE_READ(cfs_rq, nr_queued)
                                                  : BPF_CORE_READ(cfs_rq, nr_running);
}

static __always_inline void count_held(struct lost_time_sums* sums, __u64 now) {
  __u64 took = now - sums->held_since;

  if (!sums->held_since) return;
  sums->held_since = now;
  sums->held_ns += took;
  for (int level = 0; level < LOST_TIME_LEVELS; ++level) {
    if (!(sums->holding & 1U << level)) continue;
    sums->levels[level].held_ns += took;
    return;
  }
}

static __always_inline int begin_walk(__u32 spent, struct cfs_rq* cfs_rq) {
  struct walk* walk = bpf_map_lookup_elem(&walks, &spent);

  if (!walk) return 0;
  walk->cgroup = BPF_CORE_READ(cfs_rq, tg, css.cgroup, kn, id);
  walk->level = BPF_CORE_READ(cfs_rq, tg, css.cgroup, level);
  return 0;
}

/* One cgroup of the walk: that of the limit itself, or one below. */
static __always_inline int walked(__u32 spent, struct task_group* group, struct rq* rq) {
  __u64 id = BPF_CORE_READ(group, css.cgroup, kn, id);
  int cpu = BPF_CORE_READ(rq, cpu);
  struct lost_time_sums* sums = bpf_map_lookup_percpu_elem(&sums_of, &id, cpu);
  struct walk* walk = bpf_map_lookup_elem(&walks, &spent);
  __u64 level, now;

  if (!sums || !walk || !walk->cgroup) return 0;
  level = walk->level;
  if (level >= LOST_TIME_LEVELS) return 0;
  now = bpf_ktime_get_ns();
  count_held(sums, now);
  if (spent) {
    sums->levels[level].cgroup = walk->cgroup;
    sums->holding |= 1U << level;
    if (!sums->held_since && stops_at_once() && wants_to_run(group, cpu)) sums->held_since = now;
  } else {
    /* The first that is seen of a limit which held when the cgroup was not watched yet. */
    if (!sums->levels[level].cgroup && !sums->holding && stops_at_once() && wants_to_run(group, cpu)) {
      sums->levels[level].cgroup = walk->cgroup;
      sums->holding = 1U << level;
      sums->held_since = sums->begin_ns;
      count_held(sums, now);
    }
    sums->holding &= ~(1U << level);
    if (!sums->holding) sums->held_since = 0;
  }
  return 0;
}

SEC("fentry/throttle_cfs_rq")
int BPF_PROG(throttle_fentry, struct cfs_rq* cfs_rq) { return begin_walk(1, cfs_rq); }
SEC("fentry/unthrottle_cfs_rq")
int BPF_PROG(unthrottle_fentry, struct cfs_rq* cfs_rq) { return begin_walk(0, cfs_rq); }
SEC("fentry/tg_throttle_down")
int BPF_PROG(down_fentry, struct task_group* group, void* rq) { return walked(1, group, rq); }
SEC("fentry/tg_unthrottle_up")
int BPF_PROG(up_fentry, struct task_group* group, void* rq) { return walked(0, group, rq); }

SEC("kprobe/throttle_cfs_rq")
int BPF_KPROBE(throttle_kprobe, struct cfs_rq* cfs_rq) { return begin_walk(1, cfs_rq); }
SEC("kprobe/unthrottle_cfs_rq")
int BPF_KPROBE(unthrottle_kprobe, struct cfs_rq* cfs_rq) { return begin_walk(0, cfs_rq); }
SEC("kprobe/tg_throttle_down")
int BPF_KPROBE(down_kprobe, struct task_group* group, void* rq) { return walked(1, group, rq); }
SEC("kprobe/tg_unthrottle_up")
int BPF_KPROBE(up_kprobe, struct task_group* group, void* rq) { return walked(0, group, rq); }

/* ---- waiting for a CPU. Counted when it ends; only real-time tasks make it last longer than some slices. */

/* A clock that stands still while the cgroup is held on that CPU: what a task waits is a difference of it. */
static __always_inline __u64 unheld(struct lost_time_sums* sums, __u64 now) {
  return (sums->held_since ? sums->held_since : now) - sums->held_ns;
}

static __always_inline void set_wait(struct task_struct* task, struct wait begun) {
  __u32 pid = task->pid;
  struct wait* wait = bpf_map_lookup_elem(&waits, &pid);

  if (wait)
    *wait = begun;
  else if (begun.since)
    bpf_map_update_elem(&waits, &pid, &begun, BPF_ANY);
}

/* Throttled tasks look runnable in sched_switch. */
static __always_inline _Bool throttled(struct task_struct* task) {
  return stops_at_once() ? task->se.cfs_rq->throttle_count > 0 : task->throttled;
}

static __always_inline void leaves(struct task_struct* task, __u64 cgroup, _Bool runnable, __u64 now) {
  struct lost_time_sums* sums = bpf_map_lookup_elem(&sums_of, &cgroup);
  struct wait wait = {.cgroup = cgroup, .since = 0, .cpu = bpf_get_smp_processor_id()};
  _Bool stopped = runnable && throttled(task);

  if (!sums) return;
  if (stopped && sums->holding && !sums->held_since) sums->held_since = now;
  /* Stopped by a limit below the watched cgroup: neither held nor waiting. */
  if (runnable && !(stopped && !sums->holding)) wait.since = unheld(sums, now);
  set_wait(task, wait);
}

/* The time goes to each cgroup that has it in great part: what has no place takes an equal share from all
 * (Misra and Gries), so that a sum is at most a ninth of all the waits too small, and never too great. */
static __always_inline void charge(struct lost_time_sums* sums, __u64 cgroup, __u64 ns) {
  __u64 least = ~0ULL;
  __u32 place = 0;

  for (__u32 i = 0; i < LOST_TIME_RIVALS; ++i) {
    if (sums->rivals[i].cgroup == cgroup) {
      sums->rivals[i].used_ns += ns;
      return;
    }
    if (sums->rivals[i].used_ns >= least) continue;
    least = sums->rivals[i].used_ns;
    place = i;
  }
  if (least > ns) least = ns;
  for (__u32 i = 0; i < LOST_TIME_RIVALS; ++i) sums->rivals[i].used_ns -= least;
  if (ns == least || place >= LOST_TIME_RIVALS) return;
  sums->rivals[place].cgroup = cgroup;
  sums->rivals[place].used_ns = ns - least;
}

/* The whole wait is charged to the one that ran last, whoever ran before it: right on average. */
static __always_inline void enters(struct task_struct* task, __u64 cgroup, __u64 rival, __u64 now) {
  __u32 pid = task->pid;
  struct wait* wait = bpf_map_lookup_elem(&waits, &pid);
  struct lost_time_sums *here, *there;
  __u64 waited;

  if (!wait || !wait->since) return;
  here = bpf_map_lookup_elem(&sums_of, &cgroup);
  there = wait->cpu == bpf_get_smp_processor_id() ? here
                                                  : bpf_map_lookup_percpu_elem(&sums_of, &cgroup, wait->cpu);
  /* Begun in another cgroup, or before this one was watched, it says nothing. */
  if (here && there && wait->cgroup == cgroup && wait->since >= there->begin_ns) {
    waited = unheld(there, now) - wait->since;
    if ((__s64)waited > 0) {
      here->waited_ns += waited;
      if (rival) charge(here, rival, waited);
    }
  }
  wait->since = 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switch_tp_btf, _Bool preempt, struct task_struct* prev, struct task_struct* next,
             unsigned int state) {
  __u64 out = prev->pid ? watched(prev) : 0;
  __u64 in = next->pid ? watched(next) : 0;
  __u64 now;

  if (!out && !in) return 0;
  now = bpf_ktime_get_ns();
  if (out) leaves(prev, out, preempt || !state, now);
  if (in) enters(next, in, out || !prev->pid ? out : prev->cgroups->dfl_cgrp->kn->id, now);
  return 0;
}

static __always_inline int wakes(struct task_struct* task) {
  __u64 cgroup = watched(task), now;
  struct wait wait = {.cgroup = cgroup};
  struct lost_time_sums* sums;

  if (!cgroup) return 0;
  wait.cpu = task->se.cfs_rq->rq->cpu;
  sums = bpf_map_lookup_percpu_elem(&sums_of, &cgroup, wait.cpu);
  if (!sums) return 0;
  now = bpf_ktime_get_ns();
  if (stops_at_once() && sums->holding && !sums->held_since) sums->held_since = now;
  wait.since = unheld(sums, now);
  set_wait(task, wait);
  return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(wakeup_tp_btf, struct task_struct* task) { return wakes(task); }

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(wakeup_new_tp_btf, struct task_struct* task) { return wakes(task); }
