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
  tsan      unit tests under the thread sanitizer
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
  cmake --preset "$preset" -DWEIR_WERROR="${WEIR_WERROR:-OFF}" && cmake --build --preset "$preset" ${1:+--target "$@"}
}

# run_programs KIND PRESET: every googletest program of the build, as many at once as there are processors.
run_programs() {
  local kind=$1 preset=$2
  rm -rf "${logs:?}/$kind"
  mkdir -p "$logs/$kind"
  step "running the tests ($kind)" "$logs/$kind.log" run_all_programs "$kind" "$preset"
  cat "$logs/$kind"/*.results | record
}
run_all_programs() {
  export -f run_program
  printf '%s\0' "build/$2/bin/"*_test | xargs -0 -n 1 -P "$(nproc)" bash -c 'run_program "$@"' run_program "$1"
}
run_program() {
  local kind=$1 program=$2 log status
  log=$logs/$1/$(basename "$2")
  setarch -R timeout -k 5 300 "$program" --gtest_color=no >"$log.log" 2>&1 </dev/null  # -R: gcc 12's tsan needs it
  status=$?
  awk -v kind="$kind" -v again="$program --gtest_filter='%s'" -f tools/results.awk "$log.log" >"$log.results"
  if ((status != 0)) && ! grep -q '^not ok' "$log.results" || [[ ! -s $log.results ]]; then
    { printf 'not ok - %s: %s ended with status %d\n' "$kind" "$program" "$status"
      tail -n 60 "$log.log" | sed 's/^/    /'; } >>"$log.results"
  fi
  echo "$program: $(grep -c '^ok' "$log.results") passed"
  return 0
}

unit() { need_packages build && build release && run_programs unit release; }
asan() { need_packages build && build asan && run_programs asan asan; }
tsan() { need_packages build && build tsan && run_programs tsan tsan; }

lint() {
  need_packages build lint && build tidy weir_lint || return
  step "linting" "$logs/lint.log" tools/lint || true
  awk -v kind=lint -v again='tools/lint %s' -f tools/results.awk "$logs/lint.log" | record
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

kinds=()
for argument in "$@"; do
  case $argument in
    unit | lint | asan | tsan) kinds+=("$argument") ;;
    golden) kinds+=(unit) ;;
    all) kinds+=(unit lint asan tsan) ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
((${#kinds[@]})) || kinds=(unit lint asan tsan)
main
