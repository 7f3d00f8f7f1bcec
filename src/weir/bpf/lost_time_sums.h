// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once
// What lost_time.bpf.c counts of one watched cgroup on one CPU, for its loader to read.

#include <linux/types.h>

#define LOST_TIME_CGROUPS 4096
/* Levels of the cgroup tree whose limits are told apart; deeper ones are not counted. */
#define LOST_TIME_LEVELS 16
#define LOST_TIME_RIVALS 8

struct lost_time_level {
  __u64 cgroup; /* 0: its limit never held */
  __u64 held_ns;
};

struct lost_time_rival {
  __u64 cgroup;
  __u64 used_ns;
};

struct lost_time_sums {
  __u64 begin_ns;   /* CLOCK_MONOTONIC: watched since */
  __u64 held_since; /* CLOCK_MONOTONIC; 0: not held, or nobody in it wants to run */
  __u64 held_ns;    /* by all levels, until held_since */
  __u32 holding;    /* a bit for each level whose limit is spent */
  __u32 unused;
  struct lost_time_level levels[LOST_TIME_LEVELS];
  __u64 waited_ns;
  struct lost_time_rival rivals[LOST_TIME_RIVALS];
};

#ifdef __cplusplus
static_assert(sizeof(lost_time_sums) == 424, "no padding: the layout is shared with BPF");
#else
_Static_assert(sizeof(struct lost_time_sums) == 424, "no padding: the layout is shared with C++");
#endif
