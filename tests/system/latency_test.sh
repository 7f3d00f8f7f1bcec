#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# weir latency on a real Docker, a real kernel and real eBPF. Few iterations: what counts is that every combination is there.
. tests/system/lib.sh

work=$(mktemp -d)
json=$work/all.json
# shellcheck disable=SC2317  # called by lib.sh
cleanup() {
  systemctl start docker
  docker rm --force race-target
  rm -rf "$work"
}

left_nothing() {
  [[ -z $(docker ps --all --quiet --filter label=weir.latency=race) ]]
  ! docker images --format '{{.Repository}}' | grep -q weir-latency
}

weir latency --knob cpu.max,memory.max,memory.high,cpu.weight --iterations 100 --slow-iterations 2 --effect-iterations 2 \
  --seed 7 --html "$work/page.html" --csv "$work/table.csv" --json >"$json" 2>"$work/err"
race_status=$?
has() { jq -e "$1" "$json" >/dev/null; }

every_combination() {
  local knob method stage
  for knob in cpu.max memory.max memory.high cpu.weight; do
    for method in docker_cli docker_api runc systemd open_write_close pwrite; do
      for stage in call write_entry handler_done first_effect; do
        jq -e --arg k "$knob" --arg m "$method" --arg s "$stage" '
          any(.results[]; .knob == $k and .method == $m and .stage == $s and .n > 0 and .p50_ns > 0) or
          any(.unsupported[]; .knob == $k and .method == $m and (.stage == null or .stage == $s) and (.reason | length > 0))
        ' "$json" >/dev/null || { echo "missing: $knob $method $stage"; return 1; }
      done
    done
  done
}
ended_well() { ((race_status == 0)) || { cat "$work/err"; return 1; }; }
in_order() {  # a direct write: entry before handler, handler before return
  has '[.results[] | select(.method == "pwrite" and .knob == "cpu.max")] | map({(.stage): .p50_ns}) | add |
       .write_entry < .handler_done and .handler_done < .call'
}
t "a race ends well" ended_well
t "every method, knob and stage is timed or says why not" every_combination
t "the stages of a direct write come in their order" in_order
# How much of the new quota is left depends on how long ago the running task was last accounted: nothing to bound in a guest.
t "the first throttle after a cut and the first run after a raise are seen" has \
  '[.results[] | select(.stage == "first_effect" and .knob == "cpu.max" and .method == "pwrite" and .n > 0)] | map(.direction) == ["cut", "raise"]'
t "no event is lost" has '.lost_events == 0 and .failed_writes == 0 and .complete'
for knob in cpu.max memory.max; do
  t "how much faster than docker update pwrite is on $knob is told" has \
    "any(.ratios[]; .method == \"pwrite\" and .knob == \"$knob\" and .stage == \"call\" and .to == \"docker_cli\" and .p50 > 1)"
done
t "the page holds its own policy and no link" grep -q "default-src 'none'" "$work/page.html"
t "the table has a line for each result" bash -c "(( \$(wc -l <'$work/table.csv') == \$(jq '.results | length' '$json') + 1 ))"
t "the race leaves no container and no image behind" left_nothing

killed_race() {
  weir latency --knob cpu.max --method pwrite,docker_cli --slow-iterations 1000 --no-ebpf >/dev/null 2>"$work/killed" &
  local pid=$!
  wait_for 120 grep -q calls "$work/killed"
  kill -9 "$pid"
  wait "$pid" || true
  docker inspect "weir-latency-$pid" >/dev/null  # it is there: nobody could remove it
  says "removing weir-latency-$pid, which a killed race left" \
    weir latency --knob cpu.max --method pwrite --iterations 10 --effect-iterations 0 --no-ebpf
  left_nothing
}
t "what a killed race leaves is removed by the next one" killed_race

# A container of the user's own.
docker run --detach --name race-target --network none --cpus 0.7 --memory 300m busybox sleep 3600 >/dev/null 2>"$work/run" ||
  docker run --detach --name race-target --network none --cpus 0.7 --memory 300m busybox:latest sleep 3600 >/dev/null
cgroup=/sys/fs/cgroup/system.slice/docker-$(docker inspect -f '{{.Id}}' race-target).scope
raced_and_restored() {
  weir latency --target race-target --knob cpu.max,memory.max --iterations 20 --slow-iterations 1 --json >"$work/target.json"
  jq -e 'any(.results[]; .method == "docker_cli")' "$work/target.json"
  [[ $(cat "$cgroup/cpu.max") == "70000 100000" ]]
  [[ $(cat "$cgroup/memory.max") == 314572800 ]]
  [[ $(docker inspect -f '{{.HostConfig.Memory}}' race-target) == 314572800 ]]
}
t "a target gets its old limits back" raced_and_restored
t "an unknown target is reported" says "no such container" weir latency --target nobody-at-all --iterations 1 --slow-iterations 1

interrupted() {
  local state=$work/state pid
  weir latency --target race-target --knob cpu.weight --method pwrite --iterations 2000000 --resume "$state" --json \
    >"$work/int.json" 2>"$work/int.err" &
  pid=$!
  wait_for 60 grep -q '^d ' "$state"
  kill -TERM "$pid"  # a background job of a script ignores SIGINT
  exits 143 wait "$pid"
  jq -e '.complete == false and (.results | length > 0)' "$work/int.json"
  [[ $(cat "$cgroup/cpu.weight") == 100 ]]
  grep -q -- "--resume $state" "$work/int.err"
  exits 2 weir latency --target race-target --knob cpu.weight --method pwrite --iterations 7 --resume "$state"
}
t "a signal ends it: it prints what was timed, restores, and leaves a state to go on from" interrupted
goes_on() {
  local state=$work/go
  weir latency --target race-target --knob cpu.weight --method pwrite --iterations 300 --seed 5 --json >"$work/whole.json"
  # A state that ends after 150 of the 400 steps (100 of them are warm-ups).
  { echo "weir-latency-state 1 5 $1"; for i in $(seq 101 150); do echo "s pwrite cpu.weight 0 0 $i 1 1 -"; echo "d $i"; done; } >"$state"
  chmod 600 "$state"
  weir latency --target race-target --knob cpu.weight --method pwrite --iterations 300 --resume "$state" --json >"$work/go.json"
  jq -e '.setting.seed == 5 and any(.results[]; .stage == "call" and .n == 300 and .min_ns == 101)' "$work/go.json"
  [[ ! -e $state ]]
}
t "a resumed race goes on with its seed and its samples" goes_on \
  "300/100/0 load idlerace-target kernel Linux $(uname -r) pwrite:cpu.weight"

dies() {
  weir latency --target race-target --knob cpu.weight --method pwrite --iterations 2000000 --resume "$work/dies" >"$work/dies.out" 2>&1 &
  local pid=$!
  wait_for 60 grep -q '^d ' "$work/dies"
  docker rm --force race-target
  exits 4 wait "$pid"
  grep -q "until the call returns" "$work/dies.out"
}
t "a container that ends meanwhile is told, with what was timed" dies

no_docker() {
  systemctl stop docker.socket docker
  weir latency --knob cpu.max --iterations 50 --slow-iterations 2 --effect-iterations 1 --json >"$work/own.json" 2>"$work/own.err"
  grep -q "cgroup of Weir's own" "$work/own.err"
  jq -e 'any(.results[]; .method == "pwrite" and .stage == "handler_done") and any(.results[]; .method == "systemd") and
         any(.unsupported[]; .method == "docker_cli")' "$work/own.json"
  [[ -z $(find /sys/fs/cgroup -maxdepth 2 -name 'weir-latency-*') ]]
}
t "without Docker the direct methods and systemd are raced on a cgroup of Weir's own" no_docker

cgroupfs_driver() {
  cp /etc/docker/daemon.json "$work/daemon.json"
  jq '. + {"exec-opts": ["native.cgroupdriver=cgroupfs"]}' "$work/daemon.json" >/etc/docker/daemon.json
  systemctl reset-failed docker.service docker.socket || true
  systemctl start docker
  local status=0
  weir latency --knob cpu.max --iterations 20 --slow-iterations 1 --effect-iterations 1 --json >"$work/fs.json" || status=$?
  systemctl stop docker.socket docker
  cp "$work/daemon.json" /etc/docker/daemon.json
  ((status == 0))
  jq -e '.setting.cgroup_driver == "cgroupfs" and
         all(("docker_cli", "docker_api", "runc", "pwrite") as $m | any(.results[]; .method == $m); .) and
         any(.unsupported[]; .method == "systemd" and (.reason | test("no unit")))' "$work/fs.json"
}
t "with the cgroupfs driver all but systemd is raced" cgroupfs_driver

mute_docker() {  # a socket that takes the connection and never answers
  systemd-socket-activate --listen=/run/docker.sock sleep 600 &
  local mute=$!
  wait_for 10 test -S /run/docker.sock
  local status=0
  timeout 60 weir latency --knob cpu.weight --method pwrite --iterations 20 --json >"$work/mute.json" 2>"$work/mute.err" || status=$?
  kill "$mute"
  ((status == 0))
  grep -q "cgroup of Weir's own" "$work/mute.err"
}
t "a Docker that never answers is waited for a few seconds only" mute_docker
finish
