// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once
// The kernel's types that our BPF programs touch, and of each only the members used. preserve_access_index
// lets the loader move every access to where the running kernel has the member, so no kernel headers are
// needed to build. For BPF programs only; never included by C++. It also brings
// in libbpf's headers, whose order matters.

// clang-format off
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
// clang-format on

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block {
  unsigned long s_magic;
};

struct inode {
  struct super_block* i_sb;
  unsigned long i_ino;
};

struct file {
  struct inode* f_inode;
};

/* Of a cgroup file or directory: id is the inode number (64-bit kernels). */
struct kernfs_node {
  __u64 id;
};

struct kernfs_open_file {
  struct kernfs_node* kn;
};

struct cgroup {
  int level;
  struct kernfs_node* kn;
  struct cgroup* ancestors[]; /* since 6.1 (7f203bc89eb6); [level] is the cgroup itself */
};

struct cgroup_subsys_state {
  struct cgroup* cgroup;
};

struct css_set {
  struct cgroup* dfl_cgrp;
};

struct rq {
  int cpu;
};

struct sched_entity {
  struct cfs_rq* cfs_rq;
};

struct task_struct {
  int pid;
  int tgid;
  struct css_set* cgroups;
  char comm[16];
  struct sched_entity se;
  _Bool throttled; /* since 6.18 (e1fad12dcb66): taken off its run queue by a CPU limit */
};

struct hrtimer {
  __s64 _softexpires;
  void* function;
};

struct cfs_bandwidth {
  __s64 period;
  struct hrtimer period_timer;
};

struct task_group {
  struct cgroup_subsys_state css;
  struct cfs_rq** cfs_rq; /* by CPU; per-CPU memory on the newest kernels */
  struct cfs_bandwidth cfs_bandwidth;
};

struct cfs_rq {
  struct task_group* tg;
  struct rq* rq;
  int throttle_count;      /* of its own limit and of those above */
  unsigned int nr_running; /* until 6.14, then nr_queued */
  unsigned int nr_queued;
};

struct mem_cgroup {
  struct cgroup_subsys_state css;
};

struct oom_control {
  struct mem_cgroup* memcg;
  struct task_struct* chosen;
};

#pragma clang attribute pop
