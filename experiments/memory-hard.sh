# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
about='memory beyond the ceiling: the limit stays there, and memory.max above it kills'
resource=memory floor=16M hard=48M watched=yes
configuration() {
  cat <<END_OF_FILE
version: 1
containers:
  weir-exp-web:
    memory: {soft: 16M, floor: $floor, hard: $hard, step: 8M, cooldown: 200ms}
END_OF_FILE
}
prepare() { container weir-exp-web --memory 50m --memory-swap 50m; }
load() { work weir-exp-web memory --size 96M --step 2M --seconds 60; }
expectations() {
  expect "told that the ceiling is reached" told '.event == "hard_limit_reached"'
  expect "never above the ceiling of $hard" never_above "$hard"
  expect "killed by its own memory.max" kills 1
  expect "weir watch told of the kill" watch_told '.event == "oom_kill" and .container.name == "weir-exp-web"'
}
