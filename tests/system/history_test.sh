#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `weir watch --record` keeps is told afterwards, also after the watch was killed and on a full disk.
# timeout: 900
. tests/system/lib.sh

run=$(mktemp -d -p /var/tmp)
watcher=
cleanup() {
  docker rm -f held hungry >/dev/null 2>&1
  [[ -n $watcher ]] && kill -9 "$watcher" 2>/dev/null
  umount "$run/small" 2>/dev/null
  rm -rf "$run"
}

begin() { # begin DIR [ARG…]: a watch that records there, and has begun; its pid is in $watcher
  weir --run-dir "$run/r" watch --json --no-log --record --record-dir "$1" "${@:2}" >"$run/out" 2>"$run/err" &
  watcher=$!
  wait_for 60 grep -q 'Ctrl-C ends it' "$run/err"
}
told() { jq -es "any(.[]; $1)" "$run/out" >/dev/null; }
recorded() { # recorded FILTER: some row of the last frame is so
  weir ls --at now --record-dir "$run/h" --json >"$run/ls" && jq -e "any(.containers[]; $1)" "$run/ls" >/dev/null
}

tells_after_a_kill() {
  begin "$run/h"
  docker run --detach --name held --cpus 0.1 --memory 64m --network none busybox sh -c 'while :; do :; done' >/dev/null
  wait_for 60 told '.event == "cpu_throttled" and .state == "begin" and .container.name == "held"'
  docker run --rm --name hungry --memory 24m --memory-swap 24m --network none -v "$(command -v weir-lab):/weir-lab:ro" busybox \
    sh -c '/weir-lab memory --size 64M --step 8M; sleep 3' >/dev/null 2>&1
  wait_for 60 told '.event == "oom_kill" and .container.name == "hungry"'
  wait_for 90 recorded '.name == "held" and .usage.throttled_periods_share > 0.5 and .effective."cpu.max".cpus == 0.1'
  kill -9 "$watcher"
  wait "$watcher" || true
  # Every event that was told, and the frames but for the last seconds.
  weir events --since 10m --record-dir "$run/h" --json >"$run/events"
  diff <(sort "$run/out") <(sort "$run/events")
  weir events held --since 10m --record-dir "$run/h" | grep 'held: throttled by its CPU limit'
  weir events --kind oom_kill --since 10m --record-dir "$run/h" | grep 'hungry: .*killed for want of memory'
  [[ -z $(weir events --kind oom_kill --until 10m --since 20m --record-dir "$run/h") ]]
  weir ls held --at now --record-dir "$run/h" >"$run/table"
  cat "$run/table"
  grep -Eq '^held .* 0\.1 .*own cpu.max' "$run/table"
  recorded '.name == "held" and .effective."memory.max".value == "67108864" and .usage.memory_bytes > 0'
  weir top held --at now --record-dir "$run/h" --json >"$run/top"
  jq -e '.source == "recorded" and (.containers[0] | .name == "held" and .limits.cpus == 0.1 and .throttled_share > 0.5)' "$run/top"
  weir top --at now --record-dir "$run/h" | grep '^recorded at'
}
t "what was recorded is told after the watch was killed" tells_after_a_kill

goes_on() {
  begin "$run/h"
  docker rm -f held >/dev/null
  wait_for 60 told '.event == "container_ended" and .container.name == "held"'
  kill -INT "$watcher"
  wait "$watcher"
  [[ ! -s $run/h/journal ]]
  weir events --since 10m --record-dir "$run/h" --json >"$run/events"
  jq -es 'any(.[]; .event == "oom_kill") and any(.[]; .event == "container_ended" and .container.name == "held")' "$run/events"
  [[ $(stat -c %a "$run/h") == 750 && $(stat -c %a "$run/h"/segment-* | sort -u) == 640 ]]
}
t "the next watch records behind it" goes_on

says_where_it_looked() {
  says 'nothing was recorded from then on' weir ls --at 2099-01-01 --record-dir "$run/h"
  says 'holds nothing from' exits 3 weir ls --at '1970-01-02' --record-dir "$run/h"
  says 'weir watch --record' exits 3 weir ls --at now --record-dir "$run/nowhere"
  says 'weir watch --record' exits 3 weir top --at now --record-dir "$run/nowhere"
  says 'is not a time' exits 2 weir ls --at tomorrow --record-dir "$run/h"
  begin "$run/h"
  says 'recorded to by another' exits 1 weir --run-dir "$run/r" watch --no-log --record --record-dir "$run/h"
  kill -INT "$watcher"
  wait "$watcher"
}
t "it says what there is where there is nothing" says_where_it_looked

full_disk() {
  mkdir "$run/small"
  mount -t tmpfs -o size=1M tmpfs "$run/small"
  mkdir -m 700 "$run/small/h"
  begin "$run/small/h"
  head -c 2M /dev/zero >"$run/small/filler" 2>/dev/null || true
  wait_for 90 grep -q 'the history is not written' "$run/err"
  rm "$run/small/filler"
  docker run --rm --name held --network none busybox true
  wait_for 60 told '.event == "container_ended" and .container.name == "held"'
  kill -INT "$watcher"
  wait "$watcher"
  weir events held --since 10m --record-dir "$run/small/h" | grep 'held: ended'
}
t "a full disk is told, and recording goes on when there is room" full_disk

finish
