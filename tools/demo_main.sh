#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demonstration itself, as root with weir on PATH: on a host or in the guest (demo.sh). Leaves nothing behind.
set -euo pipefail
export LC_ALL=C.UTF-8  # a comma in $EPOCHREALTIME is not a number for awk

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[[ -t 1 ]] || say() { printf '\n== %s\n' "$*"; }
run() {
  printf '$ %s\n' "$*"
  "$@"
}

changed=0
clean_up() {
  ((changed)) && weir -y undo >/dev/null 2>&1
  weir lab down >/dev/null 2>&1
}
trap 'clean_up || true' EXIT

# counters DIRECTORY: usage_usec throttled_usec, as the kernel counts them.
counters() { awk '{v[$1] = $2} END {print v["usage_usec"], v["throttled_usec"]}' "$1/cpu.stat"; }

# What the kernel says about a cgroup over the next 3 seconds.
measure() {
  local before after start
  before=$(counters "$1")
  start=$EPOCHREALTIME
  sleep 3
  after=$(counters "$1")
  awk -v before="$before" -v after="$after" -v seconds="$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {print b - a}')" \
    -v limit="$(<"$1/cpu.max")" 'BEGIN {
      split(before, b); split(after, a)
      printf "  cpu.max %s: used %.2f CPUs, held back for %.0f %% of the time\n", limit, (a[1] - b[1]) / 1e6 / seconds, (a[2] - b[2]) / 1e4 / seconds
    }'
}

say "1. Three workloads, each held back by another resource"
started=$(mktemp)
run weir lab up | tee "$started"
target=$(sed -n 's/^  weir set \([^ ]*\) cpus.*/\1/p' "$started")
directory=/sys/fs/cgroup$(sed -n 's|^ \{1,\}\(/[^ ]*\)$|\1|p' "$started" | head -n 1)
rm -f "$started"

say "2. Who is here, what holds each of them, who suffers"
run weir ls

say "3. The first one wants a whole CPU and gets a fifth. The kernel's own counters over three seconds:"
measure "$directory"
run weir -y set "$target" cpus=0.6 --reason demonstration
changed=1
measure "$directory"
run weir ls

say "4. Everything back as it was"
run weir -y undo
changed=0
measure "$directory"
run weir changes
run weir lab down

say "5. How fast is that? Six ways to change a limit, raced against each other"
run weir latency --quick

if [[ -z ${WEIR_VM:-} ]]; then
  cat <<'END'

Try next (build/release/bin/weir, as root):
  weir doctor              what this host can do, and what each missing piece costs
  weir                     is this host overloaded, who suffers, what changed
  weir latency             the race again, exact
END
fi
