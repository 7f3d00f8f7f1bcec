// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Programs that do nothing, one of each kind: probe.cpp loads one of them on a target to see whether the
// kernel lets it.
#include "weir/bpf/kernel_types.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf") int on_tp_btf(void* ctx) { return 0; }
SEC("raw_tp") int on_raw_tp(void* ctx) { return 0; }
SEC("fentry") int on_fentry(void* ctx) { return 0; }
SEC("fexit") int on_fexit(void* ctx) { return 0; }
SEC("kprobe") int on_kprobe(void* ctx) { return 0; }
SEC("kretprobe") int on_kretprobe(void* ctx) { return 0; }
SEC("tracepoint") int on_tracepoint(void* ctx) { return 0; }
