# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
about='writes to the disk are followed below the ceiling'
resource=io floor=512K hard=8M
configuration() {
  cat <<END_OF_FILE
version: 1
containers:
  weir-exp-web:
    io: {device: $(device), write: {soft: 512K, floor: $floor, hard: $hard, step: 512K, cooldown: 500ms}}
END_OF_FILE
}
prepare() { container weir-exp-web; }
load() {
  work weir-exp-web io --rate 2M --bytes 16M --path /data --seconds 20
  sleep 10
}
expectations() {
  expect "raised because its own limit held it back" told '.event == "soft_limit_raised" and .cause == "own_limit"'
  expect "lowered again after the load" told '.event == "soft_limit_lowered" and .cause != "bounds"'
  expect "never above the ceiling of $hard a second" never_above "$hard"
}
