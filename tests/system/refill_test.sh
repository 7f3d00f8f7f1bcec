#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7
# A write of cpu.max fills the bucket: what each one granted is booked, and one that follows another waits for the CFS period.
. tests/system/lib.sh

mount=/sys/fs/cgroup
top=weir-refill-test
run=$(mktemp -d)
mkdir -p "$mount/$top"
echo +cpu >"$mount/cgroup.subtree_control"
(echo "$BASHPID" >"$mount/$top/cgroup.procs" && exec sh -c 'while :; do :; done') &
spinner=$!

cleanup() {
  kill "$spinner"
  wait "$spinner"
  rmdir "$mount/$top"
  rm -rf "$run"
}
w() { weir --run-dir "$run/j" "$@"; }
granted() { jq -c '.changes[0].granted_usec' "$run/json"; }

from_no_limit() {
  w set "/$top" cpu.max=20000 --json >"$run/json"
  [[ $(granted) == '{"exact":0}' ]]
}
t "the first limit grants nothing" from_no_limit

soon_after() {
  w set "/$top" cpu.max=19000 --json >"$run/json"
  [[ $(granted) == '{"exact":'* ]]
  w undo --json >"$run/json"
  [[ $(granted) == '{"exact":'* && $(<"$mount/$top/cpu.max") == '20000 100000' ]]
}
t "a change soon after another, and its undoing, are booked by the kernel's account" soon_after

periods() { sed -n 's/^nr_periods //p' "$mount/$top/cpu.stat"; }
ten_periods_later() { (($(periods) >= at + 11)); }
long_after() {
  at=$(periods)
  wait_for 30 ten_periods_later
  w set "/$top" cpu.max=30000 --json >"$run/json"
  [[ $(granted) == '{"at_most":20000}' ]]
  [[ $(w changes --json | jq '[.changes[] | .granted_usec.at_most] | max') == 20000 ]]
}
at=$(periods)
t "one of unknown phase is booked at the most that it can grant" long_after

unchanged() {
  w set "/$top" cpu.max=25000
  records=$(wc -l <"$run/j/limits.journal")
  says unchanged w set "/$top" cpu.max=25000
  (($(wc -l <"$run/j/limits.journal") == records))
}
t "the value that it has is not written at all" unchanged

hundreds() {
  w undo --all
  w set "/$top" cpu.max=20000
  for n in 1 2 3 4 5; do w set "/$top" cpu.max=$((20000 - n)); done
  w undo --all
  [[ $(<"$mount/$top/cpu.max") == 'max 100000' ]]
}
t "a row of changes goes back to the first value" hundreds

# By its own words, not by its numbers: those are measured, not tested.
hooked() {
  cpu_leak 3 >"$run/leak" || true
  cat "$run/leak"
  grep -q "period starts by .*\(sched_cfs_period_timer\|hrtimer_expire_entry\)" "$run/leak"
  (($(grep -c 'regulator, BPF' "$run/leak") == 8))
}
t "the starts of periods are seen by BPF" hooked
finish
