# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the scripts: one way to say what takes long.

# step WHAT LOG COMMAND…: runs COMMAND without stdin, its output in LOG. Shows WHAT with the seconds and the last line of
# LOG on a terminal, a line every half minute elsewhere. When COMMAND fails, prints the end of LOG; returns its status.
step() {
  local what=$1 log=$2 pid start=$SECONDS said=0 status=0
  shift 2
  mkdir -p "$(dirname "$log")"
  [[ -t 2 ]] || printf '%s …\n' "$what" >&2
  set -m  # a process group of its own, so that Ctrl-C ends all of it
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  trap 'kill -TERM -- -'"$pid"' 2>/dev/null; printf "\n%s: interrupted\n" "$0" >&2; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if [[ -t 2 ]]; then
      printf '\r\033[K%s … %d s  %s' "$what" $((SECONDS - start)) "$(_last_line "$log" "${#what}")" >&2
    elif (((SECONDS - start) / 30 > said)); then
      said=$(((SECONDS - start) / 30))
      printf '%s … %d s  %s\n' "$what" $((SECONDS - start)) "$(_last_line "$log" "${#what}")" >&2
    fi
  done
  wait "$pid" || status=$?
  trap - INT TERM
  [[ -t 2 ]] && printf '\r\033[K' >&2
  if ((status == 0)); then
    printf '%s: done in %d s\n' "$what" $((SECONDS - start)) >&2
  else
    printf '%s: failed with status %d after %d s; the end of %s:\n' "$what" "$status" $((SECONDS - start)) "$log" >&2
    tail -n 40 "$log" | sed 's/^/    /' >&2
  fi
  return "$status"
}

_last_line() {
  tail -c 400 "$1" | tr '\r' '\n' | tr -cd '[:print:]\n' | awk 'NF {line = $0} END {print line}' |
    cut -c "1-$((${COLUMNS:-100} > $2 + 20 ? ${COLUMNS:-100} - $2 - 16 : 10))"
}
