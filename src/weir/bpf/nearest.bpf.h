// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Which cgroup of a map a cgroup belongs to: itself, or the nearest above. Include after kernel_types.bpf.h.
#pragma once

#define DEEPEST 32

/* `ids`: a map whose keys are cgroup ids; 0: none of them. */
static __always_inline __u64 nearest_in(void* ids, struct cgroup* cgroup, __u64 id) {
  int level;

  if (bpf_map_lookup_elem(ids, &id)) return id;
  if (!bpf_core_field_exists(cgroup->ancestors)) return 0;
  level = BPF_CORE_READ(cgroup, level);
  for (int n = 0; n < DEEPEST; ++n) {
    struct cgroup* ancestor = NULL;

    if (--level < 1) return 0;
    bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
                          (void*)cgroup + bpf_core_field_offset(struct cgroup, ancestors) + 8 * (__u32)level);
    if (!ancestor) return 0;
    id = BPF_CORE_READ(ancestor, kn, id);
    if (bpf_map_lookup_elem(ids, &id)) return id;
  }
  return 0;
}
