#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The guide page about limits that follow works by copy and paste: every indented line is run, in one shell, as it stands there.
# timeout: 1200
. tests/system/lib.sh

tree=$PWD
run=$(mktemp -d -p /root)
cleanup() {
  systemctl stop weir-trial-control weir-trial-watch
  weir undo --all
  docker rm -f hungry trial-1 trial-2 trial-3 trial-4 trial-5 trial-6
  weir lab down
  rm -rf "$run"
}

# The last section's commands are those of experiments_test.sh.
limits_that_follow() {
  sed -n '/^## Experiments/q; s/^    //p' "$tree/docs/guide/limits-that-follow.md" >"$run/commands"
  (($(wc -l <"$run/commands") > 60))
  export -f ask curl
  cd "$run"
  bash -euxo pipefail commands >out 2>err || { tail -n 30 out err; return 1; }
  grep -q '"lab-cpu","soft_limit_raised","cpu"' out
  grep -q '"lab-cpu","hard_limit_reached","cpu"' out
  grep -q '^models/soft_limit.json: model ' out
  grep -Eq '^trial-. +cpu +shadow ' out
  grep -Eq '^trial-. +cpu +active ' out
  grep -q '"rolled_back"' out
  [[ $(systemctl is-active weir-trial-control) != active && ! -e weir-trial ]]
}
t "limits that follow" limits_that_follow
finish
