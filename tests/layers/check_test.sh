#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The layer check itself: small trees with and without a violation. Runs anywhere.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
. tests/system/lib.sh
tree=$(mktemp -d)
cleanup() { rm -rf "$tree"; }

# given FILE INCLUDE: a tree with base (0), model (1, uses base), cgroup and proc (2, use base), where FILE includes INCLUDE.
given() {
  rm -rf "$tree/src"
  mkdir -p "$tree"/src/weir/{base,model,cgroup,proc,main}
  echo 'weir_module(base LAYER 0)' >"$tree/src/weir/base/CMakeLists.txt"
  echo 'weir_module(model LAYER 1 DEPENDS base)' >"$tree/src/weir/model/CMakeLists.txt"
  printf 'weir_module(cgroup LAYER 2 DEPENDS base  # why\n  LIBRARIES x::y)\n' >"$tree/src/weir/cgroup/CMakeLists.txt"
  echo 'weir_module(proc LAYER 2 DEPENDS base)' >"$tree/src/weir/proc/CMakeLists.txt"
  echo "#include \"weir/$2\"" >"$tree/src/weir/$1"
}
accepted() { given "$@" && tests/layers/check "$tree"; }
refused() { given "$@" && exits 1 tests/layers/check "$tree"; }

t "a module may include itself" accepted cgroup/a.cpp cgroup/b.h
t "a listed lower layer may be included" accepted cgroup/a.cpp base/b.h
t "a skeleton made by the build may be included" accepted cgroup/a.cpp bpf/x.skel.h
t "main may include everything" accepted main/a.cpp cgroup/b.h
t "a lower layer that is not listed is refused" refused cgroup/a.h model/b.h
t "the same layer is refused" refused cgroup/a.cpp proc/b.h
t "a higher layer is refused" refused base/a_test.cpp cgroup/b.h
t "an unknown module is refused" refused cgroup/a.cpp nosuch/b.h
t "this tree holds to its layers" tests/layers/check
finish
