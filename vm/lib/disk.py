# SPDX-License-Identifier: MIT
"""The guest's root disk: the packages, our files and agent, no needless units; then one boot that makes the container
images. No kernel is on it. The disk is only ever used through a private copy or overlay, so it never changes again."""

import os
import shutil
from pathlib import Path

from . import accel, cache, rootfs
from .channel import Channel
from .guest import SOURCES, compile_static
from .machine import PAYLOAD_SIZE, Machine, memory_file
from .proc import run
from .say import say

_SIZE = "6G"  # sparse
_MACHINE_ID = "5765697220746573742067756573740a"
_BOOT_SECONDS = 300


def obtain(kernel):
    packages = rootfs.obtain()
    key = cache.key_of(packages.key, SOURCES, Path(__file__))
    return cache.obtain("disk", key, lambda out: _build(packages, kernel, out))


def _build(packages, kernel, out):
    say("building the guest's disk (once, about a minute)…")
    tree = out / "tree"
    tree.mkdir()
    run("tar", "-C", tree, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", packages / "rootfs.tar")
    _furnish(tree)
    disk = out / "disk.raw"
    run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-E", "lazy_itable_init=1,nodiscard",
        "-d", tree, disk, _SIZE)
    shutil.rmtree(tree)
    payload = memory_file("payload", PAYLOAD_SIZE)
    with Machine(kernel, accel.choose(kernel), disk, payload, keep_changes=True) as machine:
        agent = Channel(machine)
        agent.greet(_BOOT_SECONDS)
        agent.run("/usr/local/lib/vm/prepare", seconds=_BOOT_SECONDS)
        agent.run("systemctl", "--no-block", "poweroff")
        machine.wait_for_end(90)
    os.close(payload)


def _furnish(tree):
    shutil.copytree(SOURCES / "files", tree, dirs_exist_ok=True, symlinks=True)
    compile_static(tree / "usr/local/lib/vm/agent", [SOURCES / f"{name}.c" for name in ("agent", "command", "frame")])
    units = tree / "etc/systemd/system"
    for unit in _lines(SOURCES / "masked-units.txt"):
        _link(units / unit, "/dev/null")
    _link(units / "sysinit.target.wants/vm-agent.service", "../vm-agent.service")
    _link(units / "default.target", "/usr/lib/systemd/system/multi-user.target")
    (tree / "etc/machine-id").write_text(_MACHINE_ID + "\n")
    (tree / "etc/fstab").write_text("")
    (tree / "etc/resolv.conf").write_text("")
    for stamp in ("etc/.updated", "var/.updated"):
        (tree / stamp).touch()
    (tree / "usr/lib/modules").mkdir(exist_ok=True)
    for node, minor in (("console", (5, 1)), ("null", (1, 3))):
        if not (tree / "dev" / node).exists():
            os.mknod(tree / "dev" / node, 0o20666, os.makedev(*minor))


def _lines(file):
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]


def _link(place, target):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(target)
