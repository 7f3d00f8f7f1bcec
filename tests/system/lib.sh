# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by tests/system/*_test.sh, which run as root in the guest (vm/run) from the tree's root, with weir on PATH:
#
#   . tests/system/lib.sh
#   cleanup() { docker rm -f web; }                        # runs at the end, whatever happened
#   evidence() { tail "$run"/*.out; }                      # what is shown of a test that failed, besides what it printed
#   reads_back() { weir set -y web cpus=1; grep -q 100000 /sys/fs/cgroup/…/cpu.max; }
#   t "set writes cpu.max" reads_back
#   t "an unknown target is a usage error" exits 2 weir set nobody cpus=1
#   skip "io.max holds" "the kernel has no io controller"
#   finish
set -uo pipefail
passed=0 failed=0 skipped=0
_output=$(mktemp)
_end() {
  if [[ $(type -t cleanup) == function ]]; then cleanup >/dev/null 2>&1; fi
  rm -f "$_output"
}
trap _end EXIT

# t NAME COMMAND…: one test. In a function every line must succeed, not only the last. What it printed is shown on failure.
t() {
  local name=$1 status
  shift
  (set -e; "$@") >"$_output" 2>&1 </dev/null
  status=$?
  if ((status == 0)); then
    printf 'ok - %s\n' "$name"
    passed=$((passed + 1))
  else
    printf 'not ok - %s\n' "$name"
    {
      printf 'status %d from: %s\n' "$status" "$*"
      tail -n 60 "$_output"
      if [[ $(type -t evidence) == function ]]; then evidence 2>&1; fi
    } | cut -c -700 | sed 's/^/    /'
    failed=$((failed + 1))
  fi
}

skip() {
  printf 'skip - %s: %s\n' "$1" "$2"
  skipped=$((skipped + 1))
}

finish() {
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  exit $((failed > 0))
}

# wait_for SECONDS COMMAND…: until COMMAND succeeds.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || { printf 'waited in vain for: %s\n' "$*"; return 1; }
    sleep 0.1
  done
}

# ask PORT HEAD-LINE…: what a server on this host answers to an HTTP request, head and all.
ask() {
  local port=$1
  shift
  exec 3<>"/dev/tcp/127.0.0.1/$port" || return
  printf '%s\r\n' "$@" '' >&3
  timeout 20 cat <&3
  exec 3>&-
}
# curl -s URL, which the guest does not have; for the commands of guides (export -f ask curl).
curl() {
  local address=${2#http://}
  local host=${address%%/*}
  ask "${host##*:}" "GET /${address#*/} HTTP/1.1" "Host: $host"
}

# exits STATUS COMMAND…: COMMAND must end with just this exit status.
exits() {
  local wanted=$1 status=0
  shift
  "$@" || status=$?
  ((status == wanted)) || { printf 'exit status %d instead of %d: %s\n' "$status" "$wanted" "$*"; return 1; }
}

# says TEXT COMMAND…: COMMAND (whatever its status) must print TEXT on stdout or stderr.
says() {
  local wanted=$1 said
  shift
  said=$("$@" 2>&1) || true
  [[ $said == *"$wanted"* ]] || { printf 'not said: %s\nbut:\n%s\n' "$wanted" "$said"; return 1; }
}
