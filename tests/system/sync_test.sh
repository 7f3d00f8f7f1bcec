#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# set --sync: Docker and systemd agree with the kernel, the limit survives what undid it before, and undo takes all of it back.
# timeout: 600
. tests/system/lib.sh

export COLUMNS=120
mount=/sys/fs/cgroup
state=/var/lib/weir/sync
unit=sync-subject.service
cleanup() {
  systemctl start docker.socket docker
  docker rm -f nano quota none plain
  systemctl stop "$unit"
}

docker run -d --name nano --cpus 1 busybox sleep 100000 >/dev/null
docker run -d --name quota --cpu-quota 50000 --memory 100M busybox sleep 100000 >/dev/null
docker run -d --name none busybox sleep 100000 >/dev/null
systemd-run --quiet --unit="$unit" sleep 100000

id() { docker inspect -f '{{.Id}}' "$1"; }
scope() { echo "docker-$(id "$1").scope"; }
says_docker() { # says_docker CONTAINER FIELD VALUE
  local now
  now=$(docker inspect -f "{{.HostConfig.$2}}" "$1")
  [[ $now == "$3" ]] || { echo "docker says $2 $now, not $3"; return 1; }
}
says_systemd() { # says_systemd UNIT PROPERTY VALUE
  local now
  now=$(systemctl show -P "$2" "$1")
  [[ $now == "$3" ]] || { echo "systemd says $2 $now, not $3"; return 1; }
}
holds() { # holds UNIT FILE VALUE
  local now
  now=$(<"$mount/system.slice/$1/$2")
  [[ $now == "$3" ]] || { echo "$2 holds $now, not $3"; return 1; }
}
records() { find "$state" -name '*.json' 2>/dev/null | wc -l; }
settled() { weir status --json | jq -e 'all(.sync[]; .state == "agreed")' >/dev/null; }

# --- agreement, in the form that the container was made with ---

nano() {
  weir set nano cpus=1.5 --sync --wait
  says_docker nano NanoCpus 1500000000
  says_docker nano CpuQuota 0
  says_systemd "$(scope nano)" CPUQuotaPerSecUSec 1.500000s
  holds "$(scope nano)" cpu.max '150000 100000'
  weir status --json | jq -e '.differing == [] and .sync[0].state == "agreed" and .sync[0].rewrites > 0'
}
t "NanoCpus stays NanoCpus" nano

survives() { # what undid a direct write before
  systemctl daemon-reload
  holds "$(scope "$1")" cpu.max "$2"
  systemctl set-property --runtime "$(scope "$1")" MemoryHigh=1G
  holds "$(scope "$1")" cpu.max "$2"
  docker update --memory 200M --memory-swap -1 "$1"
  holds "$(scope "$1")" cpu.max "$2"
}
t "it survives daemon-reload, set-property of another property and docker update --memory" survives nano '150000 100000'

undone() {
  weir undo
  says_docker nano NanoCpus 1000000000
  says_systemd "$(scope nano)" CPUQuotaPerSecUSec 1s
  holds "$(scope nano)" cpu.max '100000 100000'
  (($(records) == 0))
  says "nothing to undo" weir undo
}
t "undo tells the old value again and leaves no record" undone

quota() {
  weir set quota cpus=0.7 memory=128M --sync --wait
  says_docker quota CpuQuota 70000
  says_docker quota NanoCpus 0
  says_docker quota Memory 134217728
  says_docker quota MemorySwap $((134217728 + 104857600))
  says_systemd "$(scope quota)" CPUQuotaPerSecUSec 700ms
  says_systemd "$(scope quota)" MemoryMax 134217728
  holds "$(scope quota)" memory.swap.max 104857600
  survives quota '70000 100000'
  docker update --memory 128M --memory-swap 228M quota  # as it was
  weir undo
  says_docker quota CpuQuota 50000
  says_docker quota Memory 104857600
  says_docker quota MemorySwap 209715200
  holds "$(scope quota)" memory.max 104857600
}
t "CpuQuota stays CpuQuota, and memory keeps its room for swap" quota

every_property() {
  weir set quota cpu.weight=50 memory.low=8M memory.high=90M pids.max=99 io.max=/dev/vda:wbps=4M,riops=100 --sync
  wait_for 30 settled
  local u
  u=$(scope quota)
  says_systemd "$u" CPUWeight 50
  says_systemd "$u" MemoryLow 8388608
  says_systemd "$u" MemoryHigh 94371840
  says_systemd "$u" TasksMax 99
  says_systemd "$u" IOWriteBandwidthMax '/dev/vda 4194304'
  says_systemd "$u" IOReadIOPSMax '/dev/vda 100'
  docker update --cpu-quota 60000 quota
  holds "$u" cpu.weight 50
  holds "$u" memory.high 94371840
  holds "$u" pids.max 99
  holds "$u" io.max '254:0 rbps=max wbps=4194304 riops=100 wiops=max'
  weir undo
  says_systemd "$u" MemoryHigh 1073741824  # as the test before left it
  holds "$u" memory.low 0
  holds "$u" pids.max "$(systemctl show -P TasksMax "$u")"
  [[ -z $(<"$mount/system.slice/$u/io.max") ]]
  (($(records) == 0))
}
t "without --wait a unit of systemd's tells it every other knob" every_property

none() {
  weir set none cpus=0.5 memory=64M --sync --wait
  says_docker none NanoCpus 500000000
  says_docker none Memory 67108864
  survives none '50000 100000'
  holds "$(scope none)" memory.max 209715200
  docker update --memory 64M --memory-swap -1 none
  says "as good as none" weir undo
  holds "$(scope none)" cpu.max 'max 100000'
  holds "$(scope none)" memory.max max
  says_docker none NanoCpus "$(($(nproc) * 1000000000))"
  docker update --cpus 1 none  # the form is still free
  holds "$(scope none)" cpu.max '100000 100000'
}
t "a container without limits gets them, and then the whole host's" none

a_unit() {
  weir set "unit:$unit" cpus=0.3 memory.high=64M pids=50 --sync --wait
  says_systemd "$unit" CPUQuotaPerSecUSec 300ms
  says_systemd "$unit" MemoryHigh 67108864
  says_systemd "$unit" TasksMax 50
  systemctl daemon-reload
  systemctl set-property --runtime "$unit" CPUWeight=70
  holds "$unit" cpu.max '30000 100000'
  holds "$unit" memory.high 67108864
  weir undo
  says_systemd "$unit" CPUQuotaPerSecUSec infinity
  says_systemd "$unit" MemoryHigh infinity
  holds "$unit" cpu.max 'max 100000'
}
t "a unit keeps it as runtime properties" a_unit

fraction() {
  weir set "unit:$unit" cpu.max='53113 100000' --sync --wait >/tmp/said
  grep -F "makes '53120 100000' of it" /tmp/said
  holds "$unit" cpu.max '53113 100000'
  weir undo
}
t "what systemd can only round is said, and the kernel keeps the exact value" fraction

others() { # a limit of ours that the runtime does not know is not lost when it is told another one
  weir set quota cpus=0.8
  weir set quota memory.high=80M --sync --wait
  holds "$(scope quota)" cpu.max '80000 100000'
  weir set quota memory=150M --sync --wait
  holds "$(scope quota)" cpu.max '80000 100000'
  weir status --json | jq -e '.differing[0].how[0] | contains("CpuQuota is 60000")'
  weir set quota cpus=0.8 --sync --wait
  says_docker quota CpuQuota 80000
  weir undo --all
  says_docker quota CpuQuota 60000
  (($(records) == 0))
}
t "telling one limit keeps the others, and a later --sync tells an old one" others

theirs() {
  weir set quota cpus=0.9 memory=140M --sync --wait
  docker update --cpu-quota 40000 quota
  weir set quota memory.high=70M --sync --wait
  says_docker quota CpuQuota 40000
  holds "$(scope quota)" cpu.max '40000 100000'
  weir undo
  says "changed since" exits 1 weir undo
  says_docker quota CpuQuota 40000
  weir undo --force
  says_docker quota CpuQuota 60000
  holds "$(scope quota)" cpu.max '60000 100000'
}
t "what someone else told docker since is left alone without --force" theirs

stacked() {
  weir set nano cpus=1.2 --sync --wait
  weir set nano cpus=1.4 --sync --wait
  weir undo
  says_docker nano NanoCpus 1200000000
  weir undo
  says_docker nano NanoCpus 1000000000
}
t "undo goes back step by step in docker as well" stacked

planned() {
  printf 'sync: yes\nlimits:\n  nano: {cpus: 1.3}\n  unit:%s: {pids: 40}\n' "$unit" >/tmp/plan.yml
  weir apply /tmp/plan.yml --wait
  says_docker nano NanoCpus 1300000000
  says_systemd "$unit" TasksMax 40
  weir undo
  weir apply /tmp/plan.yml --no-sync
  (($(records) == 0))
  says_docker nano NanoCpus 1000000000
  weir undo
  printf 'sync: perhaps\nlimits:\n  nano: {cpus: 1.3}\n' >/tmp/plan.yml
  says "plan.yml:1:7: sync is yes or no" exits 2 weir apply /tmp/plan.yml
}
t "a plan can ask for it, --no-sync decides over it" planned

nobody() {
  mkdir "$mount/weir-sync-bare"
  says "neither docker nor systemd has to be told" exits 0 weir set /weir-sync-bare pids=50 --sync --wait
  weir undo
  rmdir "$mount/weir-sync-bare"
}
t "a bare cgroup concerns nobody" nobody

timed() {
  weir set nano cpus=1.6 --sync --wait --for 20s
  says_docker nano NanoCpus 1600000000
  weir status | grep -F "back to 1 cpus (100000/100000) in"
  wait_for 90 says_docker nano NanoCpus 1000000000
  wait_for 30 holds "$(scope nano)" cpu.max '100000 100000'
}
t "--for takes it back from docker too" timed

# --- failures ---

dead_docker() {
  local s n
  s=$(scope nano) n=$(id nano)
  kill -STOP "$(systemctl show -P MainPID docker)"
  weir set nano cpus=1.7 --sync --wait >/tmp/said 2>&1 && { echo "did not fail"; return 1; }
  cat /tmp/said
  kill -CONT "$(systemctl show -P MainPID docker)"
  grep -F "docker and systemd could not be told" /tmp/said
  holds "$s" cpu.max '170000 100000'
  weir status >/tmp/status
  grep -F "1 failed" /tmp/status
  grep -F "weir sync tries again" /tmp/status
  [[ -s $state/docker-$n.json ]]
  weir sync
  says_docker nano NanoCpus 1700000000
  weir undo
  says_docker nano NanoCpus 1000000000
}
t "a docker that does not answer is told in the exit code and in status; weir sync does it later" dead_docker

retried() {
  kill -STOP "$(systemctl show -P MainPID docker)"
  weir set nano cpus=1.7 --sync
  wait_for 60 bash -c "weir status --json | jq -e '.sync[0].state == \"failed\" and .sync[0].tries > 0'"
  kill -CONT "$(systemctl show -P MainPID docker)"
  wait_for 90 says_docker nano NanoCpus 1700000000
  wait_for 30 settled
  weir undo
}
t "the unit that tells it tries again by itself" retried

undo_later() {
  weir set nano cpus=1.7 --sync --wait
  kill -STOP "$(systemctl show -P MainPID docker)"
  local status=0
  weir undo >/tmp/said 2>&1 || status=$?
  kill -CONT "$(systemctl show -P MainPID docker)"
  ((status == 1))
  grep -F "could not be told" /tmp/said
  weir undo
  says_docker nano NanoCpus 1000000000
  (($(records) == 0))
}
t "an undo that docker did not hear is finished by the next" undo_later

rebooted() { # another boot has another boot id, no journal in /run, and another cgroup
  weir set nano cpus=1.8 memory=180M --sync --wait
  sed -i -E 's/"boot": "[^"]*"/"boot": "0000"/' "$state"/docker-*.json
  rm -rf /run/weir
  docker restart -t 0 nano
  holds "$(scope nano)" cpu.max '180000 100000'
  weir undo
  says_docker nano NanoCpus 1000000000
  holds "$(scope nano)" cpu.max '100000 100000'
  (($(records) == 0))
}
t "after a reboot docker is told its old value again" rebooted

removed() {
  docker run -d --name plain busybox sleep 100000 >/dev/null
  weir set plain cpus=0.5 --sync --wait
  docker rm -f plain >/dev/null
  weir undo
  (($(records) == 0))
}
t "a container that was removed has nothing to be told" removed

others_can_write() {
  chmod 777 "$state"
  says "can be written by others" exits 1 weir set nano cpus=1.1 --sync
  chmod 750 "$state"
  weir undo
}
t "records that others could write are refused" others_can_write
finish
