# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
about='a load that wants more than the ceiling: told once, and nothing is changed after that'
resource=cpu floor=0.1 hard=0.5
configuration() {
  cat <<END_OF_FILE
version: 1
containers:
  weir-exp-web:
    cpu: {soft: 0.1, floor: $floor, hard: $hard, step: 0.05, cooldown: 500ms}
END_OF_FILE
}
prepare() { container weir-exp-web; }
load() { work weir-exp-web cpu --seconds 25; }
expectations() {
  expect "raised because its own limit held it back" told '.event == "soft_limit_raised" and .cause == "own_limit"'
  expect "told once that the ceiling is reached" told_times 1 '.event == "hard_limit_reached"'
  expect "nothing raised after that" nothing_after '.event == "hard_limit_reached"' '.event == "soft_limit_raised"'
  expect "never above the ceiling of $hard CPUs" never_above "$hard"
}
