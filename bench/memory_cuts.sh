#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Random cuts of memory.max, each followed by a raise back, on a Docker container that keeps allocating and freeing: two
# processes with anonymous memory between 0 and 64 MiB in sum, one of which also reads a file of 24 MiB over and over. What counts
# is OOM kills caused (target 0) and callers blocked (target 0); the times are printed.
#
#   vm/run --build build/release --timeout 3600 -- bench/memory_cuts.sh [CUTS [LOW_MIB HIGH_MIB [BUDGET_S [direct]]]]
#
# As root on a host with Docker, weir-lab and memory_cuts on PATH. `direct` writes memory.max as --force does, for comparison.
set -euo pipefail
name=weir-cuts-$$
lab=$(command -v weir-lab)
trap 'docker rm -f "$name" >/dev/null 2>&1 || true' EXIT
# A workload that was killed begins anew, in the same container.
docker run -d --network none --name "$name" -v "$lab:/weir-lab:ro" busybox sh -c '
  while :; do /weir-lab memory --size 40M --step 8M --hold 150ms --cache 24M --path /tmp; done &
  while :; do /weir-lab memory --size 24M --step 4M --hold 400ms; done' >/dev/null
cgroup=/system.slice/docker-$(docker inspect -f '{{.Id}}' "$name").scope
until (($(<"/sys/fs/cgroup$cgroup/memory.peak") > 85 << 20)); do sleep 0.2; done
awk '$1 == "anon" || $1 == "file" {print "at the start: " $0}' "/sys/fs/cgroup$cgroup/memory.stat"
memory_cuts "$cgroup" "${@:-1000}"
