# SPDX-License-Identifier: MIT
"""The guest's packages as one tar: the slow part, which changes only with packaging/packages/guest.txt."""

import os
import shutil
from pathlib import Path

from . import cache, packages
from .proc import run
from .say import Failure, say

SUITE = "trixie"
LIST = packages.LISTS / "guest.txt"
_DROPPED = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"]


def obtain():
    return cache.obtain("packages", cache.key_of(LIST, Path(__file__)), _build)


def _build(out):
    if os.geteuid() != 0:
        raise Failure("building the guest needs root; using it afterwards does not (XDG_CACHE_HOME says where it is)")
    say("fetching the guest's packages (once, about a minute)…")
    wanted = packages.read_list(LIST)
    apt = out / "apt"
    debs = packages.Suite(apt, SUITE).download([name for name, how in wanted if how == "extract"])
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(n for n, how in wanted if not how)}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _DROPPED]
    command += [f'--customize-hook=dpkg-deb -x "{deb}" "$1"' for deb in debs]
    # A library that "/extract" forgot shows here, not in a test weeks later.
    command += ['--customize-hook=chroot "$1" stress-ng --version', '--customize-hook=chroot "$1" promtool --version']
    scratch = out / "tmp"
    scratch.mkdir()
    run(*command, SUITE, out / "rootfs.tar", packages.mirror(), env=_environment(scratch))
    shutil.rmtree(apt)
    shutil.rmtree(scratch)


def _environment(scratch):
    scratch.chmod(0o755)
    return {**os.environ, "TMPDIR": str(scratch), "LC_ALL": "C.UTF-8"}
