# SPDX-License-Identifier: MIT
"""The host's half of the wire protocol (vm/README.md): frames on a socket that is a virtio-serial port of the guest."""

import os
import select
import struct
import time

from .say import Failure

_HEADER = struct.Struct("<cI")
STDIN_WINDOW = 64 * 1024  # how much of stdin may be on its way, not yet taken by the command


class Channel:
    """One port of a machine: runs one command at a time."""

    def __init__(self, machine, number=0):
        self._machine, self._socket, self._buffer = machine, machine.ports[number], b""

    def fileno(self):
        return self._socket.fileno()

    def send(self, kind, body=b""):
        try:
            self._socket.sendall(_HEADER.pack(kind, len(body)) + body)
        except (BrokenPipeError, ConnectionResetError):
            raise self._machine.gone() from None

    def receive(self):
        """Reads once, then returns the complete frames: a list of (kind, body)."""
        try:
            data = self._socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:
            raise self._machine.gone()
        self._buffer += data
        frames, at = [], 0
        while len(self._buffer) - at >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._buffer, at)
            end = at + _HEADER.size + length
            if len(self._buffer) < end:
                break
            frames.append((kind, self._buffer[at + _HEADER.size:end]))
            at = end
        self._buffer = self._buffer[at:]
        return frames

    def greet(self, seconds):
        """Waits for the agent. What is sent before it opened the port may be lost, so the greeting is repeated."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            token = os.urandom(8)
            if select.select([], [self._socket], [], 0)[1]:  # a guest that hangs takes nothing: never block on it
                self.send(b"H", token)
            while select.select([self._socket], [], [], 0.25)[0]:
                if (b"H", token) in self.receive():
                    return
        raise Failure(f"the guest's agent did not answer within {seconds} s\n{self._machine.last_words()}")

    def request(self, arguments, directory="/", variables=None):
        """Starts a command; frames O, E and at last X will come back."""
        variables = variables if variables is not None else {"PATH": "/usr/sbin:/usr/bin", "LANG": "C.UTF-8"}
        words = [directory, str(len(variables)), *(f"{k}={v}" for k, v in variables.items()), *arguments]
        if any("\0" in word for word in words):
            raise Failure("a NUL byte in the command")
        self.send(b"R", b"".join(os.fsencode(word) + b"\0" for word in words))

    def run(self, *arguments, seconds=60):
        """A command of our own, without stdin; returns its output or fails."""
        deadline = time.monotonic() + seconds
        output = b""
        self.request(arguments)
        self.send(b"I")
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._socket], [], [], left)[0]:
                break
            for kind, body in self.receive():
                if kind in (b"O", b"E"):
                    output += body
                elif kind == b"X":
                    if struct.unpack("<I", body)[0] != 0:
                        raise Failure(f"in the guest: {' '.join(arguments)}: {output.decode(errors='replace').strip()}")
                    return output.decode(errors="replace")
        raise Failure(f"in the guest: {' '.join(arguments)} did not end within {seconds} s\n{self._machine.last_words()}")
