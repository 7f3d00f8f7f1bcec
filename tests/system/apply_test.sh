#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# weir apply and set -f: a plan is carried out whole or not at all, on the real kernel.
. tests/system/lib.sh

mount=/sys/fs/cgroup
top=weir-apply-test
run=$(mktemp -d)
export COLUMNS=120

cleanup() {
  docker rm -f web
  rmdir "$mount/$top"/*/ "$mount/$top"
  rm -rf "$run"
}
mkdir -p "$mount/$top"
echo '+cpu +memory +pids' >"$mount/cgroup.subtree_control"
echo '+cpu +memory +pids' >"$mount/$top/cgroup.subtree_control"
mkdir "$mount/$top"/{a,b,c}
docker run --detach --name web --label tier=front busybox sleep 100000 >/dev/null
web=$mount/system.slice/docker-$(docker inspect --format '{{.Id}}' web).scope

w() { weir --run-dir "$run/j" "$@"; }
holds() { [[ $(<"$mount/$top/$1/$2") == "$3" ]] || { echo "$1 $2 holds $(<"$mount/$top/$1/$2"), not $3"; return 1; }; }
fresh() {
  rm -rf "$run/j"
  for one in a b c; do
    echo 0 >"$mount/$top/$one/cpu.max.burst"
    echo 'max 100000' >"$mount/$top/$one/cpu.max"
    echo max >"$mount/$top/$one/memory.max"
    echo max >"$mount/$top/$one/pids.max"
  done
}
untouched() { for one in a b c; do holds "$one" cpu.max 'max 100000' && holds "$one" memory.max max && holds "$one" pids.max max; done; }

cat >"$run/plan.yml" <<END
reason: the sale begins at nine
limits:
  /$top/a: {cpus: 1.5, memory: 512M}
  /$top/b:
    pids: 50
  label:tier=front: {cpu.weight: 50}
END
applied() {
  fresh
  w apply "$run/plan.yml" -y --json >"$run/json"
  jq -e '.epoch > 0 and (.changes | length) == 4 and all(.changes[]; .status == "changed")' "$run/json"
  holds a cpu.max '150000 100000'
  holds a memory.max 536870912
  holds b pids.max 50
  [[ $(<"$web/cpu.weight") == 50 ]]
  [[ $(w changes --json | jq -r '[.changes[] | .epoch, .reason] | unique | @csv') == '1,"the sale begins at nine"' ]]
}
t "a plan sets the limits of all that it names, as one change" applied
taken_back() {
  w undo
  untouched
  [[ $(<"$web/cpu.weight") == 100 ]]
}
t "undo takes the whole plan back" taken_back
from_stdin() {
  fresh
  w set -f - -y <"$run/plan.yml"
  holds b pids.max 50
  w undo
}
t "set -f - reads it from stdin" from_stdin
shown() {
  fresh
  w apply "$run/plan.yml" --dry-run >"$run/diff"
  grep -F "/$top/a: cpu.max max -> 1.5 cpus (150000/100000)" "$run/diff"
  grep -F 'web: cpu.weight 100 -> 50' "$run/diff"
  untouched
  [[ ! -e $run/j ]]
}
t "--dry-run shows old -> new and writes nothing" shown
t "a plan with a set asks before it changes several" says "not asked, since there is no terminal" exits 1 w apply "$run/plan.yml"

wrong() {  # wrong TEXT PLAN: refused as wrong usage, saying TEXT; nothing is touched
  fresh
  printf '%b' "$2" >"$run/wrong.yml"
  says "$1" exits 2 w apply "$run/wrong.yml"
  untouched
  [[ ! -e $run/j ]]
}
t "no YAML is refused with its place" wrong "wrong.yml:2:1: is no YAML" 'limits: {\n'
t "an unknown knob offers the near one, with its place" wrong "wrong.yml:3:24: pid is no limit that weir knows" \
  "limits:\n  /$top/a: {cpus: 1}\n  /$top/b: {pid:  1}\n"
t "one target by two names with two values is refused" wrong "both mean it" \
  "limits:\n  web: {cpu.weight: 50}\n  docker:web: {cpu.weight: 60}\n"
t "a time of nothing is refused" wrong "for: must be between 1ms and a year" "for: 0s\nlimits:\n  web: {cpu.weight: 50}\n"
unknown_target() {
  fresh
  printf 'limits:\n  /%s/a: {cpus: 1}\n  nobody: {cpus: 1}\n' "$top" >"$run/wrong.yml"
  says "wrong.yml:3:3: nobody: no such container runs here" exits 3 w apply "$run/wrong.yml"
  untouched
}
t "an unknown target stops the whole plan, with its place" unknown_target

rolled_back() {  # b's burst is more than its quota, which only the kernel refuses
  fresh
  echo '50000 100000' >"$mount/$top/b/cpu.max"
  printf 'limits:\n  /%s/a: {cpus: 1, memory: 64M}\n  /%s/b: {cpu.max.burst: 90000}\n  /%s/c: {pids: 7}\n' "$top" "$top" "$top" >"$run/plan2.yml"
  exits 1 w apply "$run/plan2.yml" --json >"$run/json"
  jq -e '[.changes[].status] | sort == ["failed", "rolled-back", "rolled-back", "rolled-back"]' "$run/json"
  echo 'max 100000' >"$mount/$top/b/cpu.max"
  untouched
  [[ $(w changes --json | jq '[.changes[] | select(.state == "in force")] | length') == 0 ]]
  says "nothing to undo" w undo
}
t "what the kernel refuses takes the whole plan back" rolled_back

parents() {  # a level and the one below it: the lower one is never held back by the upper one on the way
  fresh
  mkdir "$mount/$top/a/below"
  echo '+cpu' >"$mount/$top/a/cgroup.subtree_control"
  printf 'limits:\n  /%s/a/below: {cpus: 2}\n  /%s/a: {cpus: 2}\n' "$top" "$top" >"$run/up.yml"
  echo '50000 100000' >"$mount/$top/a/cpu.max"
  echo '50000 100000' >"$mount/$top/a/below/cpu.max"
  w apply "$run/up.yml" --json | jq -r '.epoch' >/dev/null
  w changes --json | jq -r '.changes[].cgroup' >"$run/order"
  diff <(printf '%s\n' "/$top/a" "/$top/a/below") "$run/order"
  w undo
  echo '-cpu' >"$mount/$top/a/cgroup.subtree_control"
  rmdir "$mount/$top/a/below"
}
t "a raise begins with the parent" parents

together() {
  fresh
  echo 100 >"$mount/$top/a/cpu.weight"
  for n in {1..8}; do w set "/$top/a" "cpu.weight=$((200 + n))" & done
  wait
  [[ $(w changes --json | jq '[.changes[] | select(.knob == "cpu.weight") | .epoch] | unique | length') == 8 ]]
  w undo --all
  holds a cpu.weight 100
}
t "writers that come together exclude each other, and all is undone" together

killed() {  # at every record of the journal and at every write to the kernel
  local call n
  printf 'limits:\n  /%s/a: {cpus: 1, pids: 9}\n  /%s/b: {cpus: 1, pids: 9}\n  /%s/c: {cpus: 1, pids: 9}\n' "$top" "$top" "$top" >"$run/six.yml"
  for call in write pwrite64; do
    for ((n = 1; n <= 6; n++)); do
      fresh
      strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" weir --run-dir "$run/j" apply "$run/six.yml" || true
      w undo
      untouched || { echo "after a kill before $call $n"; return 1; }
    done
  done
}
t "killed at any step, undo takes it back" killed
finish
