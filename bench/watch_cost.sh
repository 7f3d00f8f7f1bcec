#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `weir watch` costs beside N cgroups, each with a process that sleeps: CPU over SECONDS and the most memory it had.
#
#   bench/watch_cost.sh [N [SECONDS]]      as root, on a host with a cgroup2 mount; weir on PATH
set -euo pipefail
n=${1:-100} seconds=${2:-60}
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
begin_place bench
for controller in cpu memory io pids; do
  if grep -qw "$controller" "$mount/cgroup.controllers"; then
    echo "+$controller" >"$mount/cgroup.subtree_control"
    echo "+$controller" >"$top/cgroup.subtree_control"
  fi
done
for ((i = 0; i < n; i++)); do
  cgroup=$top/docker-$(printf '%064x' "$i").scope
  mkdir "$cgroup"
  sleep 100000 &
  pids+=($!)
  echo $! >"$cgroup/cgroup.procs"
done
weir --run-dir "$run/r" --cgroup-root "$mount" watch --json --log "$run/events.jsonl" >/dev/null 2>"$run/err" &
watch=$!
pids+=("$watch")
until grep -q 'Ctrl-C ends it' "$run/err"; do sleep 0.1; done
sleep 3
ticks() { awk '{print $14 + $15}' "/proc/$watch/stat"; }
before=$(ticks)
sleep "$seconds"
after=$(ticks)
files=$(find "/proc/$watch/fd" -mindepth 1 | wc -l)
hwm=$(awk '$1 == "VmHWM:" {print $2}' "/proc/$watch/status")
head -1 "$run/err"
awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" -v s="$seconds" -v n="$n" -v f="$files" -v m="$hwm" 'BEGIN {
  printf "watch_cost: %d cgroups, %d s: %.2f %% of a core (target <= 1), %.1f MiB at the most (target <= 25), %d open files\n",
    n, s, 100 * t / hz / s, m / 1024, f }'
