# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# What experiments are made of; sourced by experiments/run, which sets $out (an experiment's folder) and $scratch (a folder
# on a disk, gone afterwards). An experiment is a file NAME.sh that sets about, resource (cpu, memory or io), floor, hard and,
# if weir watch is to run, watched=yes; and has the functions
#   configuration   prints its containers.yml
#   prepare         starts its containers, of which weir-exp-web is the one that is looked at
#   load            what they do; its time is the experiment's
#   expectations    calls expect for each thing that should have come of it

readonly subject=weir-exp-web mark=weir.experiment

## For prepare and load.

# container NAME [DOCKER OPTION…]: one that idles until it is given work; /data is a folder on a disk.
container() {
  docker run --detach --name "$1" --label "$mark=yes" --network none -v "$(command -v weir-lab):/weir-lab:ro" -v "$scratch:/data" \
    "${@:2}" busybox sleep 100000 >/dev/null
}
cgroup_of() { echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(docker inspect --format '{{.State.Pid}}' "$1")/cgroup")"; }

# work NAME ARG…: weir-lab in that container, until it ends or is killed.
work() {
  docker exec "$1" /weir-lab "${@:2}" >/dev/null 2>&1 &
  wait $! || true
}
rest() {
  sleep "$1" &
  wait $!
}

# device: MAJ:MIN of the disk of $scratch; nothing where it is on none.
device() {
  local partition
  partition=$(findmnt --noheadings --output MAJ:MIN --target "$scratch" | tr -d ' ')
  if [[ $partition == 0:* ]]; then return; fi
  if [[ -e /sys/dev/block/$partition/partition ]]; then cat "/sys/dev/block/$partition/../dev"; else echo "$partition"; fi
}

## For expectations.

# expect TEXT CONDITION…
expect() {
  local answer=yes
  "${@:2}" || { answer=no; as_expected=no; }
  printf 'as expected: %-3s  %s\n' "$answer" "$1" | tee -a "$out/summary.txt" >&2
}

# Of control's events, by filters of jq.
told() { jq -es "any(.[]; $1)" "$out/events.jsonl" >/dev/null; }
told_times() { jq -es "[.[] | select($2)] | length == $1" "$out/events.jsonl" >/dev/null; }
nothing_after() { jq -es "(map($1) | index(true)) as \$n | \$n != null and all(.[\$n:][]; $2 | not)" "$out/events.jsonl" >/dev/null; }
watch_told() { jq -es "any(.[]; $1)" "$out/watch.jsonl" >/dev/null; }

# Of the samples; a size like 48M is one of memory or a second's.
column() { awk -F, -v column="$1" 'NR > 1 && $column != "" {print $column}' "$out/data.csv"; }
in_units() { if [[ $resource == cpu ]]; then echo "$1"; else numfmt --from=iec "$1" | awk '{print $1 / 1048576}'; fi; }
never_above() { column 2 | awk -v most="$(in_units "$1")" '$1 > most * 1.0001 {exit found = 1} END {exit found || NR == 0}'; }
ends_at_most() { column 2 | tail -n 1 | awk -v most="$(in_units "$1")" '{exit $1 > most}'; }
uses_at_most() { column 3 | awk -v most="$(in_units "$1")" '{sum += $1} END {exit NR == 0 || sum / NR > most}'; }
kills() { [[ $killed == "$1" ]]; }

## For experiments/run.

# sample CGROUP DEVICE: four times a second what the kernel says, as lines for experiments/table, until it is killed. Pressure
# is read once a second only: reading it more often would take stall time away from other readers.
sample() {
  local cgroup=$1 disk=$2 limit use held line value n
  cd "$cgroup" || return
  for ((n = 0; ; n++)); do
    limit=max use=0 held=-
    case $resource in
      cpu)
        read -r limit line <cpu.max
        if [[ $limit != max ]]; then limit=$((limit * 1000000 / line)); fi
        while read -r line value; do
          case $line in usage_usec) use=$value ;; throttled_usec) held=$value ;; esac
        done <cpu.stat
        ;;
      memory)
        read -r limit <memory.high
        read -r use <memory.current
        ;;
      io)
        while read -r line; do
          if [[ $line == "$disk "* ]]; then limit=${line##* wbps=} limit=${limit%% *}; fi
        done <io.max
        while read -r line; do
          if [[ $line == "$disk "* ]]; then use=${line##* wbytes=} use=${use%% *}; fi
        done <io.stat
        ;;
    esac
    if [[ $resource != cpu ]] && ((n % 4 == 0)); then
      read -r line <"$resource.pressure"
      held=${line##*total=}
    fi
    echo "${EPOCHREALTIME/[.,]/} $limit $use $held"
    sleep 0.25
  done
}

# wait_for SECONDS WHAT COMMAND…: until COMMAND succeeds; else says that it waited for WHAT in vain.
wait_for() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < end)) || { echo "waited in vain for $what" >&2; return 1; }
    sleep 0.2
  done
}
