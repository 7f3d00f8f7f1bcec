# SPDX-License-Identifier: MIT
"""KVM or emulation, and whether the installed QEMU is fit for it."""

import os
import re
import subprocess
from pathlib import Path

from . import cache
from .say import Failure, step

QEMU = "qemu-system-x86_64"
_OLDEST = (10, 0)  # 7.2 corrupts the guest's memory under emulation: random oopses around cmpxchg16b
_PROBE_SECONDS = 10


class Accel:
    """What the machine runs on. `key` names it in a snapshot's key: a state does not move between two of them."""

    def __init__(self, arguments, key, version):
        self.arguments, self.key, self.version = arguments, key, version


def choose(kernel):
    version = _qemu_version()
    if os.access("/dev/kvm", os.R_OK | os.W_OK) and _kvm_works(kernel, version):
        processor = re.findall(r"^(?:model name|flags)\b.*$", Path("/proc/cpuinfo").read_text(), re.M)[:2]
        return Accel(["-accel", "kvm", "-cpu", "host"], f"kvm {processor}", version)
    return Accel(["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "Nehalem"], "tcg", version)


def _qemu_version():
    try:
        told = subprocess.run([QEMU, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    except FileNotFoundError:
        raise Failure(f"{QEMU} is not installed: run vm/setup") from None
    found = re.search(r"version (\d+)\.(\d+)\S*(?: \(([^)]*)\))?", told)
    if not found or (int(found[1]), int(found[2])) < _OLDEST:
        raise Failure(f"QEMU {found[1] + '.' + found[2] if found else '?'} is too old: 7.2 is known to corrupt the memory "
                      f"of emulated guests, {_OLDEST[0]}.{_OLDEST[1]} works. vm/setup installs it from bookworm-backports.")
    return found[0]


def _kvm_works(kernel, version):
    """/dev/kvm may exist and still run nothing (nested machines): only a guest that says hello proves it.
    Asked once a boot of the host."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    answer = cache.root() / "kvm-works"
    question = cache.key_of(boot, version)
    try:
        known, verdict = answer.read_text().split()
        if known == question:
            return verdict == "yes"
    except (OSError, ValueError):
        pass
    with step("trying KVM"):
        works = _probe(kernel)
    answer.write_text(f"{question} {'yes' if works else 'no'}\n")
    return works


def _probe(kernel):
    command = [QEMU, "-M", "pc", "-accel", "kvm", "-cpu", "host", "-m", "256", "-nodefaults", "-no-user-config",
               "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel", str(kernel / "vmlinux"),
               "-initrd", str(kernel / "initrd"), "-append", "console=ttyS0 quiet panic=-1 vm.probe"]
    try:
        said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_SECONDS).stdout
    except subprocess.TimeoutExpired:
        return False
    return b"the probe works" in said
