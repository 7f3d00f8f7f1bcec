#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The guide pages work by copy and paste: every indented line is run, in one shell, as it stands there.
# timeout: 700
. tests/system/lib.sh

tree=$PWD
run=$(mktemp -d)
unit=/etc/systemd/system/weir.service
cleanup() {
  systemctl disable --now weir
  rm -rf "$unit" "$unit.d" /usr/share/weir/prometheus
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

# What the package would install.
metrics() {
  sed "s|/usr/bin/weir|$(command -v weir)|" packaging/systemd/weir.service >"$unit"
  install -D -m 644 -t /usr/share/weir/prometheus packaging/prometheus/*
  paste metrics.md >"$run/commands"
  (($(wc -l <"$run/commands") > 20))
  export -f ask curl
  cd "$run"
  bash -euxo pipefail commands
  [[ ! -e $unit.d && $(systemctl is-active weir) == inactive ]]
}
t "metrics" metrics

what_happened_at_three() {
  paste what-happened-at-three.md >"$run/commands"
  (($(wc -l <"$run/commands") > 12))
  cd "$run"
  bash -euxo pipefail commands >out 2>err || { cat out err; return 1; }
  cat out err
  grep -q 'web: throttled by its CPU limit' out
  grep -q 'recorded at' out
  grep -Eq '^web .* 0\.1 ' out
}
t "what happened at three" what_happened_at_three
finish
