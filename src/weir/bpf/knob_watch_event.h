// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once
// What knob_watch.bpf.c says about one write to a watched cgroup file.

#include <linux/types.h>

#define KNOB_WATCH_FILES 65536

struct knob_watch_event {
  __u64 time_ns;   /* CLOCK_MONOTONIC */
  __u64 file;      /* inode of the control file */
  __u64 by_cgroup; /* cgroup id of the writer */
  __u32 tgid;
  __u32 uid;
  char comm[16]; /* of the writing thread; hostile bytes */
};

#ifdef __cplusplus
static_assert(sizeof(knob_watch_event) == 48, "no padding: the layout is shared with BPF");
#else
_Static_assert(sizeof(struct knob_watch_event) == 48, "no padding: the layout is shared with C++");
#endif
