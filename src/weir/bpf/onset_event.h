// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once
// What onset.bpf.c says about the beginning of one container's trouble.

#include <linux/types.h>

#define ONSET_CGROUPS 65536

enum onset_kind {
  ONSET_THROTTLED = 1, /* for a quarter of the period or more */
  ONSET_KILL = 2,
};

struct onset_event {
  __u64 time_ns;      /* CLOCK_MONOTONIC */
  __u64 cgroup;       /* the watched cgroup; 0: the victim was in none */
  __u64 limit_cgroup; /* kill: whose memory limit was the reason; 0: the host's memory */
  __u64 left_ns;      /* throttled: until its period ends */
  __u64 period_ns;    /* throttled */
  __u32 kind;
  __u32 pid;     /* kill: of the victim */
  char comm[16]; /* kill: of the victim; hostile bytes */
};

#ifdef __cplusplus
static_assert(sizeof(onset_event) == 64, "no padding: the layout is shared with BPF");
#else
_Static_assert(sizeof(struct onset_event) == 64, "no padding: the layout is shared with C++");
#endif
