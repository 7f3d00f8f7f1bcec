#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds, tests. The last line says how it went: N passed, N failed, N skipped.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 2
# shellcheck source=tools/step.sh
. tools/step.sh

usage() {
  cat <<'END'
usage: ./test.sh [KIND…]        without KIND: all

  unit      the unit and golden tests: no root, no virtual machine
  package   an outside project that uses the installed library; the Debian package
  lint      format, layers, headers, clang-tidy, cppcheck, shellcheck (tools/lint)
  asan      unit tests under the address and undefined-behaviour sanitizers
  tsan      the unit tests with threads under the thread sanitizer
  fuzz      every fuzz target for a few seconds (FUZZ_SECONDS, default 5)
  system    tests/system/*_test.sh as root in the virtual machine (vm/run)
            system:NAME… only tests/system/NAME_test.sh

Logs: build/test-logs. Warnings are errors with WEIR_WERROR=ON. Packages: packaging/packages/*.txt.
END
}

readonly logs=$PWD/build/test-logs results=$PWD/build/test-logs/results
export logs

# Reads result lines (tools/results.awk), keeps them, and shows the failures.
record() { tee -a "$results" | awk '/^not ok/ {show = 1} /^(ok|skip)/ {show = 0} show'; }
pass() { echo "ok - $1" | record; }
fail() { printf 'not ok - %s\n    again: %s\n' "$1" "$2" | record; }

need_packages() {
  tools/packages "$@" && return
  fail "packages: $*" "tools/packages $*"
  return 1
}

# build PRESET [TARGET…]: once per run and set of targets.
declare -A built
build() {
  local name=build:$*
  if [[ -z ${built[$name]:-} ]]; then
    built[$name]=no
    if step "building ($*)" "$logs/build-$1.log" configure_and_build "$@"; then
      built[$name]=yes
      pass "$name"
    else
      fail "$name" "cmake --preset $1 && cmake --build --preset $1"
    fi
  fi
  [[ ${built[$name]} == yes ]]
}
configure_and_build() {
  local preset=$1
  shift
  cmake --preset "$preset" ${WEIR_WERROR:+-DWEIR_WERROR="$WEIR_WERROR"} && cmake --build --preset "$preset" ${1:+--target "$@"}
}

# run_programs KIND PRESET: every googletest program of the build, as many at once as there are processors. Kernel/* of the contract
# tests are system tests.
run_programs() {
  local kind=$1 preset=$2
  rm -rf "${logs:?}/$kind"
  mkdir -p "$logs/$kind"
  step "running the tests ($kind)" "$logs/$kind.log" run_all_programs "$kind" "$preset"
  cat "$logs/$kind"/*.results | record
}
run_all_programs() {
  export -f run_program judge
  printf '%s\0' "build/$2/bin/"*_test | xargs -0 -n 1 -P "$(nproc)" bash -c 'run_program "$@"' run_program "$1"
}
run_program() {
  local kind=$1 program=$2 log
  log=$logs/$1/$(basename "$2")
  setarch -R timeout -k 5 300 "$program" --gtest_color=no '--gtest_filter=-Kernel/*' >"$log.log" 2>&1 </dev/null  # -R: gcc 12's tsan needs it
  judge "$kind" "$?" "$program --gtest_filter='%s'" "$log"
}
# judge KIND STATUS AGAIN LOG: LOG.log of a program that ended with STATUS -> LOG.results. A bad end that no test explains, and
# silence, are failures too.
judge() {
  local kind=$1 status=$2 again=$3 log=$4
  awk -v kind="$kind" -v again="$again" -f tools/results.awk "$log.log" >"$log.results"
  if ((status != 0)) && ! grep -q '^not ok' "$log.results" || [[ ! -s $log.results ]]; then
    { printf 'not ok - %s: %s ended with status %d\n' "$kind" "$(basename "$log")" "$status"
      tail -n 60 "$log.log" | sed 's/^/    /'; } >>"$log.results"
  fi
  echo "$(basename "$log"): $(grep -c '^ok' "$log.results") passed"
}

unit() { need_packages build && build release && run_programs unit release; }
asan() { need_packages build lint && build asan && run_programs asan asan; }
tsan() {
  local programs
  mapfile -t programs < <(grep -lE 'std::(jthread|thread|async)|fake_daemon' src/weir/*/*.cpp | sed -E 's|src/weir/([^/]*)/.*|\1_test|' | sort -u)
  ((${#programs[@]})) || return
  need_packages build && build tsan "${programs[@]}" && run_programs tsan tsan
}

lint() {
  need_packages build lint && build tidy weir_lint || return
  run_script lint "tools/lint %s" tools/lint
}

package() {
  need_packages build package && build release || return
  run_script package "tests/package/package_test.sh  # %s" tests/package/package_test.sh
}

# run_script KIND AGAIN COMMAND…: a script that prints result lines.
run_script() {
  local kind=$1 again=$2
  shift 2
  step "running the tests ($kind)" "$logs/$kind.log" keep_status "$logs/$kind.status" "$@"
  judge "$kind" "$(<"$logs/$kind.status")" "$again" "$logs/$kind" >/dev/null
  record <"$logs/$kind.results"
}
keep_status() {
  local file=$1 status=0
  shift
  "$@" || status=$?
  echo "$status" >"$file"
}

fuzz() {
  need_packages build lint && build asan || return
  local program name
  mkdir -p "$logs/fuzz"
  for program in build/asan/bin/*_fuzz; do
    name=$(basename "$program")
    if step "fuzzing: $name" "$logs/fuzz/$name.log" fuzz_one "$program"; then
      pass "fuzz: $name"
    else
      fail "fuzz: $name" "$program $(sed -n 's/.*Test unit written to //p' "$logs/fuzz/$name.log" | tail -n 1)"
    fi
  done
}
fuzz_one() {
  local name folders
  name=$(basename "$1")
  folders=("build/fuzz/$name")  # what it found before
  mkdir -p "${folders[0]}"
  if [[ -d tests/data/fuzz/$name ]]; then folders+=("tests/data/fuzz/$name"); fi
  "$1" -max_total_time="${FUZZ_SECONDS:-5}" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$logs/fuzz/$name-" "${folders[@]}"
}

# The scripts and test programs that need a real kernel, in one session of the virtual machine for each kernel. A script that
# takes the machine down with it fails; those after it run in a new session.
system() {
  need_packages build vm && build release || return
  local names=("${system_names[@]}") kernel
  if ((${#names[@]} == 0)); then mapfile -t names < <(system_tests); fi
  step "getting the virtual machine ready (the first time: some minutes)" "$logs/vm.log" vm/run --timeout 60 -- true ||
    { fail "system: the virtual machine starts" "vm/run -- true"; return; }
  run_in_guest 6.12 "${names[@]}"
  ((${#system_names[@]})) && return
  for kernel in 6.1 7; do
    mapfile -t names < <(system_tests "$kernel")
    run_in_guest "$kernel" "${names[@]}"
  done
}
# system_tests [KERNEL]: names of all tests, or of those that say "kernels: … KERNEL …" in a comment.
system_tests() {
  grep -lE "${1:+^(#|//) kernels:.* ${1//./\\.}( |$)}" tests/system/*_test.* | sed 's|.*/||; s|_test\..*||' | sort -u
}
run_in_guest() {
  local kernel=$1 folder=$logs/system-$1 session=0 name
  shift
  rm -rf "$folder"
  mkdir -p "$folder"
  while (($#)); do
    session=$((session + 1))
    step "running $# system tests (kernel $kernel)" "$folder/session-$session.log" guest_session "$kernel" "$@"
    rm -f "$folder/started"
    awk -v folder="$folder" -f tools/split.awk "$folder/session-$session.log"
    if [[ ! -s $folder/started ]]; then
      fail "system $kernel: nothing ran; see $folder/session-$session.log" "vm/run --kernel $kernel -- true"
      return
    fi
    while read -r name status; do
      judge "system $kernel $name" "$status" "./test.sh system:$name" "$folder/$name" >/dev/null
      record <"$folder/$name.results"
      shift
    done <"$folder/started"
  done
}
guest_session() {
  local kernel=$1 debs=() seconds=60 name own
  shift
  for name in "$@"; do
    own=$(sed -n 's/^# timeout: \([0-9]*\).*/\1/p' "tests/system/${name}_test.sh" 2>/dev/null)
    seconds=$((seconds + ${own:-400} + 10))
  done
  mapfile -t debs < <(cd build/package 2>/dev/null && ls weir_*.deb 2>/dev/null)
  tar -C build -c --files-from /dev/null "${debs[@]/#/package/}" --transform 's|.*/||' |
    vm/run --build build/release --kernel "$kernel" --timeout "$seconds" -- tests/system/run "$@"
  return 0  # which test failed, and whether the machine did, is in the output
}

main() {
  local kind started=$SECONDS
  mkdir -p "$logs"
  : >"$results"
  for kind in "${kinds[@]}"; do
    "$kind"
  done
  printf '\n'
  grep '^skip' "$results"
  grep '^not ok' "$results"
  printf 'took %d min %d s; logs in build/test-logs\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60))
  printf '%d passed, %d failed, %d skipped\n' "$(grep -c '^ok' "$results")" "$(grep -c '^not ok' "$results")" "$(grep -c '^skip' "$results")"
  ! grep -q '^not ok' "$results"
}

readonly all=(unit package lint asan tsan fuzz system)
kinds=() system_names=()
for argument in "$@"; do
  case $argument in
    all) kinds+=("${all[@]}") ;;
    golden) kinds+=(unit) ;;
    system:*) system_names+=("${argument#system:}") ;;
    -h | --help) usage; exit 0 ;;
    *) if [[ " ${all[*]} " == *" $argument "* ]]; then kinds+=("$argument"); else usage >&2; exit 2; fi ;;
  esac
done
((${#system_names[@]})) && kinds+=(system)
((${#kinds[@]})) || kinds=("${all[@]}")
main
