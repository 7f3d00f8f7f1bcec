#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Weir as a service: ready when it watches, restarted when it hangs, its events in the log and in the journal, stopped
# cleanly, with no more rights than it needs.
# timeout: 600
. tests/system/lib.sh

unit=/etc/systemd/system/weir.service
log=/var/log/weir/events.jsonl
page=$(mktemp)
cleanup() {
  kill "$proxy"
  docker rm -f served
  systemctl stop weir.service
  rm -rf "$unit" "$unit.d" "$page"*
  systemctl daemon-reload
}
sed "s|/usr/bin/weir|$(command -v weir)|" packaging/systemd/weir.service >"$unit"
systemctl daemon-reload

property() { systemctl show --value --property "$1" weir.service; }
main_pid() { property MainPID; }
# Bash cannot speak to a unix socket; systemd's own proxy can.
systemd-socket-activate --listen 127.0.0.1:9719 /usr/lib/systemd/systemd-socket-proxyd /run/weir/metrics.sock 2>/dev/null &
proxy=$!
get() { ask 9719 "GET $1 HTTP/1.1" 'Host: weir' | tr -d '\r'; } # get PATH: the whole answer of the unix socket
scrape() { get /metrics | sed '1,/^$/d'; }

valid() { systemd-analyze verify --man=no "$unit"; }
t "the unit is valid" valid

starts() {
  systemctl start weir.service # returns when it is ready
  [[ $(property ActiveState) == active && $(property SubState) == running ]]
  [[ $(property StatusText) == *"containers and services"* ]]
  systemctl status weir.service | grep 'Status: "[0-9]* containers and services, [0-9]* events'
}
t "it starts, is ready, and systemctl status says what it watches" starts

logged() { jq -es 'any(.[]; .event == "container_ended" and .container.name == "served")' "$log" >/dev/null; }
in_journal() {
  journalctl --sync
  journalctl -o json SYSLOG_IDENTIFIER=weir CONTAINER_NAME=served WEIR_EVENT=container_ended |
    jq -es 'length == 1 and .[0].MESSAGE == "served: ended" and .[0].PRIORITY == "6" and (.[0].CONTAINER_ID | length == 12) and
      (.[0].MESSAGE_ID | length == 32) and (.[0].WEIR_JSON | fromjson | .container.name == "served") and
      .[0]._SYSTEMD_UNIT == "weir.service"'
}
tells() {
  docker run --rm --name served --network none busybox sleep 2
  wait_for 60 logged
  wait_for 30 in_journal
  weir events served --since 10m | grep 'served: ended' # recorded, and found where the service keeps it
}
t "what happens is in the log and in the journal, with fields" tells

sources() { grep -E '^weir: .* by ' | sed 's/, told after.*//' | sort -u; }
same_sources() {
  timeout -s INT 20 weir --run-dir "$(mktemp -d)" watch --no-log 2>&1 >/dev/null | sources >"$page.outside" || true
  journalctl -u weir.service -o cat | sources >"$page.inside"
  cat "$page.inside"
  grep 'who sets limits by f' "$page.inside" # BPF
  diff "$page.outside" "$page.inside"
}
t "it may use every source of events that root may outside a service" same_sources

explained() {
  local id
  id=$(journalctl -o json -n 1 SYSLOG_IDENTIFIER=weir WEIR_EVENT=container_ended | jq -r .MESSAGE_ID)
  grep -q "^-- $id\$" packaging/systemd/weir.catalog
  install -D -m 644 packaging/systemd/weir.catalog /usr/lib/systemd/catalog/weir.catalog
  journalctl --update-catalog
  journalctl -x -n 1 SYSLOG_IDENTIFIER=weir WEIR_EVENT=container_ended | grep 'The cgroup of served was removed'
  rm /usr/lib/systemd/catalog/weir.catalog
  journalctl --update-catalog
}
t "journalctl -x explains an event" explained

metrics() {
  [[ $(stat -c '%a %U' /run/weir/metrics.sock) == '660 root' ]]
  wait_for 30 get /  # the proxy listens
  scrape >"$page"
  grep 'weir_sampler_role{role="samples"} 1' "$page"
  grep 'weir_events_lost_total{output="journal"} 0' "$page"
  promtool check metrics <"$page"
}
t "it serves metrics on its unix socket" metrics

restarted() { (($(property NRestarts) > 0)) && [[ $(property ActiveState) == active && $(main_pid) != "$before" ]]; }
watchdog() {
  mkdir -p "$unit.d" # a shorter time than the 30 s of the unit
  printf '[Service]\nWatchdogSec=5s\n' >"$unit.d/watchdog.conf"
  systemctl daemon-reload
  systemctl restart weir.service
  local before
  before=$(main_pid)
  kill -STOP "$before"
  wait_for 120 restarted
  journalctl -u weir.service -o cat | grep -i watchdog
  rm -r "$unit.d"
  systemctl daemon-reload
  systemctl restart weir.service
}
t "one that hangs is restarted by the watchdog" watchdog

keeps_journal() {
  echo kept >/run/weir/marker
  systemctl stop weir.service
  [[ $(property ActiveState) == inactive && $(property Result) == success ]]
  [[ $(cat /run/weir/marker) == kept && ! -e /run/weir/metrics.sock ]]
  rm /run/weir/marker
}
t "it stops cleanly, and the folder with the journal of limits stays" keeps_journal

odd() {
  journalctl --sync
  # What is no UTF-8 is told as an array of bytes.
  journalctl -o json SYSLOG_IDENTIFIER=weir WEIR_EVENT=container_ended | jq -es 'any(.[]; .CONTAINER_NAME | type == "array")'
}
hostile() {
  systemctl start weir.service
  local cgroup=/sys/fs/cgroup/system.slice/$'odd"} 1\t\xff\\.service'
  mkdir "$cgroup"
  wait_for 30 grep -c 'odd' "$log"
  wait_for 30 shows_odd
  promtool check metrics <"$page"
  rmdir "$cgroup"
  wait_for 60 odd
  systemctl stop weir.service
}
shows_odd() { scrape >"$page" && grep -F 'name="odd\"} 1' "$page"; }
t "a hostile name breaks neither the metrics nor the journal" hostile

secure() {
  local said
  said=$(systemd-analyze security --no-pager weir.service)
  tail -n 1 <<<"$said" >"$page"
  cat "$page"
  awk '/Overall exposure level/ {for (i = 1; i <= NF; i++) if ($i ~ /^[0-9.]+$/) exit !($i <= 3.0)}' "$page"
}
t "systemd-analyze security rates it 3.0 or better" secure
cat "$page"
finish
