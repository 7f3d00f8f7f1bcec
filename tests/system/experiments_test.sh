#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# experiments/run: what goes as expected, tables and charts that are whole, and nothing that is left behind.
# timeout: 600
. tests/system/lib.sh

run=$(mktemp -d -p /var/tmp)
cleanup() {
  docker ps --all --quiet --filter label=weir.experiment | xargs -r docker rm --force
  rm -rf "$run"
}

lists() { [[ $(experiments/run --list | wc -l) == 8 ]]; }
t "it lists what there is" lists
t "an experiment that is not there is a usage error" exits 2 experiments/run cpu-none
t "--tar does not write to a terminal" says 'append | tar -x' script -qec 'experiments/run --tar cpu-hard' /dev/null

left() { [[ -n $(docker ps --all --quiet --filter label=weir.experiment) || -n $(compgen -G '/var/tmp/weir-exp.*') ]]; }
# whole FOLDER COLUMNS: a table without a gap, and a chart of it.
whole() {
  local columns
  columns=$(head -n 1 "$1/data.csv")
  [[ $columns == "$2" ]] || { echo "columns: $columns"; return 1; }
  awk -F, 'NF != 6 || (NR > 2 && $1 <= before) {print "row " NR ": " $0; exit bad = 1} {before = $1} END {exit bad || NR < 8}' \
    "$1/data.csv" || { wc -l "$1/data.csv"; return 1; }
  # Each element that is opened is closed, and the limit is drawn.
  awk 'BEGIN {RS = "<"} NR == 1 {next} /^\//{depth--; next} !/\/>/{depth++} END {exit depth != 0}' "$1/chart.svg" || { echo "no XML"; return 1; }
  grep -q 'class="limit" d="M' "$1/chart.svg" || { echo "no limit is drawn"; return 1; }
  if grep -E 'nan|inf' "$1/chart.svg"; then return 1; fi
  if grep -v '^as expected: yes ' <(tail -n +3 "$1/summary.txt"); then return 1; fi
}
reaches_the_ceiling() {
  experiments/run --out "$run/results" cpu-hard
  whole "$run/results/cpu-hard" seconds,limit_cpus,use_cpus,throttled_share,floor_cpus,hard_cpus
  grep -q 'class="mark hard"' "$run/results/cpu-hard/chart.svg"
  if left; then return 1; fi
}
t "cpu-hard goes as expected and leaves nothing behind" reaches_the_ceiling

is_killed() {
  experiments/run --tar memory-hard >"$run/results.tar"
  tar -C "$run" -xf "$run/results.tar"
  whole "$run/results/memory-hard" seconds,limit_mib,use_mib,pressure_share,floor_mib,hard_mib
  grep -q 'class="mark killed"' "$run/results/memory-hard/chart.svg" || { echo "no kill is drawn"; return 1; }
  jq -es 'any(.[]; .event == "oom_kill")' "$run/results/memory-hard/watch.jsonl"
  if left; then return 1; fi
}
t "memory-hard is killed above its ceiling, seen, and comes out as a tar" is_killed

interrupted() {
  experiments/run --out "$run/results" cpu-soft 2>"$run/err" &
  local pid=$!
  wait_for 120 grep -q '^under load' "$run/err"
  kill -TERM "$pid"
  exits 143 wait "$pid"
  if left; then return 1; fi
}
t "ended in the middle it leaves nothing behind" interrupted
finish
