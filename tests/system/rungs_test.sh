#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7
# Each source of `weir watch`'s events alone, on the real kernel: BPF, poll (PSI triggers, memory.events), reading.
# timeout: 600
. tests/system/lib.sh

run=$(mktemp -d -p /var/tmp)
cleanup() {
  docker rm -f spinning hungry calm >/dev/null 2>&1
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null; done
  rm -rf "$run"
}
begin() { # begin NAME [COMMAND…] -- [ARG…]: a watch that has begun; its pid is in $watcher
  local name=$1 before=()
  shift
  while [[ $1 != -- ]]; do before+=("$1") && shift; done
  "${before[@]}" weir --run-dir "$run/$name" watch --json --no-log "${@:2}" >"$run/$name.out" 2>"$run/$name.err" &
  watcher=$!
  wait_for 60 grep -q 'Ctrl-C ends it' "$run/$name.err"
  cat "$run/$name.err"
}
stop() { kill -INT "$watcher" && wait "$watcher"; }
told() { jq -es "any(.[]; $2)" "$run/$1.out" >/dev/null; }
spin() { docker run --detach --name spinning --cpus 0.1 --network none busybox sh -c 'while :; do :; done' >/dev/null; }
eat() {
  docker run --rm --name hungry --memory 24m --memory-swap 24m --network none -v "$(command -v weir-lab):/weir-lab:ro" busybox \
    sh -c '/weir-lab memory --size 64M --step 8M; sleep 3' >/dev/null 2>&1
}

by_bpf() {
  begin bpf -- --sources bpf
  grep -q '^weir: throttling by BPF (.* throttle_cfs_rq), told after' "$run/bpf.err"
  grep -q '^weir: victims of kills by BPF' "$run/bpf.err"
  if grep -q PSI "$run/bpf.err"; then return 1; fi
  spin
  wait_for 60 told bpf '.event == "cpu_throttled" and .container.name == "spinning" and .held_ms >= 25 and .period_ms == 100'
  docker rm -f spinning >/dev/null
  eat
  wait_for 60 told bpf '.event == "oom_kill" and .container.name == "hungry" and .victim_comm == "weir-lab" and .victim_pid > 1 and
    .limit_of == "container"'
  stop
}
t "by BPF: throttling at once with how long it is held, and who was killed by whose limit" by_bpf

by_poll() {
  begin poll -- --sources poll
  grep -q '^weir: waits by PSI triggers (200 ms in 1 s), told after' "$run/poll.err"
  grep -q '^weir: memory limits by memory.events, told after' "$run/poll.err"
  if grep -q BPF "$run/poll.err"; then return 1; fi
  spin
  wait_for 60 told poll '.event == "psi_spike" and .container.name == "spinning" and .resource == "cpu"'
  docker rm -f spinning >/dev/null
  eat
  wait_for 60 told poll '.event == "oom_kill" and .container.name == "hungry" and .kills == 1'
  told poll '.event == "memory_max" and .container.name == "hungry"'
  stop
}
t "by poll: waits by PSI triggers, memory limits by memory.events" by_poll

by_slow_triggers() {
  begin slow setpriv --bounding-set -sys_resource,-bpf,-perfmon,-sys_admin --inh-caps -sys_resource -- --sources poll
  # Kernels before 6.5 have none for those who lack the capability.
  [[ $(uname -r) == 6.1.* ]] || grep -q '^weir: waits by PSI triggers (400 ms in 2 s), told after' "$run/slow.err"
  if grep -q '200 ms in 1 s' "$run/slow.err"; then return 1; fi
  spin
  wait_for 60 told slow '.event == "psi_spike" and .container.name == "spinning" and .resource == "cpu"'
  docker rm -f spinning >/dev/null
  stop
}
t "without CAP_SYS_RESOURCE by triggers of 2 s, or by reading where the kernel has none" by_slow_triggers

# A trigger of 2 s begins with all that the cgroup ever waited (psi_trigger_create).
believes_no_first_window() {
  docker run --detach --name calm --cpus 0.1 --network none busybox sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exec sleep 1000' >/dev/null
  calm_pid=$(docker inspect --format '{{.State.Pid}}' calm)
  wait_for 120 sleeps
  begin calm setpriv --bounding-set -sys_resource,-bpf,-perfmon,-sys_admin --inh-caps -sys_resource -- --sources poll calm
  sleep 9
  if told calm '.event == "psi_spike" and .container.name == "calm"'; then return 1; fi
  stop
  docker rm -f calm >/dev/null
}
sleeps() { [[ $(<"/proc/$calm_pid/comm") == sleep ]]; }
t "what a container waited long ago is not told by a trigger of 2 s" believes_no_first_window

by_reading() {
  begin read -- --sources read
  if grep -q 'told after' "$run/read.err"; then return 1; fi
  spin
  wait_for 60 told read '.event == "cpu_throttled" and .container.name == "spinning" and .percent >= 25'
  wait_for 60 told read '.event == "psi_spike" and .container.name == "spinning" and .percent >= 20'
  docker rm -f spinning >/dev/null
  stop
}
t "by reading: the same, from what was counted in a second" by_reading

probes() { find /sys/fs/cgroup -maxdepth 1 -name 'weir-probe-*'; }
no_probe_left() { [[ -z $(probes) ]]; }
killed_at_start() {
  no_probe_left
  weir --run-dir "$run/k" watch --no-log >/dev/null 2>&1 &
  wait_for 30 probe_made
  kill -9 $!
  wait $! || true
  begin again -- --sources poll
  no_probe_left
  stop
}
probe_made() { [[ -n $(probes) ]]; }
t "killed while it tries its sources: the next one leaves nothing of it" killed_at_start

finish
