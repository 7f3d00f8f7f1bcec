#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The test runner's own parts: what they make of good, bad and broken output. Runs anywhere.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
. tests/system/lib.sh
folder=$(mktemp -d)
cleanup() { rm -rf "$folder"; }

# becomes INPUT OUTPUT: tools/results.awk turns the one into the other.
becomes() { diff <(printf '%b' "$1" | awk -v kind=k -v again='p --only %s' -f tools/results.awk) <(printf '%b' "$2"); }
# splits INPUT LIST: tools/split.awk finds these scripts and statuses.
splits() {
  rm -f "$folder"/*
  printf '%b' "$1" | awk -v folder="$folder" -f tools/split.awk
  diff "$folder/started" <(printf '%b' "$2")
}

t "a passed googletest case counts" becomes '[ RUN      ] A.b\nnoise\n[       OK ] A.b (0 ms)\n' 'ok - k: A.b\n'
t "a failed one shows its output and how to run it again" becomes \
  '[ RUN      ] A.b\nx.cpp:1: Failure\n[  FAILED  ] A.b (0 ms)\n[  FAILED  ] A.b\n' \
  'not ok - k: A.b\n    x.cpp:1: Failure\n    again: p --only A.b\n'
t "output without a newline before the verdict does not hide it" becomes '[ RUN      ] A.b\nnoise[       OK ] A.b (0 ms)\n' 'ok - k: A.b\n'
t "a skip keeps its reason" becomes '[ RUN      ] A.b\nx.cpp:3: Skipped\nno cgroup v2\n[  SKIPPED ] A.b (0 ms)\n[  SKIPPED ] A.b\n' \
  'skip - k: A.b: no cgroup v2\n'
t "a case that never ends is a failure" becomes '[ RUN      ] A.b\nSegmentation fault\n' \
  'not ok - k: A.b\n    Segmentation fault\n    again: p --only A.b\n'
t "lines of system tests are taken over, details only below a failure" becomes \
  'ok - one\n    not a detail\nnot ok - two\n    why\nskip - three: because\n1 passed, 1 failed, 1 skipped\n' \
  'ok - k: one\nnot ok - k: two\n    again: p --only two\n    why\nskip - k: three: because\n'
t "a session is split into its scripts" splits '== a\nok - x\n\n== a ended: 0\n== b_c\n\n== b_c ended: 1\n' 'a 0\nb_c 1\n'
t "a script whose end is missing took the machine down" splits 'noise\n== a\nok - x\n' 'a 125\n'
t "an unknown list of packages is an error" says "there is no list" tools/packages nosuch
t "an unknown kind of test is wrong usage" exits 2 ./test.sh nosuch
t "an unknown option of the demonstration is wrong usage" exits 2 ./demo.sh --nosuch
finish
