#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7
# weir doctor: everything is there but hardware counters and resctrl; --fix and --undo leave the host as it was.
. tests/system/lib.sh

dir=$(mktemp -d)
cleanup() {
  weir doctor --undo -y
  rm -rf "$dir"
}

not_yes() { weir doctor --json | jq -r '.checks[] | select(.status != "yes") | "\(.name): \(.status)"'; }
only_the_guest_lacks() {
  not_yes >"$dir/missing"
  local lacking=("hardware counters: no" "resctrl: no")
  if [[ $WEIR_VM == 6.1 ]]; then lacking=("cpu.stat.local: no" "${lacking[@]}"); fi  # Linux 6.6 brought it
  diff <(printf '%s\n' "${lacking[@]}") "$dir/missing"
}
contract_holds() {
  weir doctor --json >"$dir/doctor.json"
  jq -e '.schema == 1 and (.checks | length > 30)' "$dir/doctor.json"
  jq -e 'all(.checks[]; (keys == ["cost", "fix", "name", "status", "why"]) and (.why != "")
         and (.status == "yes" or (.cost != "" and .fix != "")))' "$dir/doctor.json"
}
fits_80_columns() {
  COLUMNS=80 weir doctor >"$dir/text"
  cat "$dir/text"
  head -1 "$dir/text" | grep -q '^Weir can do [0-9]* of [0-9]* things here'
  [[ $(grep -cE '^.{81}' "$dir/text") == 0 ]]
  [[ $(grep -c $'\033' "$dir/text") == 0 ]]
}
without_root() {
  setpriv --reuid 65534 --clear-groups weir doctor --json >"$dir/user.json"
  jq -e '.checks[] | select(.name == "BPF fentry") | .why | startswith("cannot be looked at without root")' "$dir/user.json"
  jq -e '.checks[] | select(.name == "cpu controller") | .status == "yes"' "$dir/user.json"
}
status_of() { weir doctor --json | jq -r --arg name "$1" '.checks[] | select(.name == $name) | .status'; }

host() {  # what --fix may change
  cat /proc/sys/kernel/perf_event_paranoid
  awk '$3 == "tracefs" || $3 == "resctrl" { print $2, $3 }' /proc/mounts
  tr ' ' '\n' </sys/fs/cgroup/cgroup.subtree_control | sort
  tr ' ' '\n' </sys/fs/cgroup/system.slice/cgroup.subtree_control | sort
  ls /var/lib/weir/doctor.json 2>/dev/null || true
}
same_host() { diff <(echo "$1") <(host); }
worse_host() {  # something for --fix to do
  umount /sys/kernel/tracing
  echo 3 >/proc/sys/kernel/perf_event_paranoid
  echo -cpuset >/sys/fs/cgroup/system.slice/cgroup.subtree_control
}
plans_and_does_nothing() {
  local before
  before=$(host)
  says "mount tracefs at /sys/kernel/tracing" weir doctor --fix --dry-run
  says "hand the cpuset controller down to the children of cgroup /system.slice" weir doctor --fix --dry-run
  says "echo 2 > /proc/sys/kernel/perf_event_paranoid" weir doctor --fix --dry-run
  same_host "$before"
}
fixes() {
  weir doctor --fix -y
  [[ $(cat /proc/sys/kernel/perf_event_paranoid) == 2 ]]
  mountpoint /sys/kernel/tracing
  grep -w cpuset /sys/fs/cgroup/system.slice/cgroup.subtree_control
  [[ -s /var/lib/weir/doctor.json ]]
  [[ $(stat -c %a /var/lib/weir/doctor.json) == 640 ]]
  says "nothing to do" weir doctor --fix -y
}
undoes() {
  weir doctor --undo
  same_host "$worse"
  says "nothing to take back" weir doctor --undo
}
leaves_what_changed_since() {
  weir doctor --fix -y
  echo 1 >/proc/sys/kernel/perf_event_paranoid
  says "changed since" weir doctor --undo
  [[ $(cat /proc/sys/kernel/perf_event_paranoid) == 1 ]]
  echo 3 >/proc/sys/kernel/perf_event_paranoid
  same_host "$worse"
}
leaves_what_is_busy() {
  weir doctor --fix -y
  local status=0
  (cd /sys/kernel/tracing && exec weir doctor --undo) || status=$?
  [[ $status == 1 ]]
  mountpoint /sys/kernel/tracing
  weir doctor --undo
  same_host "$worse"
}
refuses_without_root() { exits 1 setpriv --reuid 65534 --clear-groups weir doctor --fix -y; }

t "everything is there but what the guest lacks" only_the_guest_lacks
t "the JSON holds the contract" contract_holds
t "the text fits 80 columns and names what is missing first" fits_80_columns
t "without root it looks at what it can" without_root
t "usable hosts exit with 0" exits 0 weir doctor
was=$(host)
worse_host
worse=$(host)
t "tracefs that is not mounted is noticed" test "$(status_of tracefs)" = partial
t "--fix --dry-run shows the steps and does nothing" plans_and_does_nothing
t "--fix without a terminal and -y does nothing" exits 1 weir doctor --fix
t "the host is as it was" same_host "$worse"
t "--fix does them" fixes
t "--undo takes them back" undoes
t "--undo leaves what was changed since" leaves_what_changed_since
t "--undo leaves what is in use, and can be run again" leaves_what_is_busy
t "--fix needs root" refuses_without_root
echo +cpuset >/sys/fs/cgroup/system.slice/cgroup.subtree_control
mount -t tracefs -o nosuid,nodev,noexec tracefs /sys/kernel/tracing
echo 3 >/proc/sys/kernel/perf_event_paranoid
t "the host is as it was before all" same_host "$was"
finish
