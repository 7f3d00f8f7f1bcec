#!/bin/sh
# SPDX-License-Identifier: MIT
# weir ls --all with 500 cgroups: the whole process's time and its peak memory. Makes the cgroups below a cgroup of its
# own, measures, removes them. Root, and a Release build: bench/ls_500.sh [WEIR [RUNS]]
# Targets: median <= 50 ms, peak <= 20 MiB.
set -eu
weir=${1:-build/release/bin/weir}
runs=${2:-21}
mount=$(awk '$0 ~ / - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
[ -n "$mount" ] || { echo "ls_500: no cgroup2 mount" >&2; exit 3; }
base=$mount/weir-ls-500-$$
cleanup() {
  for i in $(seq 1 500); do [ ! -d "$base/c$i" ] || rmdir "$base/c$i"; done
  [ ! -d "$base" ] || rmdir "$base"
}
trap cleanup EXIT INT TERM
mkdir "$base"
for i in $(seq 1 500); do mkdir "$base/c$i"; done

python3 - "$weir" "$runs" "$mount" <<'END'
import os, statistics, sys, time
weir, runs, mount = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sink = os.open("/dev/null", os.O_WRONLY)
times, peak = [], 0
for i in range(runs + 3):
    begin = time.perf_counter()
    pid = os.posix_spawn(weir, [weir, "ls", "--all"], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, sink, 1)])
    _, status, usage = os.wait4(pid, 0)
    took = (time.perf_counter() - begin) * 1e3
    if status:
        sys.exit(f"ls_500: weir ended with {status}")
    if i >= 3:  # after the warm-up
        times.append(took)
    peak = max(peak, usage.ru_maxrss)
q = statistics.quantiles(times, n=4)
print(f"ls_500: weir ls --all, 500 cgroups, {os.uname().release}, {os.cpu_count()} CPUs, n={runs}")
print(f"  median {statistics.median(times):.1f} ms (quartiles {q[0]:.1f} .. {q[2]:.1f}), peak {peak / 1024:.1f} MiB")
met = statistics.median(times) <= 50 and peak <= 20 * 1024
print(f"  target <= 50 ms and <= 20 MiB: {'met' if met else 'missed'}")
sys.exit(0 if met else 1)
END
