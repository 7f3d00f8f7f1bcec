# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the scripts here that need cgroups and processes of their own.

# begin_place NAME: $mount (of cgroup2), $top (a cgroup of ours in it), $run (a folder) and $pids. What is in them is gone at the end.
begin_place() {
  mount=$(awk '/ - cgroup2 / {print $5; exit}' /proc/self/mountinfo)
  top=$mount/weir-$1-$$
  run=$(mktemp -d)
  pids=()
  trap end_place EXIT
  mkdir "$top"
}
end_place() {
  kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rmdir "$top"/*/ "$top" 2>/dev/null || true
  rm -rf "$run"
}
