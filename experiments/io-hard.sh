# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
about='writes that want more than the ceiling: told, and held to it'
resource=io floor=512K hard=2M
configuration() {
  cat <<END_OF_FILE
version: 1
containers:
  weir-exp-web:
    io: {device: $(device), write: {soft: 512K, floor: $floor, hard: $hard, step: 512K, cooldown: 500ms}}
END_OF_FILE
}
prepare() { container weir-exp-web; }
load() { work weir-exp-web io --bytes 16M --path /data --seconds 25; }
expectations() {
  expect "told that the ceiling is reached" told '.event == "hard_limit_reached"'
  expect "nothing raised after that" nothing_after '.event == "hard_limit_reached"' '.event == "soft_limit_raised"'
  expect "never above the ceiling of $hard a second" never_above "$hard"
}
