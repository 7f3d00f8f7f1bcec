#!/bin/bash
# SPDX-License-Identifier: MIT
# weir lab: up and down with Docker, systemd and plain cgroups; nothing of it is left, also when up is killed.
. tests/system/lib.sh

lab=$(mktemp)
cleanup() { weir lab down; rm -f "$lab" "$lab.err"; }

state() {  # all that a lab could leave behind
  docker ps -aq | sort
  docker images -aq | sort -u
  systemctl list-units --all --plain --no-legend 'lab-*'
  find /sys/fs/cgroup -maxdepth 3 -name '*lab-*'
  cat /sys/fs/cgroup/cgroup.subtree_control
  pgrep -x weir-lab || true
  ls /var/tmp
}
same_state() { diff <(echo "$before") <(state); }
cgroup_of() { jq -r --arg name "$1" '.workloads[] | select(.name == $name) | "/sys/fs/cgroup" + .cgroup' "$lab"; }
count() { awk -v key="$2" '$1 == key { print $2 }' "$1"; }  # count FILE KEY
above() { (($(count "$1" "$2") > $3)); }
grows() { wait_for 15 above "$1" "$2" "$(count "$1" "$2")"; }

up() { weir lab up "$@" --json >"$lab"; }
plain_up() {  # a host without systemd, as far as weir can see
  unshare --mount sh -c 'mount -t tmpfs none /run/systemd && weir lab up --no-docker --json' >"$lab"
}
runs_with() { [[ $(jq -r .runner "$lab") == "$1" ]]; }
held_back() {
  local memory
  memory=$(cgroup_of lab-memory)
  grows "$(cgroup_of lab-cpu)/cpu.stat" nr_throttled
  grows "$memory/memory.events" max
  [[ $(cat "$memory/memory.max") == 67108864 ]]
  [[ $(count "$memory/memory.events" oom_kill) == 0 ]]
  grep 'wbps=4000000' "$(cgroup_of lab-io)/io.max" || { echo "io.max of lab-io holds nothing"; return 1; }
}
down_leaves_nothing() {
  weir lab down
  same_state
}
killed_up() {  # killed_up SECONDS OPTION: up is killed after so long
  weir lab up "$2" &
  local pid=$!
  sleep "$1"
  kill -9 "$pid"
  wait "$pid" || true
  wait_for 60 no_tools  # what up had started for it ends by itself
  down_leaves_nothing
}
no_tools() { ! pgrep -x 'docker|systemd-run'; }
interrupted_up() {
  local status=0
  weir lab up --no-docker 2>"$lab.err" &
  local pid=$!
  wait_for 60 grep -q 'starting lab-memory' "$lab.err"
  kill -TERM "$pid"  # a shell without job control makes its children ignore SIGINT
  wait "$pid" || status=$?
  [[ $status == 143 ]]
  same_state
}
someone_elses_stays() {
  docker run -d --name lab-cpu busybox sleep 1000
  exits 1 weir lab up --docker
  [[ $(docker inspect -f '{{.State.Running}}' lab-cpu) == true ]]
  docker rm -f lab-cpu
  same_state
}

composed() {  # by hand, as the compose file says in its head
  (cd "$WEIR_BUILD_DIR/lab" && docker compose up --detach --quiet-pull)
  wait_for 30 throttled lab-cpu
  [[ $(docker inspect --format '{{index .Config.Labels "com.example.cgroup_path"}}' lab-io) == /system.slice/docker-*.scope ]]
  [[ $(docker inspect --format '{{.HostConfig.Memory}}' lab-memory) == 67108864 ]]
  (cd "$WEIR_BUILD_DIR/lab" && docker compose down --rmi local)
  same_state
}
throttled() { weir ls "$1" --json | jq -e '.containers[0] | .name == "'"$1"'" and .usage.throttled_time_share > 0.2'; }

before=$(state)
t "the compose file comes up by docker compose" composed
t "up --docker starts three containers" up --docker
t "they are Docker's" runs_with docker
t "each container is held back by its own resource" held_back
t "a second lab is refused" says "a lab is up already" exits 1 weir lab up --no-docker
t "down removes the containers and the image" down_leaves_nothing
t "up --no-docker starts three services" up --no-docker
t "they are systemd's" runs_with systemd
t "each service is held back by its own resource" held_back
t "the services are delegated" test "$(systemctl show -P Delegate lab-cpu.service)" = yes
t "down removes the services" down_leaves_nothing
t "without systemd up starts three cgroups" plain_up
t "they are cgroups" runs_with cgroup
t "each cgroup is held back by its own resource" held_back
t "down removes the cgroups" down_leaves_nothing
t "up killed while it builds the image leaves what down finds" killed_up 1 --docker
t "up killed between two services leaves what down finds" killed_up 0.7 --no-docker
t "SIGTERM removes what was started" interrupted_up
t "a container of that name which is not the lab's stays" someone_elses_stays
t "without root up is refused" says "the lab needs root" setpriv --reuid 65534 --clear-groups weir lab up
t "down without a lab is no error" says "no lab was there" weir lab down
finish
