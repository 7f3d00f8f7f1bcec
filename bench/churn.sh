#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Cgroups that come and go, each with a process, made and removed as runc does, RATE a second for SECONDS; beside them as many
# Docker containers as the Engine manages, where there is one. Every one must be told by `weir watch` as started and as ended,
# once, and no file may stay open.
#
#   bench/churn.sh [RATE [SECONDS]]      as root, on a host with a cgroup2 mount; weir and jq on PATH
#   vm/run --build build/release --timeout 900 -- bench/churn.sh 50 60
#
# Exit code 1 if an event was lost or told twice, or a file stayed open.
set -euo pipefail
rate=${1:-50} seconds=${2:-60}
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
begin_place churn
weir --run-dir "$run/r" --cgroup-root "$mount" watch --json --no-log >"$run/out" 2>"$run/err" &
watch=$!
pids+=("$watch")
until grep -q 'Ctrl-C ends it' "$run/err"; do sleep 0.1; done
sleep 2
open_files() { find "/proc/$watch/fd" -mindepth 1 | wc -l; }
before=$(open_files)
docker_runs() {
  local n
  for ((n = 0; ; n++)); do
    docker run --rm --name "weir-churn-$n" --network none busybox true >/dev/null 2>&1 && echo "$n" >>"$run/docker"
    [[ ! -e $run/over ]] || return 0
  done
}
: >"$run/docker"
if docker info >/dev/null 2>&1; then
  docker_runs &
  docker=$!
fi

start=$EPOCHREALTIME
microseconds() { echo $((${1/./} - ${start/./})); }
for ((made = 0; ; made++)); do
  now=$(microseconds "$EPOCHREALTIME")
  ((now < seconds * 1000000)) || break
  printf -v id '%064x' "$made"
  cgroup=$top/docker-$id.scope
  mkdir "$cgroup"
  (echo 0 >"$cgroup/cgroup.procs") # a process of its own, that ends in it
  until rmdir "$cgroup" 2>/dev/null; do :; done
  left=$(((made + 1) * 1000000 / rate - $(microseconds "$EPOCHREALTIME")))
  if ((left > 0)); then read -rt "$(printf '%d.%06d' $((left / 1000000)) $((left % 1000000)))" <> <(:) || true; fi
done
touch "$run/over"
if [[ -n ${docker-} ]]; then wait "$docker"; fi
last=docker-$(printf '%064x' $((made - 1))).scope
for ((tries = 0; tries < 600; tries++)); do
  if grep -q "container_ended.*$last" "$run/out"; then break; fi
  sleep 0.1
done
sleep 2
after=$(open_files)
runs=$(wc -l <"$run/docker")
jq -rs --arg top "/${top##*/}/" --argjson made "$made" --argjson runs "$runs" --argjson rate "$rate" --argjson seconds "$seconds" \
  --argjson before "$before" --argjson after "$after" '
  def told(events): events | group_by(.container.cgroup + (.container.cgroup_id | tostring)) | map(map(.event));
  [.[] | select(.container)] |
  told(map(select(.container.cgroup | startswith($top)))) as $own |
  (map(select(.container.name | startswith("weir-churn-"))) | group_by(.container.name) | map(map(.event))) as $docker |
  ["container_started", "container_ended"] as $pair |
  [$own, $docker] as $all |
  "churn: \($made) cgroups in \($seconds) s (asked: \($rate) a second), \($runs) Docker containers beside them",
  "  told once as started and ended: \([$own[] | select(. == $pair)] | length) of \($made), \([$docker[] | select(. == $pair)] | length) of \($runs)",
  "  lost or told twice: \($made - ([$own[] | select(. == $pair)] | length) + $runs - ([$docker[] | select(. == $pair)] | length)) (target 0)",
  "  open files before and after: \($before), \($after)"' "$run/out" | tee "$run/result"
grep -q 'lost or told twice: 0 ' "$run/result"
((after <= before))
