#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Shows what Weir does: installs what a build needs (asks first), builds, and runs the main job on three synthetic workloads,
# on this host or in the virtual machine. What the demonstration does is tools/demo_main.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tools/step.sh
. tools/step.sh

usage() {
  cat <<'END'
usage: ./demo.sh [-y] [--host | --vm]
  -y       install without asking
  --host   run on this host: needs root and cgroup v2 with cpu, memory and io; the host is left as it was
  --vm     run in the virtual machine (vm/run)
Without --host or --vm: the host if it can, else the virtual machine.
END
}

# Prints why the demonstration cannot run on this host; nothing if it can.
host_lacks() {
  local controllers controller
  if ((EUID != 0)); then echo "not root"; return; fi
  if [[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]]; then echo "no cgroup v2 at /sys/fs/cgroup"; return; fi
  controllers=" $(</sys/fs/cgroup/cgroup.controllers) "
  for controller in cpu memory io; do
    if [[ $controllers != *" $controller "* ]]; then echo "the cgroup controller $controller is missing"; return; fi
  done
}

# Shows what is to be installed and gets a yes, or ends.
agree() {
  local missing answer
  missing=$(tools/packages --missing "$@") && return
  printf 'To be installed from Debian (apt):\n'
  fold -s -w 76 <<<"${missing//$'\n'/ }" | sed 's/^/  /'
  if [[ $missing == */*-backports* ]]; then
    printf 'What has a suite behind it comes from there; the suite is added to the apt sources if it is not there.\n'
  fi
  ((yes)) && return
  if [[ ! -t 0 ]]; then printf 'demo.sh: nobody to ask; to install without asking: ./demo.sh -y\n' >&2; exit 2; fi
  read -r -p 'Install them? [y/N] ' answer
  [[ $answer == [yY]* ]] || { printf 'Nothing was changed.\n'; exit 1; }
}

build() { cmake --preset release && cmake --build --preset release --target weir weir-lab lab_context; }

yes=0 where=
for argument in "$@"; do
  case $argument in
    -y | --yes) yes=1 ;;
    --host | --vm) where=${argument#--} ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

lacks=$(host_lacks)
if [[ $where == host && -n $lacks ]]; then
  printf 'demo.sh: cannot run on this host: %s. Try: ./demo.sh --vm\n' "$lacks" >&2
  exit 3
elif [[ -z $where && -n $lacks ]]; then
  where=vm
  printf 'This host cannot show it (%s): running in a virtual machine.\n' "$lacks"
fi
lists=(build)
if [[ ${where:=host} == vm ]]; then lists+=(vm); fi

agree "${lists[@]}"
tools/packages "${lists[@]}"
step "building" build/test-logs/demo-build.log build
if [[ $where == host ]]; then
  PATH=$PWD/build/release/bin:$PATH tools/demo_main.sh
else
  step "getting the virtual machine ready (the first time: some minutes)" build/test-logs/demo-vm.log \
    vm/run --build build/release --timeout 60 -- true
  vm/run --quiet --build build/release --timeout 900 -- tools/demo_main.sh
  cat <<'END'

Try next:
  vm/run -- weir doctor                 what that machine can do, and what each missing piece costs
  vm/run -- weir latency --quick        the race again; without --quick it is exact
  vm/run -- bash                        look around in there as root, with weir on PATH
END
fi
