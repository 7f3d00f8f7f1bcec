#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir control` as a service: started only where there is a configuration, ready when limits are in its care, restarted
# where it was when it is killed or hangs, with no more rights than it needs.
# timeout: 600
. tests/system/lib.sh

service=weir-control.service
unit=/etc/systemd/system/$service
config=/etc/weir/containers.yml
log=/var/log/weir/control.jsonl
said=$(mktemp)
cleanup() {
  systemctl stop "$service"
  kill -9 "$worker"
  wait
  rmdir /sys/fs/cgroup/service-demo
  rm -rf "$unit" "$unit.d" /etc/weir "$said"
  systemctl daemon-reload
}
sed "s|/usr/bin/weir|$(command -v weir)|" "packaging/systemd/$service" >"$unit"
systemctl daemon-reload
sh -c 'while :; do :; done' &
worker=$!

property() { systemctl show --value --property "$1" "$service"; }
holds() { [[ $(</sys/fs/cgroup/service-demo/cpu.max) == "$1" ]]; }
told() { jq -es "any(.[]; $1)" "$log" >/dev/null; }

valid() { systemd-analyze verify --man=no "$unit"; }
t "the unit is valid" valid

unconfigured() {
  systemctl start "$service"
  [[ $(property ActiveState) == inactive && $(property ConditionResult) == no ]]
}
t "without a configuration it does not start" unconfigured

starts() {
  mkdir -p /etc/weir
  cat >"$config" <<YAML
version: 1
containers:
  /service-demo:
    create: true
    pids: [$worker]
    cpu: {soft: 0.2, hard: 0.5, floor: 0.2, step: 0.1, cooldown: 200ms}
outputs: {samples: samples.jsonl}
YAML
  systemctl start "$service" # returns when it is ready
  [[ $(property ActiveState) == active && $(property SubState) == running ]]
  wait_for 60 holds '50000 100000'
  wait_for 60 told '.event == "soft_limit_raised" and .container.name == "/service-demo"'
  [[ $(property StatusText) == "1 containers in care, "* ]]
  [[ -f /var/lib/weir/samples.jsonl ]]
  journalctl -u "$service" -o cat | grep 'woken by f' # BPF
  journalctl --sync
  journalctl -o json SYSLOG_IDENTIFIER=weir WEIR_EVENT=soft_limit_raised | jq -es 'length > 0'
}
t "it starts, makes the cgroup that is asked for, and limits follow the load" starts

reloads() {
  sed -i 's/hard: 0.5/hard: 0.4/' "$config"
  systemctl reload "$service"
  wait_for 60 holds '40000 100000'
}
t "reload reads the configuration again" reloads

restarted() { (($(property NRestarts) > restarts)) && [[ $(property ActiveState) == active && $(property MainPID) != "$before" ]]; }
goes_on() { # goes_on SIGNAL: what happens to the process
  local before restarts lines
  before=$(property MainPID)
  restarts=$(property NRestarts)
  lines=$(wc -l <"$log")
  kill -"$1" "$before"
  wait_for 120 restarted
  wait_for 60 told '.event == "hard_limit_reached" and .hard == 0.4'
  holds '40000 100000'
  tail -n "+$((lines + 1))" "$log" >"$said"
  if grep -q soft_limit_lowered "$said"; then return 1; fi
}
t "killed, it goes on from where it was" goes_on KILL
hangs() {
  mkdir -p "$unit.d" # a shorter time than the 30 s of the unit
  printf '[Service]\nWatchdogSec=5s\n' >"$unit.d/watchdog.conf"
  systemctl daemon-reload
  goes_on KILL # with the shorter time
  goes_on STOP
}
t "hanging, it is restarted by the watchdog" hangs

unchanged() { journalctl -u "$service" -o cat | grep -q 'stays as it was'; }
wrong() {
  echo 'version: 2' >"$config"
  wait_for 60 unchanged
  [[ $(property ActiveState) == active ]]
  holds '40000 100000'
  systemctl stop "$service"
  holds 'max 100000'
  if systemctl start "$service"; then return 1; fi
  [[ $(property NRestarts) == 0 && $(property ExecMainStatus) == 2 ]]
  systemctl reset-failed "$service"
}
t "a wrong configuration changes nothing while it runs, and does not start; a stop puts limits back" wrong

secure() {
  systemd-analyze security --no-pager "$service" | tail -n 1 >"$said"
  cat "$said"
  awk '/Overall exposure level/ {for (i = 1; i <= NF; i++) if ($i ~ /^[0-9.]+$/) exit !($i <= 3.0)}' "$said"
}
t "systemd-analyze security rates it 3.0 or better" secure
cat "$said"
finish
