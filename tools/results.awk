# SPDX-License-Identifier: MIT
# Turns what test programs print into result lines: "ok - KIND: NAME", "not ok - KIND: NAME" with the output indented below
# and how to run just that one, "skip - KIND: NAME: REASON". Understands googletest and the lines of tests/system/lib.sh.
# -v kind=, -v again= ("… %s …", the name put in for %s).

function rerun(name) { if (again != "") { line = again; sub(/%s/, name, line); print "    again: " line } }
function flush_output(i) { for (i = 1; i <= held; i++) print "    " output[i]; held = 0 }
function fail(name) { print "not ok - " kind ": " name; flush_output(); rerun(name) }

# googletest
/\[ RUN      \] / { sub(/.*\[ RUN      \] /, ""); running = $0; held = 0; next }
running != "" && /\[       OK \] / { print "ok - " kind ": " running; running = ""; next }
running != "" && /\[  FAILED  \] / { fail(running); running = ""; next }
running != "" && /\[  SKIPPED \] / {
  reason = ""
  for (i = 1; i <= held; i++) if (output[i] !~ /^[^ ]*:[0-9]+: Skipped$|^$/) reason = reason (reason == "" ? "" : " ") output[i]
  print "skip - " kind ": " running ": " (reason == "" ? "no reason given" : reason)
  running = ""; next
}
running != "" { if (held < 200) output[++held] = $0; next }

# tests/system
/^ok - /     { sub(/^ok - /, "");     print "ok - " kind ": " $0; failing = 0; next }
/^skip - /   { sub(/^skip - /, "");   print "skip - " kind ": " $0; failing = 0; next }
/^not ok - / { sub(/^not ok - /, ""); print "not ok - " kind ": " $0; rerun($0); failing = 1; next }
failing && /^    / { print; next }

END { if (running != "") fail(running) }
