# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
about='a limit of the cgroup above holds: no raise could help, so there is none'
resource=cpu floor=0.3 hard=1
configuration() {
  cat <<END_OF_FILE
version: 1
containers:
  weir-exp-web:
    cpu: {soft: 0.3, floor: $floor, hard: $hard, step: 0.1, cooldown: 500ms}
END_OF_FILE
}
prepare() {
  container weir-exp-web --cgroup-parent weir-exp.slice
  echo '20000 100000' >"$(dirname "$(cgroup_of weir-exp-web)")/cpu.max"
}
load() { work weir-exp-web cpu --seconds 25; }
expectations() {
  expect "a raise refused, because of the limit above" told '.event == "raise_refused" and .cause == "limit_above"'
  expect "nothing raised" told_times 0 '.event == "soft_limit_raised"'
  expect "the limit stays at 0.3 CPUs" never_above 0.3
  expect "it uses no more than the 0.2 CPUs above it" uses_at_most 0.25
}
