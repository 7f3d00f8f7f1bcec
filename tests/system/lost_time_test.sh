#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7
# timeout: 600
# Why a cgroup does not run, by bpf::LostTime: its own limit, a limit above, others on its CPU.
. tests/system/lib.sh

top=weir-lost-time dir=/sys/fs/cgroup/weir-lost-time
run=$(mktemp -d -p /var/tmp)
cleanup() {
  fresh
  rmdir "$dir"/*/*/ "$dir"/*/ "$dir"
  rm -rf "$run"
}
fresh() { # nobody runs, nothing is limited
  echo 1 >"$dir/cgroup.kill"
  wait_for 20 grep -q 'populated 0' "$dir/cgroup.events"
  for file in "$dir"/*/cpu.max "$dir"/*/*/cpu.max; do echo max >"$file"; done
}
# All of them on one CPU.
spin() {
  # shellcheck disable=SC2016
  taskset -c 0 sh -c 'echo 0 >"$0/cgroup.procs"; while :; do :; done' "$dir/$1" &
}
held() { awk '/^nr_throttled/ {exit $2 < 5}' "$dir/$1/cpu.stat"; }
id() { stat -c %i "$dir/$1"; }
# Of one task on one CPU the sums and what it used are all of the time.
adds_up() { holds '(.held_own + .held_above + .waited + .used) / .span | . > 0.9 and . < 1.1'; }
lost() { # lost CGROUP: what is counted in four seconds, in $run/lost
  "$WEIR_BUILD_DIR/bin/lost_time_probe" 4 "$top/$1" | tee "$run/lost"
}
holds() { jq -e "$@" "$run/lost" >/dev/null || { printf 'does not hold: %s\n' "$*"; return 1; }; }

echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
mkdir "$dir"
echo +cpu >"$dir/cgroup.subtree_control"
mkdir "$dir/web" "$dir/hogs" "$dir/pod"
echo +cpu >"$dir/pod/cgroup.subtree_control"
mkdir "$dir/pod/app" "$dir/pod/idle"

own_limit() {
  fresh
  echo 20000 100000 >"$dir/web/cpu.max"
  spin web
  wait_for 30 held web
  lost web
  holds '.held_own > .span * 0.7 and .held_own < .span * 0.9 and .held_above == 0'
  holds '(.held_own - .throttled | fabs) < .throttled * 0.1'
  adds_up
  holds '.waited < .span * 0.1'
  holds '.ignored'
}
t "held by its own limit of 20 %: four fifths of the time, as cpu.stat says; hardly any wait" own_limit

contention() {
  fresh
  echo 200 >"$dir/hogs/cpu.weight"
  spin web
  spin hogs
  spin hogs
  lost web
  holds '.waited > .span * 0.2'
  adds_up
  holds '.held_own == 0 and .held_above == 0 and .above == 0'
  holds --argjson hogs "$(id hogs)" '.rivals[0].cgroup == $hogs and .rivals[0].used > .waited * 0.6'
}
t "beside hogs on its CPU: it waits when it does not run, for them; held by nothing" contention

limit_above() {
  fresh
  echo 20000 100000 >"$dir/pod/cpu.max"
  spin pod/app
  wait_for 30 held pod
  lost pod/app
  holds '.held_above > .span * 0.7 and .held_above < .span * 0.9 and .held_own == 0'
  holds --argjson pod "$(id pod)" '.above == $pod'
  adds_up
  holds '.waited < .span * 0.1'
  lost pod
  holds '.held_own > .span * 0.7 and .held_above == 0'
  lost pod/idle
  holds '.held_above == 0 and .held_own == 0 and .waited == 0'
}
t "held by its parent's limit: that is told by name, not as its own; who wants nothing loses nothing" limit_above

both_limits() {
  fresh
  echo 10000 100000 >"$dir/pod/app/cpu.max"
  echo 50000 100000 >"$dir/pod/cpu.max"
  spin pod/app
  wait_for 30 held pod/app
  lost pod/app
  holds '.held_own > .span * 0.8 and .held_above < .span * 0.05'
}
t "of two limits the one that holds counts" both_limits

limit_below() {
  fresh
  echo 20000 100000 >"$dir/pod/app/cpu.max"
  spin pod/app
  spin hogs
  wait_for 30 held pod/app
  lost pod
  holds '.held_own == 0 and .held_above == 0 and .waited < .span * 0.5'
}
t "a limit below the watched cgroup is neither its own nor a wait" limit_below

finish
