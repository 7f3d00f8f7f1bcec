# SPDX-License-Identifier: MIT
# Splits the output of tests/system/run into FOLDER/NAME.log and lists "NAME STATUS" of all that started in FOLDER/started. One
# whose end is missing took the machine down with it, or hung: status 125. -v folder=
/^== [a-z0-9_]+$/ { end(125); name = $2; file = folder "/" name ".log"; printf "" > file; next }
/^== [a-z0-9_]+ ended: [0-9]+$/ { end($4); next }
name != "" { print > file }
END { end(125) }
function end(status) {
  if (name == "") return
  close(file)
  print name, status > (folder "/started")
  name = ""
}
