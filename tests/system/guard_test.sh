#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7
# timeout: 600
# weir guard: who changes a limit is told, and a rule's limit holds against Docker, systemd and plain writes.
. tests/system/lib.sh

run=$(mktemp -d)
guard=
cleanup() {
  if [[ $guard ]]; then kill -9 "$guard"; fi
  docker rm -f web
  rm -rf "$run"
}
new_web() {
  docker run --detach --network none --name web --cpus 0.5 --memory 256m busybox sleep 100000 >/dev/null
  find_web
}
find_web() {
  unit=docker-$(docker inspect --format '{{.Id}}' web).scope
  web=/sys/fs/cgroup/system.slice/$unit
}
w() { weir --run-dir "$run/j" "$@"; }
# Both in the main shell, whose child the guard is.
start_guard() {
  weir --run-dir "$run/j" guard --json "$@" >"$run/events" 2>"$run/errors" &
  guard=$!
  wait_for 30 grep -q watching "$run/errors" || { cat "$run/errors"; return 1; }
}
stop_guard() {
  kill "-${1:-TERM}" "$guard"
  wait "$guard"
  status=$?
  guard=
}
# event KIND [FILTER]: whether it was told.
event() { jq -se "any(.[]; .event == \"$1\" and (${2:-true}))" "$run/events" >/dev/null; }
told() { wait_for 30 event "$@" || { cat "$run/events"; return 1; }; }
holds() { [[ $(<"$web/cpu.max") == "$1" ]]; }
new_web

w set web cpus=0.53
start_guard
yields() {
  told taken-up '.name == "web" and .wanted == "53000 100000"'
  bash -c "echo 60000 100000 >$web/cpu.max"
  told yielded '.found == "60000 100000" and .by.comm == "bash" and .by.uid == 0 and .by.pid > 0'
  holds '60000 100000'
}
t "without a rule it yields to another program's change, and names it" yields

own() {
  w set web cpus=0.55
  told taken-up '.wanted == "55000 100000"'
  w set web cpus=0.57
  told adopted '.wanted == "57000 100000"'
  w undo
  told released
  (($(jq -s '[.[] | select(.event == "yielded")] | length' "$run/events") == 1))
}
t "what weir itself changes is no drift" own
alone() {
  exits 1 w guard web cpus=0.6
  says 'another weir guard runs' w guard
}
t "a second guard is refused" alone
known() { [[ $(w status --json | jq .guard.pid) == "$guard" ]]; }
t "weir status knows of it" known
stop_guard
t "it ends cleanly when it is told to" test "$status" = 0

guarded() {
  exits 1 w guard unit:docker.service cpus=1
  says guarded w guard unit:docker.service cpus=1
}
t "a rule for a guarded service is refused" guarded

w undo --all
start_guard web cpus=0.53
again() {
  "$@"
  wait_for 10 holds '53000 100000' || { cat "$run/events"; cat "$web/cpu.max"; return 1; }
}
t "a rule sets its limit" again true
# systemd knows 50 percent, and writes that over it.
t "a rule's value that is no whole percent survives docker update --memory" again docker update --memory 300m web
t "and an unrelated systemctl set-property" again systemctl set-property --runtime "$unit" CPUWeight=77
t "and systemctl daemon-reload" again systemctl daemon-reload
t "and a plain write" again bash -c "echo 20000 100000 >$web/cpu.max"
t "each event is a line of its own" bash -c '(($(jq -c . "$0" | wc -l) == $(wc -l <"$0")))' "$run/events"
t "who made it is told" told reapplied '.by.comm == "bash" and .found == "20000 100000"'

recreated() {
  docker rm -f web >/dev/null
  told ended
  new_web
  wait_for 20 holds '53000 100000'
}
t "a container that was recreated gets its limit again" recreated
find_web  # the test's own shell is another one

insists() {
  for _ in {1..40}; do
    bash -c "echo 20000 100000 >$web/cpu.max"
    event gave-up && return
    wait_for 5 holds '53000 100000' || event gave-up
  done
  return 1
}
t "to one that insists it gives way" insists

stop_guard KILL
docker rm -f web
new_web
start_guard web cpus=0.53
t "after a kill -9 another one holds it" again true
stop_guard KILL
killed() {
  w undo --all
  holds '50000 100000'
}
t "what it wrote is taken back after a kill -9" killed
finish
