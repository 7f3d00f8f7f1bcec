#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir watch --prometheus` read by Prometheus itself with the shipped configuration: every query of the shipped dashboard
# has an answer.
# timeout: 900
. tests/system/lib.sh

run=$(mktemp -d -p /var/tmp)
api=http://127.0.0.1:9090
cleanup() {
  docker rm -f throttled limited
  for pid in $(jobs -p); do kill "$pid"; done
  wait
  rm -rf "$run"
}

page() { ask 9717 'GET /metrics HTTP/1.1' 'Host: 127.0.0.1:9717' "$@" | tr -d '\r' | sed '1,/^$/d'; }
status() { ask 9717 "$@" | head -n 1 | tr -d '\r'; }
# data QUERY: Prometheus has an answer, and it is no empty one.
data() {
  local said
  said=$(promtool query instant "$api" "$1" 2>&1) || true
  [[ $said == *'=>'* ]] || { printf 'no data: %s\n%s\n' "$1" "$said"; return 1; }
}

docker run --detach --name throttled --cpus 0.1 --network none busybox sh -c 'while :; do :; done' >/dev/null
docker run --detach --name limited --memory 64m --network none busybox sh -c 'cat /bin/busybox >/dev/null; sleep 1000' >/dev/null
weir --run-dir "$run/r" watch --log "$run/log" --prometheus 127.0.0.1:9717 >"$run/out" 2>"$run/err" &
wait_for 60 grep -q 'metrics at http://127.0.0.1:9717/metrics' "$run/err"

refused() {
  exits 2 weir watch --no-log --prometheus 0.0.0.0:9717
  says 'is not on this host alone' weir watch --no-log --prometheus 192.0.2.1:9717
  exits 2 weir watch --no-log --prometheus '[::]:9717'
  says 'another process has the port' weir --run-dir "$run/r2" watch --no-log --prometheus 127.0.0.1:9717
}
t "an address that others could reach is refused" refused

linted() {
  page >"$run/page"
  grep 'weir_container_cpu_limit_cores{name="throttled",.*runtime="docker"} 0.100000' "$run/page"
  grep 'weir_container_memory_limit_bytes{name="limited",.*} 67108864' "$run/page"
  grep 'weir_container_memory_limit_bytes{name="throttled",.*} +Inf' "$run/page"
  promtool check metrics <"$run/page"
}
t "promtool finds nothing wrong with the metrics" linted

polite() {
  [[ $(status 'GET /metrics HTTP/1.1' 'Host: rebound.example.org') == *' 403 '* ]]
  [[ $(status 'GET /metrics HTTP/1.1') == *' 400 '* ]]
  [[ $(status 'POST /metrics HTTP/1.1' 'Host: localhost') == *' 405 '* ]]
  [[ $(status 'GET /other HTTP/1.1' 'Host: localhost') == *' 404 '* ]]
  ask 9717 'GET / HTTP/1.1' 'Host: localhost' >"$run/page"
  grep 'are at /metrics' "$run/page"
  page 'Accept: application/openmetrics-text' >"$run/page"
  [[ $(tail -n 1 "$run/page") == '# EOF' ]]
}
t "only the pages there are, only for this host" polite

# Clients that connect and say nothing: the metrics are served, and events told.
patient() {
  local n
  for ((n = 0; n < 40; n++)); do
    # shellcheck disable=SC2217  # it only holds the connection
    sleep 1000 </dev/tcp/127.0.0.1/9717 &
    echo "$!"
  done >"$run/silent"
  page >"$run/page"
  grep weir_build_info "$run/page"
  docker run --rm --name ran --network none busybox true
  wait_for 60 grep 'ran: ended' "$run/out"
  xargs kill <"$run/silent"
}
t "silent clients keep neither others nor events out" patient

sed 's/scrape_interval: 15s/scrape_interval: 1s/' packaging/prometheus/weir.yml >"$run/weir.yml"
cp packaging/prometheus/weir.rules.yml "$run"
checked() {
  promtool check config packaging/prometheus/weir.yml
  promtool check rules packaging/prometheus/weir.rules.yml
}
t "the shipped configuration and alerts are valid" checked

prometheus --config.file "$run/weir.yml" --storage.tsdb.path "$run/data" --web.listen-address 127.0.0.1:9090 \
  >"$run/prometheus" 2>&1 &
scraped() {
  wait_for 120 data 'up{job="weir"} == 1' || { tail -n 20 "$run/prometheus"; return 1; }
  # The last that has data: two scrapes of a container that is throttled.
  wait_for 120 data 'rate(weir_container_cpu_throttled_periods_total{name="throttled"}[20s]) > 0'
  data 'count(scrape_samples_scraped{job="weir"} > 100)'
}
t "Prometheus scrapes it with the shipped configuration" scraped

queries() { # as Grafana asks them: the variables filled in
  jq -r '[.. | objects | .expr? // empty] | unique[]' packaging/grafana/weir.json |
    sed 's/\$__rate_interval/20s/g; s/\$__range/5m/g; s/\$\(instance\|runtime\|name\)/.*/g'
}
answered() {
  local query count=0
  while read -r query; do
    data "$query"
    count=$((count + 1))
  done < <(queries)
  echo "$count queries"
  ((count >= 30))
}
t "every query of the dashboard has an answer" answered

variables() {
  local metric label count=0
  while read -r metric label; do
    data "count by ($label) ($metric)"
    count=$((count + 1))
  done < <(jq -r '.templating.list[].definition' packaging/grafana/weir.json |
    sed -n 's/^label_values(\([a-z_]*\).*, \([a-z]*\))$/\1 \2/p')
  ((count == 3))
}
t "the variables of the dashboard have values" variables

named() { data 'weir_container_pids{instance="this-host",name="limited",runtime="docker"}'; }
t "a container is found by the labels that the reference tells" named

finish
