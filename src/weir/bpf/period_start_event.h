// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once
// What period_start.bpf.c and its loader share: one slot for each cgroup that is followed.

#include <linux/types.h>

#define PERIOD_START_SLOTS 4096

struct period_start_slot {
  __u64 last_ns; /* CLOCK_MONOTONIC when its last CFS period began; 0: none since it is followed */
  __u32 armed;   /* 1: the next start is sent to the reader, once */
  __u32 unused;
};

struct period_start_event {
  __u64 time_ns;
  __u32 slot;
  __u32 unused;
};

#ifdef __cplusplus
static_assert(sizeof(period_start_slot) == 16 && sizeof(period_start_event) == 16, "shared with BPF");
#else
_Static_assert(sizeof(struct period_start_slot) == 16 && sizeof(struct period_start_event) == 16,
               "shared with C++");
#endif
