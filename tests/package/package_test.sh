#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What leaves the tree, made from build/release: the installed library with an outside project, the man pages, the .deb.
# Its installation and removal is tests/system/deb_test.sh.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
. tests/system/lib.sh
readonly build=$PWD/build/release out=$PWD/build/package
rm -rf "$out"
mkdir -p "$out"

install_there() { cmake --install "$build" --prefix "$out/prefix"; }
consumer() {
  cmake -S tests/consumer -B "$out/consumer" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH="$out/prefix"
  cmake --build "$out/consumer"
  ctest --test-dir "$out/consumer" --output-on-failure
}
only_glibc() {
  local foreign
  foreign=$(objdump -p "$out/prefix/bin/weir" | awk '$1 == "NEEDED" && $2 !~ /^(libc|libm|ld-linux-x86-64)\.so/ {print $2}')
  echo "$foreign"
  [[ -z $foreign ]]
}
small() {
  strip -o "$out/stripped" "$out/prefix/bin/weir"
  ls -l "$out/stripped"
  (($(stat -c %s "$out/stripped") <= 15 << 20))
}
pages_format() {
  local page said
  for page in "$out"/prefix/share/man/man1/*.gz; do
    said=$(zcat "$page" | groff -man -Tutf8 -ww -z 2>&1)
    [[ -z $said ]] || { echo "$page: $said"; return 1; }
  done
}
page_for_each_command() {
  local command
  for command in set undo lab completion; do
    [[ -f $out/prefix/share/man/man1/weir-$command.1.gz ]] || { echo "no page for $command"; return 1; }
  done
}
units_know_the_program() {
  grep -qx "ExecStart=$out/prefix/bin/weir watch .*" "$out/prefix/lib/systemd/system/weir.service" &&
    grep -qx "ExecStart=$out/prefix/bin/weir control .*" "$out/prefix/lib/systemd/system/weir-control.service" &&
    grep -qx "ExecStart=$out/prefix/bin/weir policy retrain" "$out/prefix/lib/systemd/system/weir-policy-retrain.service"
}
make_deb() { cpack --config "$build/CPackConfig.cmake" -B "$out"; }
deb_holds() {
  local file contents
  dpkg-deb --info "$out"/weir_*.deb
  contents=$(dpkg-deb --contents "$out"/weir_*.deb)
  for file in usr/bin/weir usr/bin/weir-lab usr/share/weir/lab/Dockerfile usr/share/man/man1/weir.1.gz \
    usr/share/bash-completion/completions/weir usr/share/zsh/vendor-completions/_weir \
    usr/share/fish/vendor_completions.d/weir.fish usr/share/doc/weir/copyright usr/lib/systemd/system/weir.service usr/lib/systemd/system/weir-control.service \
    usr/lib/systemd/system/weir-policy-retrain.service usr/lib/systemd/system/weir-policy-retrain.timer \
    usr/lib/systemd/catalog/weir.catalog usr/share/weir/prometheus/weir.rules.yml usr/share/weir/grafana/weir.json usr/share/weir/containers.yml; do
    [[ $contents == *"./$file"$'\n'* || $contents == *"./$file" ]] || { echo "not in it: $file"; return 1; }
  done
  [[ $contents != *usr/include* ]]
  dpkg-deb --field "$out"/weir_*.deb Depends | grep -q libc6
}

t "cmake --install works into any prefix" install_there
t "an outside project finds, links and runs the library" consumer
t "the program needs no shared library but glibc" only_glibc
t "the stripped program is at most 15 MiB" small
t "every man page formats without a warning" pages_format
t "commands have their own man pages" page_for_each_command
t "the bash completion is valid" bash -n "$out/prefix/share/bash-completion/completions/weir"
t "the installed units start the installed program" units_know_the_program
t "CPack makes a .deb" make_deb
t "the .deb holds the program, its lab, man pages, completions and service, and depends on libc6" deb_holds
finish
