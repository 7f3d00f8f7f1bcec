# SPDX-License-Identifier: MIT
"""Child programs that never outlive us: stopped politely when we are interrupted, by the kernel when we are killed."""

import contextlib
import ctypes
import os
import signal
import subprocess

from .say import Failure

_PR_SET_PDEATHSIG = 1
_GRACE = 5  # seconds between asking and killing
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """For Popen's preexec_fn."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_group(child):
    """The program and what it started: mmdebstrap alone would leave its dpkg behind, writing."""
    os.killpg(child.pid, signal.SIGTERM)
    try:
        child.communicate(timeout=_GRACE)
    except subprocess.TimeoutExpired:
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def run(*command, **options):
    """Runs a program, its output kept for the case that it fails. Returns its stdout as text."""
    command = [str(word) for word in command]
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 start_new_session=True, **options)
    except FileNotFoundError:
        raise Failure(f"{command[0]} is not installed: run vm/setup") from None
    try:
        out, err = child.communicate()
    except BaseException:
        _end_group(child)
        raise
    if child.returncode != 0:
        text = (err or out).decode(errors="replace").strip()
        raise Failure(f"{' '.join(command[:4])} … failed ({child.returncode}):\n{text[-2000:]}")
    return out.decode(errors="replace")
