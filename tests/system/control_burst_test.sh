#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir control` by the policy burst: what is needed in short bursts is saved up, what others take is weighed, and only what
# is needed all the time raises the limit.
# timeout: 900
. tests/system/lib.sh
set -E

run=$(mktemp -d -p /var/tmp)
demo=/sys/fs/cgroup/demo
evidence() { tail -n 4 "$run"/*.out "$run"/*.err; }
cleanup() {
  for pid in $(jobs -p); do kill -9 "$pid" 2>/dev/null; done
  wait
  rmdir "$demo" /sys/fs/cgroup/crowd 2>/dev/null
  rm -rf "$run"
}

controller='' case=''
give_up() { # what a test that failed has left running
  for pid in $(jobs -p); do kill -9 "$pid" 2>/dev/null; done
  cat "$run/$1.out"
  head "$demo"/cpu.{max,max.burst,weight,stat}
}
begin() { # begin NAME PID CPU: a control of /demo, with the process in it, by the policy burst
  case=$1
  trap 'give_up "$case"' ERR
  printf 'version: 1\ncontainers:\n  /demo: {create: true, pids: [%s], cpu: {%s, policy: burst}}\n' "$2" "$3" >"$run/containers.yml"
  weir --run-dir "$run/r" control --json --no-log -c "$run/containers.yml" >"$run/$1.out" 2>"$run/$1.err" &
  controller=$!
  wait_for 60 grep -q "put $2 " "$run/$1.err"
}
stop() { # and everything is as it was before
  kill -INT "$controller"
  wait "$controller"
  holds cpu.max 'max 100000'
  holds cpu.max.burst 0
  holds cpu.weight 100
}
leave() { # leave PID
  kill -9 "$1"
  wait_for 30 empty
  rmdir "$demo"
}
empty() { [[ -z $(<"$demo/cgroup.procs") ]]; }
holds() { [[ $(<"$demo/$1") == "$2" ]]; }
told() { jq -es "any(.[]; $2)" "$run/$1.out" >/dev/null; }
used() { awk '$1 == "usage_usec" {print $2}' "$demo/cpu.stat"; }
below_hard() { # in no single period more than the hard limit
  jq -es 'all(.[] | select(.to_burst != null); .to + .to_burst <= .hard + 0.00002)' "$run/$1.out"
}
uses() { (($(used) > $1)); }

bursts() {
  weir-lab cpu --duty 6 --period 1070ms & # 64 ms at once, in every phase of the period
  local worker=$!
  begin a "$worker" 'soft: 0.4, hard: 1, floor: 0.4, step: 0.1, cooldown: 200ms'
  wait_for 60 told a '.event == "soft_limit_raised" and .cause == "own_limit" and .to == 0.4 and .to_burst == 0.4'
  holds cpu.max.burst 40000
  local from
  from=$(used)
  wait_for 120 uses "$((from + 900000))" # some fifteen bursts
  holds cpu.max '40000 100000'
  holds cpu.max.burst 40000
  if told a '.event == "soft_limit_raised" and .to > 0.4'; then return 1; fi
  awk '$1 == "nr_bursts" {exit !($2 > 3)}' "$demo/cpu.stat"
  stop
  below_hard a
  leave "$worker"
}
t "short bursts are let in, and the limit stays" bursts

constant() {
  (while :; do :; done) &
  local worker=$!
  begin b "$worker" 'soft: 0.2, hard: 0.6, floor: 0.2, step: 0.1, cooldown: 200ms'
  wait_for 60 holds cpu.max '60000 100000'
  holds cpu.max.burst 0
  wait_for 60 told b '.event == "hard_limit_reached"'
  stop
  below_hard b
  leave "$worker"
}
t "what is needed all the time raises the limit, never past the hard one with its burst" constant

crowded() {
  mkdir /sys/fs/cgroup/crowd
  local hogs=() worker
  for _ in 1 2; do
    (while :; do :; done) &
    hogs+=($!)
    taskset -p -c 1 $! >/dev/null
    echo $! >/sys/fs/cgroup/crowd/cgroup.procs
  done
  (while :; do :; done) &
  worker=$!
  taskset -p -c 1 "$worker" >/dev/null
  begin c "$worker" 'soft: 0.9, hard: 0.95, floor: 0.9, step: 0.05, cooldown: 200ms'
  wait_for 60 holds cpu.weight 400
  told c '.event == "soft_limit_raised" and .cause == "contention" and .to_weight == 200 and .to == 0.9'
  holds cpu.max '90000 100000'
  if told c '.to_weight > 400'; then return 1; fi
  stop
  kill -9 "${hogs[@]}"
  leave "$worker"
}
t "where others use the CPU it weighs more, up to a bound" crowded

replays() {
  local log
  for log in a b c; do
    weir policy replay --json "$run/$log.out" >"$run/replay"
    jq -e '.same == .decisions and .damaged == 0' "$run/replay"
  done
}
t "what was decided is decided again the same" replays

finish
