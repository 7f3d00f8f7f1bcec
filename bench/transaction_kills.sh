#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir apply` of a plan over N cgroups, killed (kill -9) before each write to the journal and each write to the kernel, in turn;
# then `weir undo`, and every limit is compared with what it was. Not a time is measured: what counts is limits left changed.
#
#   vm/run --build build/release --timeout 3600 -- bench/transaction_kills.sh [N]
#
# As root, with strace. N defaults to 50. Exit code 1 if a limit was left changed.
set -euo pipefail
n=${1:-50}
mount=/sys/fs/cgroup top=weir-kills-$$
run=$(mktemp -d)
trap 'rmdir "$mount/$top"/*/ "$mount/$top"; rm -rf "$run"' EXIT
mkdir "$mount/$top"
echo +cpu >"$mount/cgroup.subtree_control"
echo +cpu >"$mount/$top/cgroup.subtree_control"
for ((i = 1; i <= n; i++)); do mkdir "$mount/$top/c$i"; done
{
  echo 'limits:'
  for ((i = 1; i <= n; i++)); do echo "  /$top/c$i: {cpus: 1}"; done
} >"$run/plan.yml"

changed() { { grep -Lx 'max 100000' "$mount/$top"/c*/cpu.max || true; } | wc -l; }

strace -f --seccomp-bpf -qq -e trace=write,pwrite64 -o "$run/trace" weir --run-dir "$run/j" apply "$run/plan.yml" >/dev/null
weir --run-dir "$run/j" undo >/dev/null
kills=0 midway=0 left=0
for call in write pwrite64; do
  calls=$(grep -cE "^[0-9]+ +$call\(" "$run/trace")
  for ((k = 1; k <= calls; k++)); do
    rm -rf "$run/j"
    { strace -f --seccomp-bpf -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$k" \
      weir --run-dir "$run/j" apply "$run/plan.yml" >/dev/null || true; } 2>/dev/null  # bash tells of each kill
    kills=$((kills + 1))
    if (($(changed) > 0)); then midway=$((midway + 1)); fi
    weir --run-dir "$run/j" undo >/dev/null 2>&1 || true
    if ((kills % 50 == 0)); then echo "… $kills kills, $midway midway, $left limits left changed"; fi
    wrong=$(changed)
    if ((wrong > 0)); then
      left=$((left + wrong))
      echo "after a kill before $call $k: $wrong limits left changed"
      for ((i = 1; i <= n; i++)); do echo max >"$mount/$top/c$i/cpu.max"; done
    fi
  done
done
echo "machine: $(uname -r), $(nproc) CPUs; a plan over $n cgroups"
echo "$kills kills, $midway of them with limits already changed; left changed after undo: $left (target 0)"
((left == 0))
