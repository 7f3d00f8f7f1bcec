#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir control` of IO on a real disk: raised while it holds a writer back, never past the hard limit, and as before at the
# end.
# timeout: 600
. tests/system/lib.sh

run=$(mktemp -d -p /var/tmp)
demo=/sys/fs/cgroup/demo
device=$(stat -c '%Hd:%Ld' "$run")
evidence() { tail -n 4 "$run"/*.out "$run"/*.err; }
cleanup() {
  for pid in $(jobs -p); do kill -9 "$pid" 2>/dev/null; done
  wait
  rmdir "$demo" 2>/dev/null
  rm -rf "$run"
}
if ! grep -qw io /sys/fs/cgroup/cgroup.controllers || [[ ! -e /sys/dev/block/$device ]]; then
  skip "limits of IO follow the load" "no io controller, or no disk below $run"
  finish
fi

told() { jq -es "any(.[]; $1)" "$run/out" >/dev/null; }
holds() { # holds BYTES: of a second, written
  [[ -e $demo/io.max && $(<"$demo/io.max") == "$device rbps=max wbps=$1 riops=max wiops=max" ]]
}
limits() { [[ -e $demo/io.max && -n $(<"$demo/io.max") ]]; } # it may be gone: control removes what it made
written() { sed -n "s/^$device .*wbytes=\([0-9]*\).*/\1/p" "$demo/io.stat"; }
wrote() { (($(written) > $1)); }
inside() { grep -qx '0::/demo' "/proc/$worker/cgroup"; }
# Writes only once it is in the cgroup: pages belong to the cgroup that wrote them first.
(until [[ -e $run/go ]]; do sleep 0.2; done; exec weir-lab io --path "$run" --bytes 16M --block 64K --fsync 4) >/dev/null &
worker=$!
cat >"$run/containers.yml" <<YAML
version: 1
containers:
  /demo:
    create: true
    pids: [$worker]
    io: {device: $device, write: {soft: 1M, hard: 4M, floor: 1M, step: 512K, cooldown: 500ms}}
YAML

follows() {
  weir --run-dir "$run/r" control --json --no-log -c "$run/containers.yml" >"$run/out" 2>"$run/err" &
  controller=$!
  wait_for 60 holds 1048576
  wait_for 60 inside
  touch "$run/go"
  wait_for 120 told '.event == "soft_limit_raised" and .resource == "io.write" and .cause == "own_limit" and .to > 1048576'
  wait_for 120 holds 4194304
  wait_for 120 told '.event == "hard_limit_reached" and .hard == 4194304'
  jq -es 'all(.[] | select(.to != null); .to <= 4194304)' "$run/out"
  kill -STOP "$worker"
  wait_for 120 told '.event == "soft_limit_lowered" and .cause != "bounds" and .to < 4194304'
  kill -9 "$worker"
  kill -INT "$controller"
  wait "$controller"
  if limits; then return 1; fi
}
t "a limit of writes follows the load up to the hard one and down again, and is as before at the end" follows
finish
