#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir apply` of a plan over N cgroups, killed (kill -9) before each write to the journal and each write to the kernel, in turn;
# then `weir undo`, and every limit is compared with what it was. Not a time is measured: what counts is limits left changed.
#
#   vm/run --build build/release --timeout 3600 -- bench/transaction_kills.sh [N]
#
# As root, with kill_at_write.so beside weir. N defaults to 50. Exit code 1 if a limit was left changed.
set -euo pipefail
n=${1:-50}
mount=/sys/fs/cgroup top=weir-kills-$$
run=$(mktemp -d)
killer=$(dirname "$(command -v weir)")/kill_at_write.so
[[ -e $killer ]] || { echo "kill_at_write.so is not beside weir"; exit 1; }
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

kills=0 midway=0 left=0
for ((k = 1; ; k++)); do
  rm -rf "$run/j"
  status=0
  { KILL_AT=$k LD_PRELOAD=$killer weir --run-dir "$run/j" apply "$run/plan.yml" >/dev/null || status=$?; } 2>/dev/null  # bash tells of each kill
  after=$(changed)
  ((status == 137)) || break  # it made no k-th write: it came to its end
  kills=$((kills + 1))
  if ((after > 0 && after < n)); then midway=$((midway + 1)); fi
  if ((kills % 50 == 0)); then echo "… $kills kills, $midway midway, $left limits left changed"; fi
  weir --run-dir "$run/j" undo >/dev/null 2>&1 || true
  wrong=$(changed)
  if ((wrong > 0)); then
    left=$((left + wrong))
    echo "after a kill before write $k: $wrong limits left changed"
    for ((i = 1; i <= n; i++)); do echo max >"$mount/$top/c$i/cpu.max"; done
  fi
done
((status == 0 && after == n)) || { echo "the plan did not come to its end: status $status, $after of $n limits"; exit 1; }
echo "machine: $(uname -r), $(nproc) CPUs; a plan over $n cgroups"
echo "$kills kills, $midway of them with some limits changed and some not; left changed after undo: $left (target 0)"
((left == 0))
