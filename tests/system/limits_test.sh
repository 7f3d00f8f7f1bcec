#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7
# set, undo and changes on the real kernel: a Docker container, cgroups of our own, kills at every step, a full disk.
# timeout: 600
. tests/system/lib.sh

mount=/sys/fs/cgroup
top=weir-limits-test
a=/$top/a b=/$top/b
run=$(mktemp -d)
small=$(mktemp -d)
export COLUMNS=120 TZ=UTC

cleanup() {
  docker rm -f web
  for cgroup in "$mount$a" "$mount$b" "$mount/$top/c" "$mount/$top"; do rmdir "$cgroup"; done
  umount "$small"
  rm -rf "$run" "$small"
}

mkdir -p "$mount/$top"
echo '+cpu +memory +pids +cpuset +io' >"$mount/cgroup.subtree_control"
echo '+cpu +memory +pids +cpuset +io' >"$mount/$top/cgroup.subtree_control"
mkdir -p "$mount$a" "$mount$b"
docker run -d --name web busybox sleep 100000 >/dev/null
web=$mount/system.slice/docker-$(docker inspect -f '{{.Id}}' web).scope

w() { weir --run-dir "$run/j" "$@"; }
fresh() { # all knobs that the tests touch as new, and no journal
  rm -rf "$run/j"
  for cgroup in "$a" "$b"; do
    echo 0 >"$mount$cgroup/cpu.max.burst"
    echo 'max 100000' >"$mount$cgroup/cpu.max"
    echo 0 >"$mount$cgroup/cpu.idle"
    echo 100 >"$mount$cgroup/cpu.weight"
    echo max >"$mount$cgroup/memory.max"
    echo max >"$mount$cgroup/pids.max"
  done
}
holds() { # holds CGROUP FILE TEXT
  local now
  now=$(<"$mount$1/$2") || return 1
  [[ $now == "$3" ]] || { printf '%s of %s holds %s instead of %s\n' "$2" "$1" "$now" "$3"; return 1; }
}
exactly() { # exactly TEXT COMMAND…: this and nothing else on stdout and stderr together
  local wanted=$1 said
  shift
  said=$("$@" 2>&1) || true
  [[ $said == "$wanted" ]] || { printf -- '--- wanted\n%s\n--- said\n%s\n' "$wanted" "$said"; return 1; }
}

# --- the main path, on a real container ---

main_path() {
  exactly "web: cpu.max max -> 1 cpus (100000/100000)" weir set web cpus=1
  [[ $(<"$web/cpu.max") == "100000 100000" ]]
  exactly "web: cpu.max 1 cpus (100000/100000) (unchanged)" weir set web cpus=1
  says "in force" weir changes web
  exactly "web: cpu.max 1 cpus (100000/100000) -> max" weir undo
  [[ $(<"$web/cpu.max") == "max 100000" ]]
  exactly "nothing to undo" weir undo
  says "undone" weir changes web
}
t "set limits a Docker container, undo takes it back" main_path

json() {
  local said
  said=$(weir set web memory=512M cpu.weight=200 --json --reason 'a "test"')
  jq -e '.schema == 1 and .epoch > 0 and (.changes | length == 2) and .changes[0].target == "web"
         and .changes[0].knob == "memory.max" and .changes[0].old == "max" and .changes[0].new == "536870912"
         and .changes[0].status == "changed"' <<<"$said"
  said=$(weir changes web --json)
  jq -e '.schema == 1 and .changes[-1].reason == "a \"test\"" and .changes[-1].state == "in force"' <<<"$said"
  said=$(weir undo --json)
  jq -e '[.changes[].status] == ["changed","changed"]' <<<"$said"
}
t "the JSON of set, changes and undo keeps its contract" json

recreated() {
  weir set web cpus=1
  docker rm -f web >/dev/null
  docker run -d --name web busybox sleep 100000 >/dev/null
  web=$mount/system.slice/docker-$(docker inspect -f '{{.Id}}' web).scope
  docker update --cpus 1 web >/dev/null
  says "has ended" exits 0 weir undo
  [[ $(<"$web/cpu.max") == "100000 100000" ]]
}
t "a recreated container of the same name is another target" recreated

# --- what is refused, before anything is written ---

t "a wrong knob offers the near one" says "memory" exits 2 w set "$a" memroy=1G
t "a value out of range is refused" exits 2 w set "$a" cpu.weight=10001
t "a wrong unit is refused" exits 2 w set "$a" memory=1X
t "a missing target is wrong usage" exits 2 w set cpus=1
t "a missing limit is wrong usage" exits 2 w set "$a"
t "the same knob twice is wrong usage" exits 2 w set "$a" cpus=1 cpu.max=max
t "a cgroup that is not there is gone" exits 4 w set "/$top/none" cpus=1
t "the container runtime is guarded" says "guarded" exits 1 w set /system.slice/docker.service cpus=1
t "the ancestors of guarded services are" says "guarded" exits 1 w set /system.slice cpus=1
t "the root is guarded" exits 1 w set / cpus=1
t "nothing of this left a journal" test ! -e "$run/j"

not_root() {
  chmod 755 "$run"
  says "run it as root" exits 1 setpriv --reuid=nobody --regid=nogroup --clear-groups weir --run-dir "$run/j" set "$a" cpus=1
  holds "$a" cpu.max "max 100000"
}
t "without root nothing is written, and the reason is told" not_root

missing_controller() {
  mkdir -p "$mount/$top/c/d"
  says "controller is off" exits 3 w set "/$top/c/d" memory=1G
  rmdir "$mount/$top/c/d"
}
t "a missing controller is told as that" missing_controller

read_only() {
  says "read-only" exits 1 unshare -m sh -c "mount -o remount,bind,ro $mount && weir --run-dir $run/j set $a cpus=1"
  holds "$a" cpu.max "max 100000"
}
t "a read-only cgroupfs is told as that" read_only

below_use() {
  fresh
  (echo 0 >"$mount$a/cgroup.procs"; sh -c 'dd if=/dev/zero of=/dev/shm/weir-limits bs=1M count=24 2>/dev/null')
  says "below what is in use" exits 1 w set "$a" memory=8M
  holds "$a" memory.max max
  w set "$a" memory=64M
  rm -f /dev/shm/weir-limits
  w undo
  holds "$a" memory.max max
}
t "a cut below what is in use is refused without --force" below_use

dry_run() {
  fresh
  exactly "$a: cpu.max max -> 1.5 cpus (150000/100000)" w set "$a" cpus=1.5 --dry-run
  holds "$a" cpu.max "max 100000"
  [[ ! -e $run/j ]]
}
t "--dry-run shows old -> new and leaves no trace" dry_run

all_or_nothing() {
  fresh
  says "nothing was written" exits 1 w set "$b" /system.slice/docker.service cpus=1
  holds "$b" cpu.max "max 100000"
}
t "one target that is refused holds the others back, and both are told" all_or_nothing

sets() {
  docker run -d --name web2 --label tier=t busybox sleep 100000 >/dev/null
  docker run -d --name web3 --label tier=t busybox sleep 100000 >/dev/null
  exits 1 w set label:tier=t cpus=1
  w set label:tier=t cpus=1 -y | sort >"$run/out"
  w undo
  docker rm -f web2 web3 >/dev/null
  diff "$run/out" - <<<$'web2: cpu.max max -> 1 cpus (100000/100000)\nweb3: cpu.max max -> 1 cpus (100000/100000)'
}
t "a set of containers needs an answer or -y" sets

# --- undo ---

burst() {
  fresh
  w set "$a" cpu.max.burst=30000 cpu.max=50000
  w set "$a" cpu.max=20000 cpu.max.burst=20000
  w set "$a" cpu.max.burst=90000 cpu.max=90000
  for quota in 20000 50000; do
    w undo
    holds "$a" cpu.max "$quota 100000"
  done
  w undo
  holds "$a" cpu.max "max 100000" && holds "$a" cpu.max.burst 0
}
t "quota and burst are written in the order that the kernel accepts" burst

idle() {
  fresh
  w set "$a" cpu.weight=300
  w set "$a" cpu.idle=1
  holds "$a" cpu.idle 1
  w undo
  holds "$a" cpu.idle 0 && holds "$a" cpu.weight 300
}
t "undoing cpu.idle brings the forgotten weight back" idle

knob_values() { # every knob that `weir set` below changes
  local file
  for file in cpu.max cpu.max.burst cpu.weight memory.min memory.low memory.high memory.max memory.swap.max memory.oom.group \
    pids.max cpuset.cpus cpuset.mems cgroup.freeze; do
    printf '%s %s\n' "$file" "$(<"$mount$a/$file")"
  done
}
everything() {
  fresh
  local before
  before=$(knob_values)
  w set "$a" cpu.max=50000 cpu.max.burst=10000 cpu.weight=50 memory.min=4M memory.low=8M memory.high=256M memory.max=512M \
    memory.swap.max=64M memory.oom.group=1 pids.max=99 cpuset.cpus=0 cpuset.mems=0 cgroup.freeze=1
  w changes --json | jq -e '[.changes[] | select(.state == "in force")] | length == 13'
  w undo
  diff <(echo "$before") <(knob_values)
}
t "every knob is set and comes back" everything

io_max() {
  fresh
  local device
  device=$(lsblk -dno MAJ:MIN /dev/vda | tr -d ' ')
  w set "$a" "io.max=$device:wbps=4M"
  w set "$a" "io.max=$device:riops=100"
  [[ $(<"$mount$a/io.max") == "$device rbps=max wbps=4194304 riops=100 wiops=max" ]]
  w undo --all
  [[ -z $(<"$mount$a/io.max") ]]
}
t "io.max changes only the keys named, and comes back" io_max

changed_since() {
  fresh
  w set "$a" cpus=1
  echo '70000 100000' >"$mount$a/cpu.max"
  says "changed since: now 70000 100000" exits 1 w undo
  holds "$a" cpu.max "70000 100000"
  says "changed since: now 0.7 cpus" w changes
  w undo --force
  holds "$a" cpu.max "max 100000"
}
t "what someone else changed since is left alone without --force" changed_since

all() {
  fresh
  w set "$a" "$b" cpus=1 pids.max=50
  w set "$a" cpus=2
  w undo --all
  holds "$a" cpu.max "max 100000" && holds "$b" cpu.max "max 100000" && holds "$b" pids.max max
}
t "undo --all goes back to the first values" all

# --- the journal's troubles ---

corrupt() {
  fresh
  w set "$a" cpus=1
  w set "$b" cpus=1
  printf 'garbage\xff\0' | dd of="$run/j/limits.journal" bs=1 seek=20 conv=notrunc 2>/dev/null
  says "1 damaged records" w undo --all
  holds "$a" cpu.max "max 100000" && holds "$b" cpu.max "max 100000"
}
t "a corrupt journal is told once and does not stop undo" corrupt

full_disk() {
  fresh
  mount -t tmpfs -o size=64k,mode=755 weir-small "$small"
  weir --run-dir "$small" set "$a" cpus=1
  dd if=/dev/zero of="$small/fill" bs=1k 2>/dev/null || true
  # What is left of the journal's own page takes a few more records.
  local value=2 status=0
  while ((value < 40)); do
    weir --run-dir "$small" set "$a" "cpus=$value" 2>"$run/err" || { status=$?; break; }
    value=$((value + 1))
  done
  ((status == 1)) && grep -q 'could not be journalled' "$run/err" && grep -q 'No space left' "$run/err"
  holds "$a" cpu.max "$(((value - 1) * 100000)) 100000"
  weir --run-dir "$small" undo --all
  holds "$a" cpu.max "max 100000"
  umount "$small"
}
t "a full disk under the journal: nothing is written, and undo still works" full_disk

others_directory() {
  fresh
  mkdir -m 777 "$run/j"
  exits 1 w set "$a" cpus=1
  holds "$a" cpu.max "max 100000"
}
t "a journal directory that others can write is refused" others_directory

writers() {
  fresh
  local n pids=()
  for n in 1 2 3 4; do
    (for weight in 1 2 3; do w set "$a" "cpu.weight=$((n * 100 + weight))" >/dev/null || exit 1; done) &
    pids+=($!)
  done
  for n in "${pids[@]}"; do wait "$n"; done
  w changes --json | jq -e '.damaged == 0 and (.changes | length == 12) and ([.changes[].epoch] | unique | length == 12)'
  w undo --all
  holds "$a" cpu.weight 100
}
t "writers at the same time lose nothing" writers

# --- a kill at every step ---

# Kills `weir ARGUMENTS` right before each system call that can change anything, in turn. Each time undo --all must bring the
# first values back.
killed_everywhere() {
  local count call n kills=0
  fresh
  "$1"
  strace -f -qq -o "$run/trace" weir --run-dir "$run/j" "${@:2}"
  sed -nE 's/^[0-9]+ +(write|pwrite64|ftruncate|flock|mkdir|mkdirat|rename|renameat|unlink|unlinkat)\(.*/\1/p' "$run/trace" |
    sort | uniq -c >"$run/calls"
  while read -r count call; do
    for ((n = 1; n <= count; n++)); do
      fresh
      "$1"
      strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
        weir --run-dir "$run/j" "${@:2}" >/dev/null 2>&1 || true
      w undo --all || { echo "undo after a kill before $call $n failed"; return 1; }
      if ! { holds "$a" cpu.max "max 100000" && holds "$a" pids.max max; }; then
        echo "after a kill before $call $n"
        return 1
      fi
      kills=$((kills + 1))
    done
  done <"$run/calls"
  ((kills >= 8)) || { echo "only $kills kills:"; cat "$run/calls"; return 1; }
}
nothing() { :; }
one_set() { w set "$a" cpus=2 pids.max=70 >/dev/null; }
t "set killed at every step: undo --all restores the first values" killed_everywhere nothing set "$a" cpus=1 pids.max=50
t "undo killed at every step: undo --all restores the first values" killed_everywhere one_set undo

# --- --for ---

restored() { holds "$1" cpu.max "max 100000" >/dev/null; }
timed() {
  fresh
  w set "$a" cpus=1 --for 4s
  holds "$a" cpu.max "100000 100000"
  says "in force until" w changes
  wait_for 60 restored "$a"
  says "undone" w changes
}
t "--for restores after its time" timed

timed_kill() {
  fresh
  # Killed between the kernel's write and the journal's second record of it; the timer was made before both.
  exits 137 strace -qq -o /dev/null -P "$run/j/limits.journal" -e trace=write -e inject=write:signal=KILL:when=2 \
    weir --run-dir "$run/j" set "$a" cpus=1 --for 4s
  holds "$a" cpu.max "100000 100000"
  wait_for 60 restored "$a"
}
t "--for restores though weir was killed" timed_kill

guardian() {
  fresh
  # Without systemd's sockets it must be a process of its own; it outlives the session and its leader.
  unshare -m sh -c "mount -t tmpfs none /run/systemd && mount -t tmpfs none /run/dbus &&
    setsid sh -c 'weir --run-dir $run/j set $a cpus=1 --for 4s; kill -HUP 0'" || true
  holds "$a" cpu.max "100000 100000"
  wait_for 60 restored "$a"
}
t "without systemd a detached guardian restores" guardian

stacked() {
  fresh
  w set "$a" cpus=1 --for 4s
  w set "$a" cpus=2
  wait_for 60 says "undone" w changes
  holds "$a" cpu.max "200000 100000"
  w undo
  holds "$a" cpu.max "max 100000"
}
t "a later change outlives the timed one below it, and undoes to the first value" stacked

finish
