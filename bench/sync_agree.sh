#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How long after a direct write with --sync Docker and systemd say the same, and whether the limit survives what used to undo
# it. As root, on a host with Docker (systemd driver), weir on PATH and nothing else set by weir:
#
#   bench/sync_agree.sh [N]      N writes (default 20); a disturber of each kind after each
#   vm/run --build build/release --timeout 900 -- bench/sync_agree.sh 20
#
# The clock starts at the write (the journal's time of the change). "seen" ends when a poll of the Engine's socket and of
# systemctl finds both values: the poll's own cost is in it. "told" ends when weir's record says so, after it read both back. "docker update" is that command, for comparison.
set -euo pipefail
n=${1:-20}
name=weir-sync-bench
trap 'weir undo --all >/dev/null 2>&1; docker rm -f "$name" >/dev/null 2>&1' EXIT
docker run --detach --name "$name" --cpus 1 --network none busybox sleep 100000 >/dev/null
id=$(docker inspect --format '{{.Id}}' "$name")
unit=docker-$id.scope
cpu_max=/sys/fs/cgroup/system.slice/$unit/cpu.max

nano() { # what docker inspect asks, without its start
  perl -MIO::Socket::UNIX -e '
    my $s = IO::Socket::UNIX->new(Peer => "/run/docker.sock") or die;
    print $s "GET /containers/$ARGV[0]/json HTTP/1.0\r\n\r\n";
    local $/; <$s> =~ /"NanoCpus":(\d+)/ and print $1' "$id"
}
quota() { busctl get-property org.freedesktop.systemd1 "$object" org.freedesktop.systemd1.Scope CPUQuotaPerSecUSec | cut -d' ' -f2; }
object=$(busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager GetUnit s "$unit" | cut -d'"' -f2)

seen=() told=() updates=()
declare -A survived=([daemon-reload]=0 [set-property]=0 [docker-update]=0)
unsurvived() { echo "  $1: $2 became $(<"$cpu_max")" >&2; }
one() { # one MICROSECONDS-OF-QUOTA
  local quota=$1 changed record
  weir set "$name" cpu.max="$quota 100000" --sync >/dev/null
  changed=$(weir changes --json | jq '.changes[-1].time_ns')
  until [[ $(nano) == "$((quota * 10000))" && $(quota) == "$((quota * 10))" ]]; do :; done
  seen+=($(($(date +%s%N) - changed)))
  until record=$(weir status --json | jq -e '.sync[0] | select(.state == "agreed") | .time_ns'); do :; done
  told+=($((record - changed)))
  disturb daemon-reload systemctl daemon-reload
  disturb set-property systemctl set-property --runtime "$unit" "MemoryHigh=$((1000 + quota % 97))M"
  local start
  start=$(date +%s%N)
  disturb docker-update docker update --memory "$((200 + quota % 97))M" --memory-swap -1 "$name"
  updates+=($(($(date +%s%N) - start)))
}
disturb() { # disturb KIND COMMAND…
  local kind=$1 before
  shift
  before=$(<"$cpu_max")
  "$@" >/dev/null
  systemctl show "$unit" >/dev/null # systemd is done with the kernel's files once it answers
  if [[ $(<"$cpu_max") == "$before" ]]; then survived[$kind]=$((survived[$kind] + 1)); else unsurvived "$kind" "$before"; fi
}
statistics() { # statistics NAME NANOSECONDS…
  local what=$1
  shift
  printf '%s\n' "$@" | sort -n | awk -v what="$what" '{v[NR] = $1 / 1e6}
    END {p = int(NR * 0.99 + 0.999999); if (p > NR) p = NR
         printf "%-13s n=%d median=%.0f p99=%.0f max=%.0f ms\n", what, NR, v[int((NR + 1) / 2)], v[p], v[NR]}'
}
run() { # run TITLE STEP: N values, STEP microseconds apart
  seen=() told=() updates=()
  for kind in "${!survived[@]}"; do survived[$kind]=0; done
  for ((i = 0; i < n; ++i)); do one $((50000 + $2 * (i + 1))); done
  echo "$1"
  statistics seen "${seen[@]}"
  statistics told "${told[@]}"
  statistics "docker update" "${updates[@]}"
  for kind in daemon-reload set-property docker-update; do echo "survived $kind: ${survived[$kind]} of $n"; done
}
echo "kernel $(uname -r), $(systemctl --version | head -n 1), docker $(docker version --format '{{.Server.Version}}'), $(nproc) CPUs"
run "whole percents" 1000
run "hundredths of percents" 1010
