#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# weir ls and bare weir on a real host: causes, effective limits, hostile names, cgroups that end meanwhile.
. tests/system/lib.sh

root=/sys/fs/cgroup
longest=$(printf 'n%.0s' {1..2000})
cleanup() {
  systemctl stop ls-own.service ls-under.service
  [[ -z ${churn:-} ]] || kill "$churn"
  rmdir "$root"/weir-ls/* "$root/weir-ls"
}

systemd-run -q --unit ls-own -p CPUQuota=20% sh -c 'while :; do :; done'
systemd-run -q --unit ls-under --slice lsabove.slice sh -c 'while :; do :; done'
systemctl set-property --runtime lsabove.slice CPUQuota=20%

# cause UNIT: what ls --json says of it.
cause() { weir ls "unit:$1" --json --window 1s | grep -o '"cause": "[a-z_]*"'; }
is_throttled_by_itself() { [[ $(cause ls-own.service) == *own_cpu_limit* ]]; }
is_throttled_from_above() { [[ $(cause ls-under.service) == *ancestor_cpu_limit* ]]; }
holder_is_the_slice() { weir ls unit:ls-under.service -o cpu.limit,cpu.holder --no-header | grep -Fqx '0.2^  /lsabove.slice'; }
as_nobody() { runuser -u nobody -- "$(command -v weir)" ls | grep -q ls-own.service; }
read_only() { unshare -m sh -c "mount -o remount,bind,ro $root && weir ls" | grep -q ls-own.service; }
interrupted() {
  weir ls --watch 1 >/tmp/watched &
  local pid=$!
  wait_for 20 grep -q ls-own /tmp/watched
  kill -INT "$pid"
  wait "$pid"
}

t "a service's own cpu.max is the cause" is_throttled_by_itself
t "a limit of a level above is the cause, though the service's own cpu.stat shows nothing" is_throttled_from_above
t "the effective limit names its holder" holder_is_the_slice
t "ls works without root" as_nobody
t "ls works on a read-only cgroupfs" read_only
t "--watch ends cleanly on Ctrl-C" interrupted
t "an interval under a second is refused" exits 2 weir ls --watch 0.5
t "an unknown column is refused" says "no column" weir ls -o nmae
t "an unknown target is refused" exits 3 weir ls nobody-is-called-this

mkdir -p "$root/weir-ls" "$root/weir-ls/$longest" "$root/weir-ls/"$'a b;$(reboot)\e[31m\xff'
no_escape() { weir ls --all >/tmp/all && ! grep -q $'\e' /tmp/all && grep -q 'x1b' /tmp/all; }
within() { weir ls --all | awk 'length($0) > 320 { exit 1 }'; } # bytes: 80 columns of at most 4
t "hostile names are escaped" no_escape
t "a name of 2000 bytes does not widen the table" within
json_is_clean() { weir ls --all --json >/tmp/json && ! LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\xff]' /tmp/json && grep -q reboot /tmp/json; }
t "JSON holds no raw control or invalid bytes" json_is_clean

# Cgroups come and go while ls looks.
(while :; do mkdir $root/weir-ls/{a,b,c,d,e,f} && rmdir $root/weir-ls/{a,b,c,d,e,f}; done) 2>/dev/null &
churn=$!
survives() { for _ in $(seq 10); do weir ls --all --window 50ms >/tmp/out 2>/tmp/err; done; ! grep -q 'No such' /tmp/err; }
t "cgroups that end meanwhile are no error" survives
kill $churn
wait $churn 2>/dev/null
churn=

overview_speaks() { weir >/tmp/overview && grep -q '^host' /tmp/overview && grep -q ls-own.service /tmp/overview && grep -q '^next' /tmp/overview; }
t "bare weir names who suffers and what to type next" overview_speaks
without_openat2() {
  local status=0
  systemd-run --quiet --wait --pipe -p RestrictSUIDSGID=yes "$(command -v weir)" ls >/var/tmp/openat2.out 2>&1 || status=$?
  cat /var/tmp/openat2.out
  ((status == 3))
  grep -q 'openat2(): is not to be had' /var/tmp/openat2.out
}
t "where a sandbox takes openat2 away it says so, instead of seeing nothing" without_openat2

finish
