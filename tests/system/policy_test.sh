#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir policy` on samples of a control that ran: learned, kept, judged, taken back, and the same by the systemd timer.
# timeout: 900
. tests/system/lib.sh

run=$(mktemp -d -p /var/tmp)
readonly units=/etc/systemd/system state=/var/lib/weir
evidence() { tail -n 4 "$run"/*.out "$run"/*.err; }
cleanup() {
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null; done
  systemctl stop 'load*.service'
  systemctl disable --now weir-policy-retrain.timer
  rm -rf "$units"/weir-policy-retrain.* "$run" "$state/models" "$state/logs"
  systemctl daemon-reload
}
sed "s|/usr/bin/weir|$(command -v weir)|" packaging/systemd/weir-policy-retrain.service >"$units/weir-policy-retrain.service"
cp packaging/systemd/weir-policy-retrain.timer "$units/"
systemctl daemon-reload

# Busy and idle in turns, each in another rhythm.
load() { systemd-run --quiet --unit "load$1" sh -c "while :; do i=0; while [ \$i -lt ${1}000 ]; do i=\$((i+1)); done; sleep 0.$1; done"; }
rows() { (($(grep -c '"resource":"cpu"' "$run/samples.jsonl") >= $1)); }
sampled() {
  local n
  printf 'version: 1\ncontainers:\n' >"$run/containers.yml"
  for n in 1 2 3 4 5 6; do
    printf '  unit:load%s.service: {cpu: {soft: 0.1, hard: 0.5, floor: 0.05, step: 0.05}}\n' "$n" >>"$run/containers.yml"
  done
  printf 'outputs: {samples: %s/samples.jsonl}\n' "$run" >>"$run/containers.yml"
  weir --run-dir "$run/r" control -c "$run/containers.yml" --no-log >/dev/null 2>"$run/control.err" &
  wait_for 120 grep -q 'Ctrl-C ends it' "$run/control.err" || { cat "$run/control.err"; return 1; }
  for n in 1 2 3 4 5 6; do load "$n"; done
  wait_for 400 rows 700 || { cat "$run/control.err"; return 1; }
  kill -INT $!
  wait $!
}
t "a control writes samples" sampled
cd "$run" || exit 1
mkdir -p logs
cp samples.jsonl logs/training_samples.jsonl

learns() {
  weir policy train || weir policy train --force
  weir policy show
  jq -e '.resources.cpu | .lesson == "learned" and .held_out > 50 and (.scores | has("linear") and has("forest") and has("step") and has("last_value"))' \
    models/soft_limit.metrics.json
  jq -e .checksum models/soft_limit.json
}
t "a model is learned of them" learns
cat models/soft_limit.metrics.json

keeps() {
  local id
  id=$(weir policy show --json | jq -r .model)
  weir policy retrain --json | jq -e '.action == "kept"'
  [[ $(weir policy show --json | jq -r .model) == "$id" ]]
}
t "the same samples promote nothing" keeps

goes_back() {
  local first second
  first=$(weir policy show --json | jq -r .model)
  head -n 650 samples.jsonl >logs/part.jsonl
  weir policy train --force --samples logs/part.jsonl
  second=$(weir policy show --json | jq -r .model)
  [[ $first != "$second" ]]
  weir policy rollback
  [[ $(weir policy show --json | jq -r .model) == "$first" ]]
  jq -es '[.[].action] == ["kept", "rolled_back"]' logs/model_history.jsonl
}
t "one command goes back to the model before" goes_back

tampered() {
  sed 's/"margin":/"margin":1/' models/soft_limit.json >models/tampered.json
  exits 2 weir policy show models/tampered.json
  cp models/soft_limit.json models/foreign.json
  chown nobody models/foreign.json
  exits 1 weir policy show models/foreign.json
}
t "a model that was changed, or is another's, is refused" tampered

timer_valid() { systemd-analyze verify --man=no "$units/weir-policy-retrain.service" "$units/weir-policy-retrain.timer"; }
t "the units are valid" timer_valid

nothing_yet() {
  rm -f "$state/logs/training_samples.jsonl"
  systemctl start weir-policy-retrain.service
  [[ $(systemctl is-failed weir-policy-retrain.service) == inactive ]]
  [[ ! -e $state/logs/model_history.jsonl ]]
}
t "without samples the service is skipped, not failed" nothing_yet

too_few() {
  mkdir -p "$state/logs"
  head -n 100 samples.jsonl >"$state/logs/training_samples.jsonl"
  systemctl start weir-policy-retrain.service
  [[ $(systemctl is-failed weir-policy-retrain.service) == inactive ]]
  jq -es '.[-1].action == "too_few_samples"' "$state/logs/model_history.jsonl"
}
t "with too few it says so, and has not failed" too_few

by_service() {
  cp samples.jsonl "$state/logs/training_samples.jsonl"
  systemctl start weir-policy-retrain.service || { journalctl -u weir-policy-retrain.service -o cat; return 1; }
  journalctl -u weir-policy-retrain.service -o cat
  jq -es '.[-1] | .action == "promoted" or .resources.cpu.lesson == "useless"' "$state/logs/model_history.jsonl"
}
t "with enough it learns" by_service

timer_waits() {
  systemctl enable --now weir-policy-retrain.timer
  [[ $(systemctl show --value --property NextElapseUSecRealtime weir-policy-retrain.timer) ]]
}
t "the timer waits for its time" timer_waits

secure() {
  systemd-analyze security --no-pager weir-policy-retrain.service | tail -n 1 |
    awk '{print} /Overall exposure level/ {for (i = 1; i <= NF; i++) if ($i ~ /^[0-9.]+$/) exit !($i <= 1.5)}'
}
t "systemd-analyze security rates it 1.5 or better" secure
finish
