# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
about='bursts of CPU are followed below the ceiling, and down again'
resource=cpu floor=0.2 hard=1.2
configuration() {
  cat <<END_OF_FILE
version: 1
containers:
  weir-exp-web:
    cpu: {soft: 0.2, floor: $floor, hard: $hard, step: 0.05, cooldown: 500ms, parameters: {calm: 2}}
END_OF_FILE
}
prepare() { container weir-exp-web; }
load() {
  work weir-exp-web cpu --duty 40 --seconds 10
  sleep 10
  work weir-exp-web cpu --duty 60 --seconds 10
  sleep 10
}
expectations() {
  expect "raised because its own limit held it back" told '.event == "soft_limit_raised" and .cause == "own_limit"'
  expect "lowered again when there was less to do" told '.event == "soft_limit_lowered" and .cause != "bounds"'
  expect "never above the ceiling of $hard CPUs" never_above "$hard"
  expect "down near its floor of $floor CPUs when the bursts are over" ends_at_most 0.3
}
