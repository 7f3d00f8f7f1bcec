#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir control` on real containers: soft limits follow the load below hard ones, and are as before when it ends.
# timeout: 900
# kernels: 6.1 7
. tests/system/lib.sh

run=$(mktemp -d -p /var/tmp)
evidence() { tail -n 4 "$run"/*.out "$run"/*.err; }
cleanup() {
  docker rm -f busy ramp cache hog1 hog2 >/dev/null 2>&1
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null; done
  rmdir /sys/fs/cgroup/held.slice 2>/dev/null
  rm -rf "$run"
}

controller=
begin() { # begin NAME [ARG…]: a control that has begun, by $run/containers.yml
  weir --run-dir "$run/r" control --json -c "$run/containers.yml" --log "$run/$1.log" "${@:2}" >"$run/$1.out" 2>"$run/$1.err" &
  controller=$!
  wait_for 60 grep -q 'Ctrl-C ends it' "$run/$1.err"
}
stop() { kill -INT "$controller"; wait "$controller"; }
told() { # told NAME FILTER: some event is so
  jq -es "any(.[]; $2)" "$run/$1.out" >/dev/null
}
cgroup_of() { echo "/sys/fs/cgroup/system.slice/docker-$(docker inspect --format '{{.Id}}' "$1").scope"; }
holds() { [[ $(<"$(cgroup_of "$1")/$2") == "$3" ]]; } # holds CONTAINER KNOB VALUE
# Busy while /go is there.
start_busy() {
  docker run --detach --name busy --network none "$@" busybox sh -c 'while :; do if [ -e /go ]; then :; else sleep 2; fi; done' >/dev/null
}
configure() { # configure CPU…: what the cpu of the container busy may do
  printf 'version: 1\ncontainers:\n  busy:\n    cpu: {%s}\n' "$1" >"$run/containers.yml"
}
# Idle it stays at its soft limit, which is its floor.
readonly bounds='soft: 0.2, hard: 0.6, floor: 0.2, step: 0.1, cooldown: 200ms, parameters: {calm: 1}'

rows() { (($(wc -l <"$run/samples.jsonl") >= $1)); }
follows() {
  start_busy
  configure "$bounds"
  printf 'outputs: {samples: %s/samples.jsonl}\n' "$run" >>"$run/containers.yml"
  begin a
  wait_for 60 holds busy cpu.max '20000 100000'
  docker exec busy touch /go
  wait_for 60 told a '.event == "soft_limit_raised" and .container.name == "busy" and .cause == "own_limit" and .limit == 0.2 and .to > 0.2'
  wait_for 60 holds busy cpu.max '60000 100000'
  wait_for 60 told a '.event == "hard_limit_reached" and .hard == 0.6'
  jq -es 'all(.[]; (.to // 0) <= 0.6)' "$run/a.out"
  docker exec busy rm /go
  wait_for 60 told a '.event == "soft_limit_lowered" and .to == 0.2 and .cause != "bounds"'
  wait_for 60 rows 6
  stop
  holds busy cpu.max 'max 100000'
  wait_for 30 diff "$run/a.out" "$run/a.log"
}
replays() {
  local log
  for log in a.log samples.jsonl; do
    weir policy replay --json "$run/$log" >"$run/replay"
    jq -e '.decisions > 3 and .same == .decisions and .damaged == 0' "$run/replay"
  done
  jq -es 'all(.[]; .outcome.looks > 3 and .view.limit > 0) and any(.[]; .decision.verdict == "raise")' "$run/samples.jsonl"
  weir policy replay "$run/samples.jsonl" --policy percentile --with percentile=99 | grep -Eq '^cpu +[0-9]+ +[0-9]+ +[0-9.]+ % +- '
}
t "a limit follows the load up to the hard one and down again, and is as before at the end" follows
t "what was decided is decided again the same, from the log and from the samples" replays

dry() {
  docker exec busy touch /go
  begin b --dry-run
  wait_for 60 told b '.event == "soft_limit_lowered"'
  sleep 3
  jq -es '[.[] | select(.event == "soft_limit_lowered" and .cause == "bounds")] | length == 1' "$run/b.out"
  holds busy cpu.max 'max 100000'
  stop
  holds busy cpu.max 'max 100000'
}
t "--dry-run tells and writes nothing" dry

killed() {
  begin c
  wait_for 60 holds busy cpu.max '60000 100000'
  kill -9 "$controller"
  wait "$controller" || true
  begin d
  wait_for 60 told d '.event == "hard_limit_reached"'
  if told d '.event == "soft_limit_lowered"'; then return 1; fi # it goes on from there
  stop
  holds busy cpu.max 'max 100000'
}
t "killed, it goes on from where it was, and still knows what was before" killed

again() {
  begin e
  wait_for 60 holds busy cpu.max '60000 100000'
  printf 'version: 1\ncontainers:\n  busy:\n    cpu: {hrad: 1}\n' >"$run/new.yml"
  mv "$run/new.yml" "$run/containers.yml"
  wait_for 60 grep -q 'stays as it was: .*containers.yml:4:' "$run/e.err"
  : >"$run/containers.yml"
  kill -HUP "$controller"
  wait_for 60 grep -q 'stays as it was: .*nothing' "$run/e.err"
  holds busy cpu.max '60000 100000'
  configure "${bounds/hard: 0.6/hard: 0.4}"
  wait_for 60 holds busy cpu.max '40000 100000'
  if weir --run-dir "$run/r" control -c "$run/containers.yml" 2>"$run/second.err"; then return 1; fi
  grep -q "another weir control runs on this host (pid $controller)" "$run/second.err"
  stop
  holds busy cpu.max 'max 100000'
}
t "a file that changes counts from then on, a wrong one changes nothing, and two do not fight" again

served() {
  ask 9718 'GET /metrics HTTP/1.1' 'Host: 127.0.0.1:9718' >"$run/page" && grep -q "^$1" "$run/page"
}
kept() {
  weir events --json --record-dir "$run/history" >"$run/kept" && jq -es 'any(.[]; .event == "soft_limit_raised")' "$run/kept" >/dev/null
}
shared() {
  configure "$bounds"
  begin j --prometheus 127.0.0.1:9718 --record --record-dir "$run/history"
  wait_for 60 told j '.event == "soft_limit_raised" and .container.name == "busy"'
  wait_for 60 served 'weir_events_total{event="soft_limit_raised",scope="container"} [1-9]'
  wait_for 60 served 'weir_container_cpu_limit_cores{name="busy",.*runtime="docker"} 0'
  wait_for 60 kept
  stop
}
t "what it samples and tells is served and kept as by weir watch" shared

above() {
  docker rm -f busy >/dev/null
  start_busy --cgroup-parent held.slice
  echo '20000 100000' >/sys/fs/cgroup/held.slice/cpu.max
  configure 'soft: 0.3, hard: 0.6, floor: 0.3, step: 0.1, cooldown: 200ms'
  docker exec busy touch /go
  begin f
  local limit
  limit=/sys/fs/cgroup/held.slice/docker-$(docker inspect --format '{{.Id}}' busy).scope/cpu.max
  wait_for 60 grep -q '^30000 ' "$limit"
  wait_for 60 awk '$1 == "nr_throttled" {exit !($2 > 30)}' /sys/fs/cgroup/held.slice/cpu.stat
  if told f '.event == "soft_limit_raised"'; then return 1; fi
  grep -q '^30000 ' "$limit"
  stop
  docker rm -f busy >/dev/null
}
t "nothing is raised below a limit that holds above" above

crowded() {
  start_busy --cpuset-cpus 1
  for name in hog1 hog2; do
    docker run --detach --name "$name" --network none --cpuset-cpus 1 busybox sh -c 'while :; do :; done' >/dev/null
  done
  configure 'soft: 0.7, hard: 0.9, floor: 0.7, step: 0.1, cooldown: 200ms'
  begin h
  docker exec busy touch /go
  local used
  used=$(awk '$1 == "usage_usec" {print $2}' "$(cgroup_of busy)/cpu.stat")
  wait_for 60 awk -v from="$used" '$1 == "usage_usec" {exit !($2 > from + 4000000)}' "$(cgroup_of busy)/cpu.stat"
  if told h '.event == "soft_limit_raised"'; then return 1; fi
  stop
  docker rm -f busy hog1 hog2 >/dev/null
}
t "nothing is raised while others use the CPU" crowded

grows() {
  printf 'version: 1\ncontainers:\n  ramp:\n    memory: {soft: 16M, hard: 80M, floor: 16M, step: 4M, cooldown: 200ms}\n' >"$run/containers.yml"
  begin g
  docker run --detach --name ramp --network none --memory 96m --memory-swap 96m -v "$(command -v weir-lab):/weir-lab:ro" busybox \
    sh -c 'sleep 5; exec /weir-lab memory --size 64M --step 4M' >/dev/null
  wait_for 60 holds ramp memory.high "$((16 * 1048576))"
  wait_for 120 told g '.event == "soft_limit_raised" and .resource == "memory" and .to > 64 * 1048576'
  grep -q '^oom_kill 0$' "$(cgroup_of ramp)/memory.events"
  jq -es 'all(.[] | select(.resource == "memory"); .to <= 80 * 1048576)' "$run/g.out"
  stop
  holds ramp memory.high max
  docker rm -f ramp >/dev/null
}
t "memory that grows below the hard limit is never killed" grows

below() { (($(<"$(cgroup_of cache)/$1") < $2 * 1048576)); } # below FILE MIB
untouched() {
  docker run --detach --name cache --network none busybox sh -c 'dd if=/dev/zero of=/file bs=1M count=40; sync; exec sleep 1000' >/dev/null
  wait_for 60 grep -qx sleep "/proc/$(docker inspect --format '{{.State.Pid}}' cache)/comm"
  if below memory.current 40; then return 1; fi
  printf 'version: 1\ncontainers:\n  cache:\n    memory: {soft: 96M, hard: 96M, floor: 8M, step: 8M, cooldown: 200ms, policy: pressure}\n' >"$run/containers.yml"
  begin p
  wait_for 120 holds cache memory.high "$((8 * 1048576))"
  wait_for 60 below memory.current 9
  stop
  holds cache memory.high max
  docker rm -f cache >/dev/null
}
t "by pressure memory that is not touched is given back" untouched

t "a file that others can write is refused" exits 1 sh -c "chmod o+w $run/containers.yml && weir control --check -c $run/containers.yml"

finish
