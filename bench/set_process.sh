#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir set web cpus=1` as a whole process against `docker update --cpus 1 web`, interleaved, on a container of its own; the
# part inside weir is split into resolve / plan / journal / write by its hidden --timing, the rest is start and exit.
#
#   vm/run --build build/release -- bench/set_process.sh [N]
#
# As root on a host with Docker. Alternates 1 and 2 CPUs, since an unchanged value would not be written. N defaults to 20.
set -euo pipefail
n=${1:-20}
name=weir-bench-$$
work=$(mktemp -d)
trap 'docker rm -f "$name" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
docker run -d --network none --name "$name" busybox sleep 100000 >/dev/null

timed() { # timed FILE COMMAND…: appends the microseconds that it took
  local file=$1 start end
  shift
  start=${EPOCHREALTIME/[.,]/}
  "$@" >/dev/null 2>>"$work/timing"
  end=${EPOCHREALTIME/[.,]/}
  echo $((end - start)) >>"$work/$file"
}
for warm in 1 2; do
  docker update --cpus "$warm" "$name" >/dev/null
  weir set "$name" cpus=$((3 - warm)) >/dev/null
done
: >"$work/timing"
for ((i = 0; i < n; i++)); do
  cpus=$((i % 2 + 1))
  timed docker docker update --cpus "$cpus" "$name"
  timed weir weir set "$name" "cpus=$((3 - cpus))" --timing
  timed version weir --version
  timed true /bin/true
done

# median, 10th and 90th percentile of a column of numbers
spread() { sort -n | awk '{v[NR] = $1} END {printf "%d %d %d", v[int((NR + 1) / 2)], v[int(NR * 0.1) + 1], v[int((NR * 0.9) + 0.5)]}'; }
echo "machine: $(uname -r), $(nproc) CPUs; n = $n each, interleaved; microseconds: median (p10 .. p90)"
for which in docker weir version true; do
  read -r median low high < <(spread <"$work/$which"; echo)
  case $which in
    docker) label="docker update --cpus" docker_median=$median ;;
    weir) label="weir set cpus=" weir_median=$median ;;
    version) label="weir --version (start and exit alone)" ;;
    true) label="/bin/true (fork, exec and exit)" ;;
  esac
  printf '%-40s %9d (%d .. %d)\n' "$label" "$median" "$low" "$high"
done
for part in resolve plan journal write total; do
  read -r median low high < <(sed -n "s/.*$part=\([0-9]*\).*/\1/p" "$work/timing" | spread; echo)
  printf '  inside weir: %-25s %9d (%d .. %d)\n' "$part" "$median" "$low" "$high"
  if [[ $part == total ]]; then printf '  %-38s %9d\n' "start and exit (whole - total)" $((weir_median - median)); fi
done
awk -v d="$docker_median" -v w="$weir_median" 'BEGIN {printf "docker update / weir set: %.1f\n", d / w}'
