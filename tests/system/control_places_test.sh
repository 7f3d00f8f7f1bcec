#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir control` of cgroups that are neither containers nor services: made, with processes put into them, followed,
# removed again when they are empty.
# timeout: 900
. tests/system/lib.sh

run=$(mktemp -d -p /var/tmp)
evidence() { tail -n 4 "$run"/*.out "$run"/*.err; }
cleanup() {
  docker rm -f labelled >/dev/null 2>&1
  for pid in $(jobs -p); do kill -9 "$pid" 2>/dev/null; done
  wait
  rmdir /sys/fs/cgroup/demo/batch /sys/fs/cgroup/demo/sub /sys/fs/cgroup/demo /sys/fs/cgroup/later 2>/dev/null
  rm -rf "$run"
}

controller=
begin() { # begin NAME [ARG…]: a control that has begun, by $run/containers.yml
  weir --run-dir "$run/r" control --json --no-log -c "$run/containers.yml" "${@:2}" >"$run/$1.out" 2>"$run/$1.err" &
  controller=$!
  wait_for 60 grep -q 'Ctrl-C ends it' "$run/$1.err"
}
stop() { kill -INT "$controller"; wait "$controller"; }
told() { jq -es "any(.[]; $2)" "$run/$1.out" >/dev/null; }
holds() { [[ $(<"/sys/fs/cgroup/$1") == "$2" ]]; } # holds FILE VALUE
empty() { [[ -z $(<"/sys/fs/cgroup/$1/cgroup.procs") ]]; }
leave() { # leave CGROUP: the worker and what it waits for
  echo "$worker" >/sys/fs/cgroup/cgroup.procs
  wait_for 30 empty "$1"
}
# Busy while $run/go is there.
sh -c "while :; do if [ -e $run/go ]; then :; else sleep 1; fi; done" &
worker=$!
readonly bounds='cpu: {soft: 0.2, hard: 0.6, floor: 0.2, step: 0.1, cooldown: 200ms, parameters: {calm: 1}}'
configure() { printf 'version: 1\ncontainers:\n  %s\n' "$1" >"$run/containers.yml"; }

says_before() {
  configure "/demo/batch: {create: true, pids: [$worker], $bounds}"
  weir control --check -c "$run/containers.yml" | tee "$run/check"
  grep -q 'would make /demo/batch' "$run/check"
  grep -q 'would turn on cpu below /demo' "$run/check"
  grep -q "would put $worker (sh) into /demo/batch" "$run/check"
  begin a --dry-run
  wait_for 30 grep -q 'would make /demo/batch' "$run/a.err"
  stop
  [[ ! -e /sys/fs/cgroup/demo ]]
}
t "--check and --dry-run tell what would be made, and make nothing" says_before

follows() {
  begin b
  wait_for 60 holds demo/batch/cpu.max '20000 100000'
  grep -q 'weir: make /demo/batch' "$run/b.err"
  wait_for 60 grep -q "weir: put $worker (sh) into /demo/batch" "$run/b.err"
  [[ $(grep -o '/.*' "/proc/$worker/cgroup") == /demo/batch ]]
  touch "$run/go"
  wait_for 60 told b '.event == "soft_limit_raised" and .container.name == "/demo/batch" and .cause == "own_limit"'
  wait_for 60 holds demo/batch/cpu.max '60000 100000'
  wait_for 60 told b '.event == "hard_limit_reached"'
  rm "$run/go"
  wait_for 60 told b '.event == "soft_limit_lowered" and .to == 0.2 and .cause != "bounds"'
  stop
  holds demo/batch/cpu.max 'max 100000'
  grep -q '/demo/batch stays: there are processes in it' "$run/b.err"
  [[ $(grep -o '/.*' "/proc/$worker/cgroup") == /demo/batch ]]
}
t "a cgroup is made with its processes, follows their load, and stays while they are in it" follows

killed() {
  begin c
  wait_for 60 holds demo/batch/cpu.max '20000 100000'
  kill -9 "$controller"
  wait "$controller" || true
  echo "$worker" >/sys/fs/cgroup/cgroup.procs
  begin d
  wait_for 60 grep -q "put $worker (sh) into /demo/batch" "$run/d.err"
  leave demo/batch
  stop
  [[ ! -e /sys/fs/cgroup/demo ]]
}
t "after a kill it knows what it made, and removes it once it is empty" killed

refuses() {
  docker run --detach --name labelled --network none --label com.example.cgroup_path=/demo/elsewhere busybox sleep 1000 >/dev/null
  local inside thread
  inside=$(docker inspect --format '{{.State.Pid}}' labelled)
  thread=$(pgrep -x kthreadd)
  cat >"$run/containers.yml" <<YAML
version: 1
containers:
  /system.slice/mine: {create: true, $bounds}
  /demo/sub: {create: true, pids: [1, $thread, $inside, 2147483600, $worker], $bounds}
  labelled: {$bounds}
YAML
  weir control --check --json -c "$run/containers.yml" | tee "$run/check"
  jq -e '[.targets[].troubles[]] | length == 5' "$run/check"
  begin e
  wait_for 60 grep -q "put $worker (sh) into /demo/sub" "$run/e.err"
  grep -q '/system.slice/mine: is not made: that place belongs to systemd' "$run/e.err"
  grep -q "process 1: is not moved: it is the host's init" "$run/e.err"
  grep -q "process $thread: is not moved: it is a thread of the kernel" "$run/e.err"
  grep -q "process $inside: is not moved: it belongs to the container labelled" "$run/e.err"
  grep -q 'process 2147483600:' "$run/e.err"
  wait_for 60 grep -q 'not where its label com.example.cgroup_path says (/demo/elsewhere)' "$run/e.err"
  [[ ! -e /sys/fs/cgroup/system.slice/mine && ! -e /sys/fs/cgroup/demo/elsewhere ]]
  [[ $(grep -o '/.*' "/proc/$inside/cgroup") == *docker* ]]
  leave demo/sub
  stop
  [[ ! -e /sys/fs/cgroup/demo ]]
  docker rm -f labelled >/dev/null
}
t "what belongs to systemd, a container or the kernel is let be; a label is shown and not followed" refuses

busy_parent() {
  mkdir /sys/fs/cgroup/demo
  echo "$worker" >/sys/fs/cgroup/demo/cgroup.procs
  configure "/demo/batch: {create: true, $bounds}"
  begin f
  wait_for 60 grep -q '/demo: has processes of its own' "$run/f.err"
  [[ ! -e /sys/fs/cgroup/demo/batch && $(</sys/fs/cgroup/demo/cgroup.type) == domain && -z $(</sys/fs/cgroup/demo/cgroup.subtree_control) ]]
  stop
  leave demo
  rmdir /sys/fs/cgroup/demo
}
t "below a cgroup that has processes nothing is made" busy_parent

comes_and_goes() {
  configure "/later: {$bounds}"
  local watcher
  weir --run-dir "$run/r" watch --no-log >/dev/null 2>"$run/watch.err" & # it samples for the host
  watcher=$!
  wait_for 60 grep -q 'watching, once a second' "$run/watch.err"
  begin g
  wait_for 60 grep -q '/later is not there' "$run/g.err"
  mkdir /sys/fs/cgroup/later
  wait_for 60 holds later/cpu.max '20000 100000'
  rmdir /sys/fs/cgroup/later
  mkdir /sys/fs/cgroup/later
  wait_for 60 holds later/cpu.max '20000 100000'
  echo "$worker" >/sys/fs/cgroup/later/cgroup.procs
  touch "$run/go"
  wait_for 60 told g '.event == "soft_limit_raised" and .container.name == "/later"'
  rm "$run/go"
  stop
  holds later/cpu.max 'max 100000'
  kill -INT "$watcher"
  wait "$watcher"
}
t "one that comes later is taken in, also while another weir samples, and is not removed" comes_and_goes

finish
