// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once
// What limit_write.bpf.c says about one write of a limit. Shared by the BPF program (C) and its loader (C++).

#include <linux/types.h>

enum limit_write_kind {
  LIMIT_WRITE_ENTRY = 1, /* a write() of the watched file reached the kernel */
  LIMIT_WRITE_DONE = 2,  /* the knob's own handler returned; value: what it returned */
  LIMIT_THROTTLED = 3,   /* the cgroup's tasks were stopped by its cpu.max */
  LIMIT_RAN = 4,         /* a task of the cgroup got a CPU */
  LIMIT_RECLAIM = 5,     /* reclaim in the cgroup began */
};

struct limit_write_event {
  __u64 time_ns; /* CLOCK_MONOTONIC */
  __s64 value;
  __u32 kind;
  __u32 tgid; /* of the process that was running */
};

#ifdef __cplusplus
static_assert(sizeof(limit_write_event) == 24, "no padding: the layout is shared with BPF");
#else
_Static_assert(sizeof(struct limit_write_event) == 24, "no padding: the layout is shared with C++");
#endif
