# SPDX-License-Identifier: MIT
"""Child programs that never outlive us: stopped politely when we are interrupted, by the kernel when we are killed."""

import ctypes
import signal
import subprocess

from .say import Failure

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """For Popen's preexec_fn."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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
        child.terminate()
        try:
            child.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
        raise
    if child.returncode != 0:
        text = (err or out).decode(errors="replace").strip()
        raise Failure(f"{' '.join(command[:4])} … failed ({child.returncode}):\n{text[-2000:]}")
    return out.decode(errors="replace")
