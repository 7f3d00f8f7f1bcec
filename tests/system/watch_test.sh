#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7
# `weir watch` on real containers: what happens is told, once, by whoever samples, and nothing is left open.
# timeout: 900
. tests/system/lib.sh

run=$(mktemp -d -p /var/tmp)
slice=/sys/fs/cgroup/system.slice
evidence() { tail -n 4 "$run"/*.out "$run"/*.err; }
cleanup() {
  docker rm -f watched hungry quiet >/dev/null 2>&1
  podman rm -f podded >/dev/null 2>&1
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null; done
  rmdir "$slice"/docker-0*.scope 2>/dev/null
  rm -rf "$run"
}

watcher=
begin() { # begin NAME [ARG…]: a watch that has begun; its pid is in $watcher
  [[ $1 == [ef] ]] || rm -rf "$run/r"  # one that a failed test left behind has its own
  weir --run-dir "$run/r" watch --json --log "$run/$1.log" "${@:2}" >"$run/$1.out" 2>"$run/$1.err" &
  watcher=$!
  wait_for 60 grep -q 'Ctrl-C ends it' "$run/$1.err"
}
stop() { kill -INT "$watcher" 2>/dev/null || kill -TERM "$watcher"; wait "$watcher"; }
lived() { # lived NAME CONTAINER: it was told as started and as ended, once (it may have suffered in between)
  jq -es --arg name "$2" '[.[] | select(.container.name == $name and (.event | startswith("container_"))) | .event] ==
    ["container_started", "container_ended"]' "$run/$1.out"
}
told() { # told NAME FILTER: some event is so
  jq -es "any(.[]; $2)" "$run/$1.out" >/dev/null
}
sampled() { [[ -s $run/r/frames ]]; }

comes_and_goes() {
  begin a
  wait_for 30 sampled
  docker run --rm --name watched --network none busybox true
  wait_for 60 told a '.event == "container_ended" and .container.name == "watched"'
  lived a watched
  jq -es 'all(.[]; .schema == 1 and .time_ns > 0)' "$run/a.out"
  wait_for 30 diff "$run/a.out" "$run/a.log"
  stop
  [[ ! -e $run/r/frames ]]
}
t "a container that starts and ends is told, by its name, once; also in the log" comes_and_goes

throttled() {
  begin b
  docker run --detach --name watched --cpus 0.1 --network none busybox sh -c 'while :; do :; done' >/dev/null
  wait_for 60 told b '.event == "cpu_throttled" and .state == "begin" and .container.name == "watched"'
  docker update --cpus 2 watched >/dev/null
  wait_for 90 told b '.event == "cpu_throttled" and .state == "end" and .worst_percent >= 25'
  docker rm -f watched >/dev/null
  stop
}
t "throttling is told when it begins and when it ends" throttled

killed() {
  begin c
  docker run --rm --name hungry --memory 24m --memory-swap 24m --network none -v "$(command -v weir-lab):/weir-lab:ro" busybox \
    sh -c '/weir-lab memory --size 64M --step 8M; sleep 3' >/dev/null 2>&1
  wait_for 60 told c '.event == "oom_kill" and .container.name == "hungry" and .kills == 1'
  wait_for 60 told c '.event == "memory_max" and .container.name == "hungry"'
  if told c '.event == "oom_kill" and .scope == "host"'; then return 1; fi
  stop
}
t "a kill for want of memory is told, of the container and not of the host as well" killed

one_samples() {
  begin d
  local first=$watcher second third
  wait_for 30 sampled
  begin e
  second=$watcher
  begin f quiet
  third=$watcher
  grep -q 'once a second' "$run/d.err"
  grep -q 'from the frames of another' "$run/e.err"
  docker run --rm --name watched --network none busybox true
  for one in d e; do wait_for 60 told "$one" '.event == "container_started" and .container.name == "watched"'; done
  [[ ! -s $run/f.out ]]  # only of its target
  kill -9 "$first"
  wait "$first" || true
  docker run --rm --name quiet --network none busybox sleep 8
  wait_for 60 told e '.event == "container_started" and .container.name == "quiet"'
  wait_for 60 told f '.event == "container_started" and .container.name == "quiet"'
  wait_for 60 told e '.event == "container_ended" and .container.name == "quiet"'
  lived e quiet
  kill -TERM "$second" "$third"
  wait "$second" "$third"
}
t "one samples, others attach; when it is killed another goes on, and nothing is told twice" one_samples

stopped() {
  begin j
  local first=$watcher
  wait_for 30 sampled
  begin e --sources read
  kill -STOP "$first"
  wait_for 60 grep -q 'is silent' "$run/e.err"
  docker run --detach --name watched --cpus 0.1 --network none busybox sh -c 'while :; do :; done' >/dev/null
  wait_for 60 told e '.event == "cpu_throttled" and .container.name == "watched"'
  kill -CONT "$first"
  wait_for 60 told j '.event == "cpu_throttled" and .container.name == "watched"'
  docker rm -f watched >/dev/null
  wait_for 60 told e '.event == "container_ended" and .container.name == "watched"'
  stop
  watcher=$first
  stop
}
t "while the one that samples is stopped, the others go on" stopped

renamed() {
  docker run --detach --name watched --network none busybox sleep 1000 >/dev/null
  begin k
  docker rename watched quiet
  wait_for 60 shown quiet
  weir --run-dir "$run/r" set quiet cpus=0.5
  wait_for 60 told k '.event == "limit_changed" and .container.name == "quiet"'
  docker rm -f quiet >/dev/null
  wait_for 60 told k '.event == "container_ended" and .container.name == "quiet"'
  stop
}
shown() { weir --run-dir "$run/r" top --once --json | jq -e --arg name "$1" 'any(.containers[]; .name == $name)'; }
t "a container that is renamed is told by its new name from then on" renamed

by_whom() {
  docker run --detach --name watched --network none busybox sleep 1000 >/dev/null
  begin h
  weir --run-dir "$run/r" set watched cpus=0.5 --reason 'load test'
  wait_for 60 told h '.event == "limit_changed" and .knob == "cpu.max" and .new == "50000 100000" and .by_weir == "set" and
    .reason == "load test" and .by_comm == "weir"'
  docker update --cpus 0.7 watched >/dev/null
  wait_for 60 told h '.event == "limit_changed" and .new == "70000 100000" and (.by_comm == "systemd" or .by_comm == "runc") and
    (has("by_weir") | not)'
  jq -es '[.[] | select(.event == "limit_changed" and .knob == "cpu.max" and .new == "70000 100000")] | length == 1' "$run/h.out"
  docker rm -f watched >/dev/null
  stop
}
t "a limit that changes is told, with who changed it" by_whom

pods() {
  begin i
  podman run --rm --name podded --network none busybox sleep 1
  wait_for 60 told i '.event == "container_ended" and .container.name == "podded"'
  lived i podded
  told i '.container.name == "podded" and .container.runtime == "podman"'
  stop
}
t "a container of podman's is told by its name as well" pods

# Of the services that stay, pressure triggers come and go with their waits: those are not counted.
of_the_gone() { find "/proc/$watcher/fd" -lname '*/docker-0*' | wc -l; }
of_no_cgroup() { find "/proc/$watcher/fd" -type l -not -lname '/sys/fs/cgroup/*' | wc -l; }
none_left_open() { (($(of_the_gone) == 0 && $(of_no_cgroup) <= before)); }
# Made and removed as runc does, 100 in all, as fast as they come.
churned() {
  begin g
  wait_for 30 sampled
  local before n id
  before=$(of_no_cgroup)
  for ((n = 0; n < 100; n++)); do
    id=$(printf '%064x' "$n")
    mkdir "$slice/docker-$id.scope"
    # shellcheck disable=SC2016
    sh -c 'echo 0 >"$0/cgroup.procs"; exec true' "$slice/docker-$id.scope"
    until rmdir "$slice/docker-$id.scope" 2>/dev/null; do :; done
  done
  wait_for 120 told g '.event == "container_ended" and (.container.cgroup | endswith("63.scope"))'
  jq -es '[.[] | select(.container.cgroup // "" | contains("docker-00"))] | group_by(.container.cgroup) | length == 100 and
    all(.[]; map(.event | select(startswith("container_"))) == ["container_started", "container_ended"])' "$run/g.out"
  wait_for 30 none_left_open
  stop
}
t "none of a hundred cgroups that come and go at once is lost or told twice, and no file stays open" churned

finish
