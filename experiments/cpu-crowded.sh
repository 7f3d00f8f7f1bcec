# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
about='others use the CPU: more of a limit changes nothing, so it is not raised'
resource=cpu floor=0.7 hard=0.95
configuration() {
  cat <<END_OF_FILE
version: 1
containers:
  weir-exp-web:
    cpu: {soft: 0.7, floor: $floor, hard: $hard, step: 0.05, cooldown: 500ms}
END_OF_FILE
}
prepare() {
  local name
  for name in weir-exp-web weir-exp-other1 weir-exp-other2; do
    container "$name" --cpuset-cpus 0
  done
}
load() {
  work weir-exp-other1 cpu --seconds 30 &
  work weir-exp-other2 cpu --seconds 30 &
  work weir-exp-web cpu --seconds 25
}
expectations() {
  expect "nothing raised" told_times 0 '.event == "soft_limit_raised"'
  expect "the limit stays at 0.7 CPUs" never_above 0.7
  expect "it gets no more than its share of the CPU" uses_at_most 0.6
}
