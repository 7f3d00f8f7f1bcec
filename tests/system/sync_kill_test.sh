#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# set --sync and undo, killed before every system call that reaches out of the process: the next undo brings Docker, systemd and the
# kernel back.
# timeout: 900
. tests/system/lib.sh

export COLUMNS=120
mount=/sys/fs/cgroup
state=/var/lib/weir/sync
cleanup() { docker rm -f nano; }
docker run -d --name nano --cpus 1 busybox sleep 100000 >/dev/null
scope=docker-$(docker inspect -f '{{.Id}}' nano).scope

# Nothing is left: neither in Docker, nor in systemd, nor in the kernel, nor a record.
is_back() {
  [[ $(docker inspect -f '{{.HostConfig.NanoCpus}}' nano) == 1000000000 ]] || { echo "docker was told something"; return 1; }
  [[ $(systemctl show -P CPUQuotaPerSecUSec "$scope") == 1s ]] || { echo "systemd was told something"; return 1; }
  [[ $(<"$mount/system.slice/$scope/cpu.max") == '100000 100000' ]] || { echo "cpu.max holds $(<"$mount/system.slice/$scope/cpu.max")"; return 1; }
  [[ -z $(find "$state" -name '*.json' 2>/dev/null) ]] || { echo "a record is left"; cat "$state"/*.json; return 1; }
}

# killed_everywhere PREPARATION COMMAND…: kills COMMAND before each call in turn; each time undo --all must bring everything back.
killed_everywhere() {
  local count call n kills=0
  "$1"
  strace -f -qq -o /tmp/trace "${@:2}" >/dev/null
  weir undo --all >/dev/null
  is_back
  sed -nE 's/^[0-9]+ +(write|rename|sendto|sendmsg|fsync|unlinkat)\(.*/\1/p' /tmp/trace | sort | uniq -c >/tmp/calls
  cat /tmp/calls
  while read -r count call; do
    for ((n = 1; n <= count; n++)); do
      "$1"
      { strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" "${@:2}" || true; } >/dev/null 2>&1
      weir undo --all >/dev/null || { echo "undo after a kill before $call $n failed"; weir status; return 1; }
      is_back || { echo "after a kill before $call $n"; return 1; }
      kills=$((kills + 1))
    done
  done </tmp/calls
  echo "$kills kills"
  ((kills >= 8))
}
nothing() { :; }
synced() { weir set nano cpus=1.5311 --sync --wait >/dev/null; }
t "set --sync killed at any step: undo brings everything back" killed_everywhere nothing weir set nano cpus=1.5311 --sync --wait
t "undo killed at any step: the next undo brings everything back" killed_everywhere synced weir undo
finish
