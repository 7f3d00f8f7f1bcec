# SPDX-License-Identifier: MIT
"""A guest that is up, with Docker answering, as two files: its disk and its state. A run continues it in seconds."""

import os
from pathlib import Path

from . import cache
from .channel import Channel
from .machine import PAYLOAD_SIZE, Machine, memory_file
from .proc import run
from .say import say

_BOOT_SECONDS = 300


def obtain(name, kernel, disk, accel):
    here = Path(__file__)
    key = cache.key_of(kernel.key, disk.key, accel.key, accel.version, here, here.with_name("machine.py"))
    return cache.obtain(f"snapshot-{name}", key, lambda out: _build(kernel, disk, accel, out))


def _build(kernel, disk, accel, out):
    say("booting the guest for a snapshot (once, about half a minute)…")
    run("cp", "--sparse=always", "--reflink=auto", disk / "disk.raw", out / "disk.raw")
    payload = memory_file("payload", PAYLOAD_SIZE)
    with Machine(kernel, accel, out / "disk.raw", payload, keep_changes=True) as machine:
        agent = Channel(machine)
        agent.greet(_BOOT_SECONDS)
        agent.run("/usr/local/lib/vm/settle", seconds=_BOOT_SECONDS)
        machine.save(out / "state.bin")
    os.close(payload)
