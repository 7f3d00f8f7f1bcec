# SPDX-License-Identifier: MIT
"""Progress on stderr: a line for each step that turns out to take more than two seconds, nothing otherwise."""

import contextlib
import sys
import threading

_QUIET_FOR = 2.0  # seconds
_level = {"quiet": False}


def be_quiet():
    _level["quiet"] = True


def say(text):
    """Something the user should know now; -q silences it."""
    if not _level["quiet"]:
        complain(text)


def complain(text):
    """Something the user must know, whatever the flags."""
    print(f"vm: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(text):
    timer = threading.Timer(_QUIET_FOR, say, [f"{text}…"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Failure(Exception):
    """The machine itself could not do it (exit code 125); says why in one line."""
