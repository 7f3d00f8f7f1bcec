#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The guide pages work by copy and paste: every indented line is run, in one shell, as it stands there.
. tests/system/lib.sh

tree=$PWD
run=$(mktemp -d)
cleanup() {
  weir undo --all
  docker rm -f web
  rm -rf "$run"
}

# paste PAGE: its commands. What stays in the foreground gets ten seconds.
paste() {
  echo 'sudo() { "$@"; }'
  sed -n 's/^    //p' "$tree/docs/guide/$1" | sed 's/^sudo weir guard /timeout --preserve-status 10 weir guard /'
}
change_limits_safely() {
  paste change-limits-safely.md >"$run/commands"
  (($(wc -l <"$run/commands") > 20))
  cd "$run"
  bash -euxo pipefail commands
  [[ $(weir changes --json | jq '[.changes[] | select(.state == "in force")] | length') == 0 ]]
}
t "change limits safely" change_limits_safely
finish
