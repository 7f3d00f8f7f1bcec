# SPDX-License-Identifier: MIT
"""One command in a guest, as if it ran here: its streams, its exit code, its end when time is up."""

import os
import selectors
import struct
import time

from .channel import STDIN_WINDOW
from .say import complain

TIMED_OUT = 124
_SIGTERM, _GRACE = b"\x0f", 2.0  # what a command gets when its time is up, and the seconds to act on it


class Session:
    """Carries stdin to the command and its output to ours."""

    def __init__(self, channel, seconds, on_timeout):
        self._channel, self._seconds, self._on_timeout = channel, seconds, on_timeout
        self._in_flight, self._stdin_open = 0, True
        self._selector = selectors.DefaultSelector()
        self._selector.register(channel, selectors.EVENT_READ)

    def run(self, arguments, directory, variables):
        """Returns the exit code: 128 + signal as a shell has it, 124 after a timeout."""
        self._channel.request(arguments, directory, variables)
        deadline, killed = time.monotonic() + self._seconds, False
        while True:
            self._watch_stdin()
            events = self._selector.select(max(0, deadline - time.monotonic()))
            for key, _ in events:
                if key.fileobj is self._channel:
                    code = self._receive()
                    if code is not None:
                        return TIMED_OUT if killed else code
                else:
                    self._pass_stdin()
            if time.monotonic() >= deadline:
                if killed:
                    return TIMED_OUT
                complain(f"the command did not end within {self._seconds:g} s: stopped (--timeout)")
                self._on_timeout()
                self._channel.send(b"K", _SIGTERM)
                deadline, killed = time.monotonic() + _GRACE, True

    def _receive(self):
        for kind, body in self._channel.receive():
            if kind == b"O":
                _write(1, body)
            elif kind == b"E":
                _write(2, body)
            elif kind == b"C":
                self._in_flight -= struct.unpack("<I", body)[0]
            elif kind == b"X":
                return struct.unpack("<I", body)[0]
        return None

    def _watch_stdin(self):
        """Reads no more than the command takes: a kill must not queue up behind a long stdin."""
        wanted = self._stdin_open and self._in_flight < STDIN_WINDOW
        watched = 0 in self._selector.get_map()
        if watched and not wanted:
            self._selector.unregister(0)
        if wanted and not watched:
            try:
                self._selector.register(0, selectors.EVENT_READ)
            except PermissionError:  # a plain file: always readable, unknown to epoll
                self._pass_stdin()

    def _pass_stdin(self):
        try:
            data = os.read(0, STDIN_WINDOW - self._in_flight)
        except OSError:
            data = b""
        self._channel.send(b"I", data)
        self._in_flight += len(data)
        self._stdin_open = bool(data)


def _write(fd, data):
    while data:
        data = data[os.write(fd, data):]
