#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7
# A cut of memory below what is in use: the kernel never kills for it, and whatever happens on the way goes back.
# timeout: 900
. tests/system/lib.sh

mount=/sys/fs/cgroup
top="weir-shrink-test"
run=$(mktemp -d -p /var/tmp)
export COLUMNS=120

emptied() { # emptied CGROUP: nothing runs in it any more
  echo 1 >"$mount/$top/$1/cgroup.kill"
  wait_for 30 grep -q 'populated 0' "$mount/$top/$1/cgroup.events"
}
cleanup() {
  for one in a b; do emptied "$one"; done
  rmdir "$mount/$top"/*/ "$mount/$top"
  rm -rf "$run"
}
mkdir -p "$mount/$top"
echo '+cpu +memory' >"$mount/cgroup.subtree_control"
echo '+cpu +memory' >"$mount/$top/cgroup.subtree_control"

w() { weir --run-dir "$run/j" "$@"; }
holds() { [[ $(<"$mount/$top/$1/$2") == "$3" ]] || { echo "$1 $2 holds $(<"$mount/$top/$1/$2"), not $3"; return 1; }; }
fresh() { # new cgroups: memory.peak is theirs
  rm -rf "$run/j"
  for one in a b; do
    if [[ -d $mount/$top/$one ]]; then emptied "$one" && rmdir "$mount/$top/$one"; fi
    mkdir "$mount/$top/$one"
  done
}
untouched() { for one in a b; do holds "$one" memory.max max && holds "$one" memory.high max && no_kill "$one"; done; }
no_kill() { grep -qx 'oom_kill 0' "$mount/$top/$1/memory.events"; }
in_force() { [[ $(w changes --json | jq '[.changes[] | select(.state == "in force")] | length') == "$1" ]]; }
inside() { # inside CGROUP COMMAND…
  # shellcheck disable=SC2016
  sh -c 'echo 0 >"$0"; exec "$@"' "$mount/$top/$1/cgroup.procs" "${@:2}"
}
cached() { # cached CGROUP MIB: clean page cache
  inside "$1" dd if=/dev/zero "of=$run/file.$1" bs=1M "count=$2" conv=fsync 2>/dev/null
}
uses() { (($(<"$mount/$top/$1/memory.current") >= $2 << 20)); }
needs() { (($(awk '$1 == "anon" {print $2}' "$mount/$top/$1/memory.stat") >= $2 << 20)); }
grows() { # grows CGROUP MIB: anonymous memory, kept
  inside "$1" weir-lab memory --size "$2M" --step 16M >/dev/null 2>&1 &
}
changed() { [[ $(<"$mount/$top/$1/$2") != max ]]; }

clean_cache() {
  fresh
  cached a 96
  uses a 90
  w set "/$top/a" memory=48M --budget 6s --json >"$run/json"
  jq -e '.changes[0].status == "changed" and .changes[0].shrink.in_use > 90000000 and .changes[0].shrink.not_reclaimable < 20000000' "$run/json"
  holds a memory.max $((48 << 20))
  holds a memory.high max
  no_kill a
  grep -qx 'max 0' "$mount/$top/a/memory.events"
  in_force 1
  w undo
  untouched
}
t "clean cache is shrunk, then memory.max is cut" clean_cache

dry_run() {
  fresh
  cached a 96
  says "shrinks it first" w set "/$top/a" memory=48M --dry-run
  w set "/$top/a" memory=48M --dry-run --json | jq -e '.changes[0].status == "dry-run" and .changes[0].shrink.in_use > 90000000'
  untouched
  [[ ! -e $run/j ]]
}
t "--dry-run says what would be shrunk, and writes nothing" dry_run

anonymous() {
  fresh
  grows a 64
  wait_for 60 needs a 64
  says "below what is in use and cannot be reclaimed" exits 1 w set "/$top/a" memory=66M
  says "--force does it anyway" exits 1 w set "/$top/a" memory.high=40M
  untouched
  [[ ! -e $run/j ]]
}
t "anonymous memory in the way: refused before anything is written" anonymous

never_near() {
  fresh
  cached a 16
  w set "/$top/a" memory=64M --json | jq -e '.changes[0].status == "changed" and (.changes[0] | has("shrink") | not)'
  w changes --json | jq -e '.changes | length == 1'
}
t "what never came near its new limit is cut at once" never_near

forced() {
  fresh
  cached a 96
  w set "/$top/a" memory=48M --force
  holds a memory.max $((48 << 20))
  w changes --json | jq -e '.changes | length == 1'
  w undo
  untouched
}
t "--force writes directly" forced

high() {
  fresh
  cached a 96
  w set "/$top/a" memory.high=48M --budget 6s
  holds a memory.high $((48 << 20))
  if uses a 49; then return 1; fi
  w undo
  untouched
}
t "memory.high is lowered in steps" high

both() {
  fresh
  cached a 96
  w set "/$top/a" memory.high=40M memory.max=64M --budget 6s
  holds a memory.high $((40 << 20))
  holds a memory.max $((64 << 20))
  w undo
  untouched
}
t "memory.high and memory.max of one cgroup" both

growing() { # b, which fits, is taken back with it
  fresh
  cached a 96
  cached b 96
  w set "/$top/a" "/$top/b" memory=64M --budget 120s -y --json >"$run/json" 2>"$run/err" &
  local weir=$!
  wait_for 60 changed a memory.high
  grows a 90
  exits 1 wait "$weir"
  jq -e '.changes[0].status == "failed" and (.changes[0].why | contains("cannot be reclaimed"))' "$run/json"
  jq -e '.changes[1].status == "failed"' "$run/json"
  untouched
  in_force 0
}
t "a need that grows meanwhile is seen, and all goes back" growing

killed() {
  local file
  for file in memory.high memory.max; do
    fresh
    cached a 96
    cached b 96
    weir --run-dir "$run/j" set "/$top/a" "/$top/b" memory=48M --budget 30s -y >/dev/null 2>&1 &
    wait_for 90 changed a "$file"
    kill -9 $!
    wait $! || true
    changed a memory.high
    w undo
    untouched || { echo "after a kill once $file was written"; return 1; }
    in_force 0
  done
}
t "kill -9 midway: undo takes all of it back" killed

killed_everywhere() {
  local call n
  for call in write pwrite64; do
    for n in 1 2 3 4 5 6; do
      fresh
      cached a 64
      strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
        weir --run-dir "$run/j" set "/$top/a" memory=48M --budget 3s >/dev/null 2>&1 || true
      w undo --all
      untouched || { echo "after a kill before $call $n"; return 1; }
    done
  done
}
t "killed at any write: undo --all takes it back" killed_everywhere

undone() { # of a raise: that is a cut, too
  fresh
  echo 64M >"$mount/$top/a/memory.max"
  w set "/$top/a" memory=200M
  cached a 96
  uses a 90
  w undo --json | jq -e '.changes[0].status == "changed" and .changes[0].shrink.in_use > 90000000'
  holds a memory.max $((64 << 20))
  holds a memory.high max
  no_kill a
  in_force 0
  w set "/$top/a" memory=200M
  grows a 90
  wait_for 60 needs a 90
  says "below what is in use" exits 1 w undo
  holds a memory.max $((200 << 20))
  no_kill a
}
t "undo of a raise shrinks too, and never kills" undone

meanwhile() { # b may be changed while a is shrunk; undo of a waits for its end
  fresh
  cached a 96
  cached b 16
  timeout -s KILL 100 strace -f -qq -o /dev/null -P "$mount/$top/a/memory.reclaim" \
    -e trace=pwrite64 -e inject=pwrite64:delay_enter=1s weir --run-dir "$run/j" set "/$top/a" memory=48M --budget 60s >"$run/out" 2>&1 &
  local shrinking=$!
  wait_for 60 changed a memory.high
  w set "/$top/b" cpus=0.5 memory=64M
  holds a memory.max max
  w set "/$top/a" cpus=0.5
  holds a memory.max max
  w undo
  holds a cpu.max 'max 100000'
  w undo --all
  wait "$shrinking"
  untouched
  in_force 0
}
t "while one is shrunk others can be changed, and undo waits for it" meanwhile

interrupted() {
  fresh
  cached a 96
  weir --run-dir "$run/j" set "/$top/a" memory=48M --budget 120s >"$run/out" 2>&1 &
  wait_for 60 changed a memory.high
  kill -TERM $!  # a shell without job control starts it with SIGINT ignored
  exits 1 wait $!
  grep -q interrupted "$run/out"
  untouched
  in_force 0
}
t "a signal takes it back" interrupted

blocked() { # strace holds every reclaim of a for longer than the budget; b is done meanwhile, and goes back because a failed
  fresh
  cached a 96
  cached b 96
  says "does not return" exits 1 timeout -s KILL 100 strace -f -qq -o /dev/null -P "$mount/$top/a/memory.reclaim" \
    -e trace=pwrite64 -e inject=pwrite64:delay_enter=20s weir --run-dir "$run/j" set "/$top/a" "/$top/b" memory=48M --budget 6s -y
  holds b memory.max max
  holds b memory.high max
  w undo
  untouched
}
t "a write that blocks holds neither the caller nor another container" blocked

finish
