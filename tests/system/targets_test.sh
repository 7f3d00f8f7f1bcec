#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Targets on real runtimes: Docker with both cgroup drivers, Podman, LXC, containerd, systemd, pids, paths, Kubernetes'
# records, and what a container can do to be taken for another one.
# timeout: 900
. tests/system/lib.sh

fixture=$PWD/tests/data/runtimes/k8s
second=/tmp/weir-second   # the host's root as the second Docker daemon sees it
socket_only=/tmp/weir-socket
cgroups=/sys/fs/cgroup
second_pid='' podman_pid=''
docker2() { docker -H "unix://$second/run/docker.sock" "$@"; }

cleanup() {
  docker rm -f web other stopped jobs
  podman rm -f -t 0 web pod-rm
  lxc-stop -k -n c1; lxc-destroy -n c1
  for task in foo bar; do ctr task kill -s KILL "$task"; ctr container rm "$task"; done
  [[ -z $podman_pid ]] || kill "$podman_pid"
  if [[ -n $second_pid ]]; then docker2 rm -f web2; kill "$second_pid"; wait "$second_pid"; fi
  find "$cgroups/kubepods" "$cgroups/kubepods.slice" "$cgroups/default" -depth -type d -exec rmdir {} +
}

# gives TARGET FIELD VALUE…: exactly these values of FIELD, in order.
gives() {
  local target=$1 field=$2 said
  shift 2
  said=$(resolve_probe "${options[@]}" "$target" | jq -r "if type == \"array\" then .[].$field else .error + \" | \" + .hint end") || true
  [[ $said == "$(printf '%s\n' "$@")" ]] || { printf '%s gives %s\ninstead of %s\n' "$target" "$said" "$*"; return 1; }
}
# refuses KIND TEXT TARGET: an error of this kind whose hint or message has TEXT.
refuses() {
  local said
  said=$(resolve_probe "${options[@]}" "$3") && { printf 'found: %s\n' "$said"; return 1; }
  jq -e --arg kind "$1" --arg text "$2" '.kind == $kind and (.error + " " + .hint | contains($text))' <<<"$said" || { printf '%s\n' "$said"; return 1; }
}
options=()

hostile=$'\e]0;owned\a\n$(reboot) `x` \xe2\x80\xae "q" \\'
web=$(docker run -d --name web --label tier=db --label "evil=$hostile" --label com.docker.compose.project=shop \
  --label com.docker.compose.service=front --label com.example.cgroup_path=/system.slice/docker.service busybox sleep 1000)
docker run -d --name other --label tier=db busybox sleep 1000 >/dev/null
jobs=$(docker run -d --name jobs --cgroup-parent weir-jobs.slice busybox sleep 1000)
stopped=$(docker create --name stopped busybox sleep 1000)
scope=/system.slice/docker-$web.scope
pid=$(docker inspect -f '{{.State.Pid}}' web)

t "a Docker container is found by its name" gives web cgroup "$scope"
t "its identity is Docker's own" gives web id "$web"
t "its init process is known" gives web pid "$pid"
t "it is found by its runtime and name" gives docker:web cgroup "$scope"
t "it is found by 12 digits of its id" gives "${web:0:12}" name web
t "a container with a parent of its own is found there" gives jobs cgroup "/weir.slice/weir-jobs.slice/docker-$jobs.scope"
t "a container that does not run is not there" refuses absent 'no such container runs here' stopped
t "an unknown name offers the near one" refuses absent docker:other othre
t "a pid stands for its cgroup, whose container is named" gives "pid:$pid" name web
t "a path stands for the cgroup" gives "$scope" name web
t "a path that is not there is gone" refuses gone 'no such cgroup' /system.slice/none
t "a unit stands for its cgroup" gives unit:docker cgroup /system.slice/docker.service
t "a slice is a unit" gives unit:weir-jobs.slice cgroup /weir.slice/weir-jobs.slice
t "a label stands for all that have it" gives label:tier=db name other web
t "a container with a hostile label is found by its key" gives label:evil name web
t "control characters are refused in a target" refuses invalid 'control character' "label:evil=$hostile"
t "a compose service stands for its containers" gives compose:shop/front name web
t "an image stands for its containers" gives image:busybox name jobs other web
t "a pattern stands for what it matches" gives 'w?b' name web
t "a label that names another cgroup leads nowhere" gives 'label:com.example.cgroup_path' cgroup "$scope"

# What root in a delegated container can do: directories named as another container's, below its own cgroup.
look_alike() {
  mkdir -p "$cgroups$scope/docker-$stopped.scope" "$cgroups$scope/system.slice/docker-$stopped.scope" \
    "$cgroups$scope/lxc.payload.evil" "$cgroups$scope/system.slice/sshd.service"
  refuses absent 'no such container' stopped
  refuses absent 'no such container' "$stopped"
  refuses absent 'no such container' lxc:evil
  refuses absent 'no such unit' unit:sshd
  gives web cgroup "$scope"
}
t "a nested look-alike is never taken" look_alike
find "$cgroups$scope" -mindepth 1 -depth -type d -exec rmdir {} +

podman run -d --name web --label tier=pod busybox sleep 1000 >/dev/null
podman run -d --rm --name pod-rm busybox sleep 1000 >/dev/null
pod=$(podman inspect -f '{{.Id}}' web)
pod_rm=$(podman inspect -f '{{.Id}}' pod-rm)
t "a name in two runtimes is ambiguous, the candidates can be pasted" refuses invalid 'docker:web podman:web' web
t "Podman's is found by runtime and name" gives podman:web cgroup "/machine.slice/libpod-$pod.scope"
t "a volatile Podman container is found" gives pod-rm cgroup "/machine.slice/libpod-$pod_rm.scope"
t "Podman's init process is known" gives podman:web pid "$(podman inspect -f '{{.State.Pid}}' web)"
t "without its API Podman's labels are not known, and that is said" refuses absent 'podman its labels are not known' label:tier=pod
mkdir -p /run/podman
podman system service --time 0 unix:///run/podman/podman.sock >/dev/null 2>&1 &
podman_pid=$!
podman_labels() {
  wait_for 30 test -S /run/podman/podman.sock
  gives label:tier=pod id "$pod"
}
t "with its API they are" podman_labels

lxc-create -n c1 -t busybox >/dev/null && lxc-start -n c1 && lxc-wait -n c1 -s RUNNING -t 30
t "an LXC container is found" gives c1 cgroup /lxc.payload.c1
ctr run -d docker.io/library/busybox:latest foo sleep 1000 </dev/null
ctr run -d --runc-systemd-cgroup --cgroup system.slice:ctr:bar docker.io/library/busybox:latest bar sleep 1000 </dev/null
t "a containerd task is found, cgroupfs driver" gives foo cgroup /default/foo
t "a containerd task is found, systemd driver" gives containerd:bar cgroup /system.slice/ctr-bar.scope

each_once() {
  local all
  all=$(resolve_probe --inventory)
  jq -e '.notes == []' <<<"$all"
  jq -e '[.containers[].cgroup] | length == (unique | length)' <<<"$all"
  [[ $(jq -r '.containers[] | select(.runtime != "systemd") | .runtime' <<<"$all" | sort | uniq -c | tr -s ' \n' ' ') == " 2 containerd 3 docker 1 lxc 2 podman " ]]
}
t "the inventory has each container once" each_once

kubernetes() {
  local config path
  options=(--host-root "$fixture")
  while read -r config; do
    path=$(jq -r '.linux.cgroupsPath' "$config")
    if [[ $path == *:* ]]; then
      IFS=: read -r slice prefix id <<<"$path"
      path=/$slice/$prefix-$id.scope
      [[ $slice != kubepods-* ]] || path=/kubepods.slice$path
      [[ $slice != kubepods-burstable-* ]] || path=/kubepods.slice/kubepods-burstable.slice/$slice/$prefix-$id.scope
    fi
    mkdir -p "$cgroups$path"
  done < <(find "$fixture" -name config.json -not -path '*/moby/*')
  gives k8s:shop/front-7d9c name shop/front-7d9c/nginx shop/front-7d9c/sidecar
  gives k8s:shop/back-0/api runtime containerd
  gives k8s:shop/cache-0/redis runtime cri-o
}
t "Kubernetes' names come from the runtimes' records" kubernetes

unprivileged() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }
without_root() {
  local said
  said=$(unprivileged resolve_probe "${web:0:12}") && jq -e --arg scope "$scope" '.[0].cgroup == $scope' <<<"$said"
  said=$(unprivileged resolve_probe other) && return 1
  jq -e '.hint | contains("docker does not answer")' <<<"$said"
}
t "without root ids still work, and names say what is missing" without_root

# Only the socket is there: the API tells the names.
mkdir -p "$socket_only/run" && ln -sf /run/docker.sock "$socket_only/run/docker.sock"
by_api() {
  options=(--host-root "$socket_only")
  gives web cgroup "$scope"
  gives jobs cgroup "/weir.slice/weir-jobs.slice/docker-$jobs.scope"
}
t "where the files are not there, Docker's API tells the names" by_api
# A container with the host's cgroupfs, its files and Docker's socket: as an agent runs in Kubernetes.
inside() {
  docker run --rm --network none --volume /usr:/usr:ro --volume /usr/lib:/lib:ro --volume /usr/lib64:/lib64:ro \
    --volume /:/host:ro --volume /sys/fs/cgroup:/host/sys/fs/cgroup --volume "$WEIR_BUILD_DIR/bin:/weir:ro" busybox \
    /weir/weir --host-root /host --cgroup-root /host/sys/fs/cgroup "$@"
}
from_inside() {
  inside ls docker:web --json | jq -e --arg scope "$scope" '.containers[0] | .name == "web" and .cgroup == $scope'
  inside set docker:web pids.max=321
  [[ $(<"$cgroups$scope/pids.max") == 321 ]]
}
t "in a container that has the host's cgroupfs weir finds the others and sets their limits" from_inside
garbage() {
  local fake=$socket_only-garbage
  mkdir -p "$fake/run"
  systemd-socket-activate --accept --inetd --listen "$fake/run/docker.sock" head --bytes 100000 /dev/urandom &
  local listener=$!
  wait_for 10 test -S "$fake/run/docker.sock"
  options=(--host-root "$fake")
  refuses absent 'docker' other || { kill "$listener"; return 1; }
  kill "$listener"
}
t "a Docker that answers garbage is told, and is no crash" garbage
hung() {
  local dockerd said before=$SECONDS
  dockerd=$(systemctl show -P MainPID docker)
  kill -STOP "$dockerd"
  trap 'kill -CONT '"$dockerd" RETURN
  options=()
  gives docker:web cgroup "$scope"
  options=(--host-root "$socket_only")
  refuses absent 'docker does not answer' other || { kill -CONT "$dockerd"; return 1; }
  ((SECONDS - before < 20))
}
t "a Docker that never answers costs seconds, not the answer" hung
kill -CONT "$(systemctl show -P MainPID docker)"

mkdir -p "$second/run" "$second/var/lib/docker"
echo '{}' >"$second/daemon.json"
dockerd --config-file "$second/daemon.json" --data-root "$second/var/lib/docker" --exec-root "$second/exec" --pidfile "$second/pid" \
  -H "unix://$second/run/docker.sock" --exec-opt native.cgroupdriver=cgroupfs --bridge none --iptables=false --ip6tables=false \
  --containerd /run/containerd/containerd.sock --containerd-namespace weir-second --containerd-plugins-namespace weir-plugins >"$second/log" 2>&1 &
second_pid=$!
cgroupfs_driver() {
  wait_for 60 docker2 version >/dev/null 2>&1
  docker save busybox | docker2 load
  local id
  id=$(docker2 run -d --name web2 --network none busybox sleep 1000)
  options=(--host-root "$second")
  gives web2 cgroup "/docker/$id"
  gives docker:web2 pid "$(docker2 inspect -f '{{.State.Pid}}' web2)"
}
t "with the cgroupfs driver Docker's containers are below /docker" cgroupfs_driver

t "systemd answers over the bus" says "$(systemctl --version | sed -n '1s/.*(\(.*\))/\1/p')" bus_probe version
t "a unit's cgroup is known over the bus" says /system.slice/docker.service bus_probe cgroup docker.service
t "an unknown unit is absent" says 'absent: ' bus_probe cgroup weir-none.service
transient_scope() {
  local sleeper
  sleep 1000 & sleeper=$!
  # shellcheck disable=SC2064  # the pid of now
  trap "kill $sleeper || true" RETURN
  [[ $(bus_probe scope weir-test system.slice "$sleeper") == /system.slice/weir-test.scope ]]
  grep -q "0::/system.slice/weir-test.scope" "/proc/$sleeper/cgroup"
  bus_probe set weir-test.scope CPUWeight 77
  wait_for 5 grep -qx 77 "$cgroups/system.slice/weir-test.scope/cpu.weight"
  bus_probe stop weir-test.scope
  [[ ! -e $cgroups/system.slice/weir-test.scope ]]
}
t "a transient scope holds a process until it is stopped" transient_scope
transient_timer() {
  bus_probe timer weir-timer 500 /bin/sh -c 'cat /proc/self/cgroup >/run/weir-timer-ran'
  systemctl is-active weir-timer.timer
  wait_for 20 test -s /run/weir-timer-ran
  grep -q weir-timer.service /run/weir-timer-ran
  collected() { [[ $(systemctl show -P LoadState weir-timer.timer weir-timer.service | sort -u | tr -d '\n') == not-found ]]; }
  wait_for 10 collected
}
t "a transient timer runs its program once and is collected" transient_timer
finish
