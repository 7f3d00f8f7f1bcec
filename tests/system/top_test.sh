#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir top` on real containers: as text, as JSON, and on a terminal (script gives it one), which it leaves as it was.
# timeout: 900
. tests/system/lib.sh

run=$(mktemp -d -p /var/tmp)
cleanup() {
  docker rm -f spun >/dev/null 2>&1
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null; done
  rm -rf "$run"
}
export LANG=C.UTF-8
weirs=(weir --run-dir "$run/r")

docker run --detach --name spun --cpus 0.2 --memory 64m --network none busybox sh -c 'while :; do :; done' >/dev/null

as_text() {
  "${weirs[@]}" top --once spun >"$run/once"
  grep -q '^NAME .*CPU .*LIM .*THR .*MEM .*MAX' "$run/once"
  grep -E '^spun +[0-9.]+% +0\.2 +[0-9.]+% +[0-9.]+[KM] +64M' "$run/once"
  "${weirs[@]}" top spun >"$run/piped"  # not a terminal: once
  grep -q '^spun ' "$run/piped"
  "${weirs[@]}" top --once --filter nobody-is-called-so | grep -q 'nothing to show'
}
t "top --once shows the limits that hold" as_text

as_json() {
  "${weirs[@]}" top --once --json spun >"$run/json"
  jq -e '.schema == 1 and .window_usec > 500000 and .source == "samples" and .host.limits.cpus > 0 and
    (.host.rates.cpus >= 0)' "$run/json"
  jq -e '.containers | length == 1 and (.[0] | .name == "spun" and .runtime == "docker" and .limits.cpus == 0.2 and
    .limits.memory_bytes == 67108864 and .throttled_share > 0.25 and .throttled_by == "own" and .rates.cpus > 0.05 and
    .metrics.memory_bytes > 0 and .metrics.cpu_limit_usec == 200000)' "$run/json"
}
t "top --json has the throttled container with its limits" as_json

two_lines() { (($(wc -l <"$run/stream") >= 2)); }
stream() {
  "${weirs[@]}" top --json >"$run/stream" &
  local top=$!
  wait_for 60 two_lines
  kill -TERM "$top"
  wait "$top"
  jq -es 'all(.[]; .schema == 1) and (map(.time_ns) | . == (sort | unique))' "$run/stream"
}
t "top --json goes on, frame by frame, until it is ended" stream

one_samples() {
  "${weirs[@]}" watch --no-log --json >/dev/null 2>"$run/watch.err" &
  local watch=$!
  wait_for 60 grep -q 'Ctrl-C ends it' "$run/watch.err"
  "${weirs[@]}" top --once --json >"$run/one" &
  local first=$!
  "${weirs[@]}" top --once --json >"$run/two"
  wait "$first"
  jq -e '.source == "attached" and any(.containers[]; .name == "spun")' "$run/one"
  jq -e '.source == "attached" and any(.containers[]; .name == "spun")' "$run/two"
  kill -TERM "$watch"
  wait "$watch"
}
t "beside weir watch two tops attach to its frames" one_samples

# begin TERM [ARG…]: top on a terminal of its own; its keys are written to fd 9, what it draws is in $run/screen.
begin() {
  local term=$1
  shift
  rm -f "$run/keys" "$run/screen" "$run/before" "$run/after" "$run/code"
  mkfifo "$run/keys"
  # shellcheck disable=SC2016
  TERM=$term script -qfec 'stty rows 24 cols 80; stty -g >"'"$run"'/before"; weir --run-dir "'"$run"'/r" top '"$*"'
    echo $? >"'"$run"'/code"; stty -g >"'"$run"'/after"' "$run/screen" <"$run/keys" >/dev/null 2>"$run/err" &
  exec 9>"$run/keys"
}
seen() { grep -aq "$1" "$run/screen"; }
top_pid() { pgrep -nf "^weir --run-dir $run/r top"; }
# ended CODE: with that exit code, and the terminal is as before.
ended() {
  wait_for 30 test -s "$run/after"
  exec 9>&-
  [[ $(<"$run/code") == "$1" ]]
  cmp "$run/before" "$run/after"
}

keys() {
  begin xterm-256color -s
  wait_for 60 seen spun
  printf '?' >&9
  wait_for 30 seen 'this help'
  printf '\033' >&9
  wait_for 30 seen 'Esc back'
  printf '/spun\r' >&9
  wait_for 30 seen 'filter: spun'
  printf '\r' >&9
  wait_for 30 seen 'Limits that hold'
  wait_for 30 seen '0.2 CPUs (20000 100000)'
  printf '\033' >&9
  printf 'q' >&9
  ended 0
}
t "keys open help, filter and details, and q ends it with the terminal as it was" keys

replayed() {
  "${weirs[@]}" watch --no-log --record --record-dir "$run/h" >/dev/null 2>"$run/record.err" &
  local watch=$!
  wait_for 60 grep -q 'Ctrl-C ends it' "$run/record.err"
  wait_for 60 some_frames
  kill -TERM "$watch"
  wait "$watch"
  begin xterm-256color --at 2099-01-01 --record-dir "$run/h"
  wait_for 60 seen 'nothing was recorded'
  seen spun
  printf '[[[}{\033[C\033[D' >&9
  printf '/spun\r' >&9
  wait_for 30 seen 'filter: spun'
  printf 'q' >&9
  ended 0
}
some_frames() { weir ls --at now --record-dir "$run/h" --json 2>/dev/null | jq -e '.window_usec != null' >/dev/null; }
t "the past is shown on a terminal, back and forth" replayed

by_signal() {
  local signal
  for signal in INT TERM HUP QUIT; do
    begin xterm-256color
    wait_for 60 seen spun
    kill -"$signal" "$(top_pid)"
    ended 0
  done
}
t "INT, TERM, HUP and QUIT end it with the terminal as it was" by_signal

crashed() {
  begin xterm-256color
  wait_for 60 seen spun
  kill -ABRT "$(top_pid)"
  ended 134
}
t "a crash leaves the terminal as it was as well" crashed

resized() {
  begin xterm-256color
  wait_for 60 seen spun
  local tty pid
  pid=$(top_pid)
  tty=$(readlink "/proc/$pid/fd/0")
  stty -F "$tty" rows 8 cols 40
  stty -F "$tty" rows 3 cols 20
  wait_for 30 seen 'too small'
  stty -F "$tty" rows 60 cols 220
  wait_for 30 seen 'MEM-PSI'
  stty -F "$tty" rows 24 cols 80
  printf 'q' >&9
  ended 0
}
t "it lives through every size of its terminal" resized

stopped() { [[ $(cut -d' ' -f3 "/proc/$1/stat") == T ]]; }
goes_on() { [[ $(cut -d' ' -f3 "/proc/$1/stat") != T ]]; }
suspended() {
  rm -f "$run/keys"
  mkfifo "$run/keys"
  TERM=xterm-256color script -qfec 'bash --norc --noprofile -i' "$run/screen" <"$run/keys" >/dev/null 2>&1 &
  exec 9>"$run/keys"
  printf 'weir --run-dir %s/r top\r' "$run" >&9
  wait_for 60 seen spun
  wait_for 60 top_pid >/dev/null
  local pid
  pid=$(top_pid)
  printf '\032' >&9
  wait_for 30 stopped "$pid"
  "${weirs[@]}" top --once --json | jq -e '.source == "samples"'  # the stopped one is in nobody's way
  printf 'fg\r' >&9
  wait_for 30 goes_on "$pid"
  printf 'q' >&9
  wait_for 30 gone "$pid"
  printf 'exit\r' >&9
  exec 9>&-
}
gone() { [[ ! -e /proc/$1 ]]; }
t "Ctrl-Z stops it without being in the way, and fg goes on" suspended

terminals() {
  local term
  for term in xterm-256color xterm-kitty screen tmux-256color linux vt100; do
    begin "$term"
    wait_for 60 seen spun
    printf 'q' >&9
    ended 0
  done
  begin teletype9
  ended 3
  grep -aq 'TERM=teletype9: is not known' "$run/screen"
}
t "common terminals are known, also where there is no terminfo; an unknown one is named" terminals

no_terminfo() {
  # shellcheck disable=SC2016
  unshare --mount bash -c 'for dir in /usr/share/terminfo /lib/terminfo /etc/terminfo; do
      [[ ! -d $dir ]] || mount -t tmpfs none "$dir"; done
    TERM=xterm-256color script -qfec "stty rows 24 cols 80; weir --run-dir $0/r top" "$0/bare" >/dev/null </dev/null' "$run" &
  wait_for 60 grep -aq spun "$run/bare"
  kill -TERM "$(top_pid)"
  wait $!
}
t "without any terminfo it draws by its own descriptions" no_terminfo

finish
