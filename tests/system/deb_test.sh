#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The .deb that test.sh made and handed over: installs, runs, goes without a trace.
. tests/system/lib.sh
shopt -s nullglob
debs=("${WEIR_ARTIFACTS:-build/package}"/weir_*.deb)
if ((${#debs[@]} == 0)); then
  skip "the .deb installs and removes cleanly" "no .deb was made: ./test.sh package system:deb"
  finish
fi
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin  # not the build's
listing() { find / -xdev \( -path /proc -o -path /sys -o -path /tmp -o -path /run -o -path /var/lib/dpkg -o -path /var/lib/weir -o -path /var/log \) -prune -o -print | sort; }
before=$(listing)

runs() { hash -r; [[ $(command -v weir) == /usr/bin/weir ]] && weir --version; }
gone_without_a_trace() { diff <(echo "$before") <(listing); }

t "dpkg installs it" dpkg -i "${debs[0]}"
t "its weir runs" runs
t "its weir-lab runs" weir-lab --help
t "weir finds the lab's build context" test -f /usr/share/weir/lab/Dockerfile
not_running() { # not_running UNIT
  [[ $(systemctl is-enabled "$1") == disabled && $(systemctl is-active "$1") == inactive ]]
}
serves() {
  systemctl start weir.service
  [[ -S /run/weir/metrics.sock && -f /var/log/weir/events.jsonl ]]
}
t "its service is there, and neither enabled nor started" not_running weir.service
t "and so is that of control" not_running weir-control.service
t "the service starts" serves
t "dpkg finds every file as packaged" dpkg --verify weir
t "removing it stops the service" dpkg --remove weir
t "the service is gone" exits 4 systemctl is-active weir.service
t "dpkg purges it" dpkg --purge weir
t "nothing is left behind" gone_without_a_trace
t "nor logs or records" test ! -e /var/log/weir -a ! -e /var/lib/weir
finish
