# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
about='memory that grows below the ceiling is followed, and nothing is killed'
resource=memory floor=16M hard=80M
configuration() {
  cat <<END_OF_FILE
version: 1
containers:
  weir-exp-web:
    memory: {soft: 16M, floor: $floor, hard: $hard, step: 4M, cooldown: 200ms}
END_OF_FILE
}
prepare() { container weir-exp-web --memory 96m --memory-swap 96m; }
load() { work weir-exp-web memory --size 56M --step 2M --seconds 30; }
expectations() {
  expect "raised because its own limit held it back" told '.event == "soft_limit_raised" and .cause == "own_limit"'
  expect "raised above the 56 MiB that it needs" told '.event == "soft_limit_raised" and .to > 56 * 1048576'
  expect "never above the ceiling of $hard" never_above "$hard"
  expect "nothing killed" kills 0
}
