# SPDX-License-Identifier: MIT
"""The virtual machine: QEMU's arguments, its process and its monitor.

Everything is passed as an open file descriptor (sockets in pairs, files in memory), so nothing has to be cleaned up:
no socket, no log, no temporary disk remains, even after kill -9.
"""

import json
import os
import signal
import socket
import subprocess
import time

from .accel import QEMU
from .proc import die_with_parent
from .say import Failure

PAYLOAD_SIZE = 4 << 30  # the second disk; sparse. Fixed, since a snapshot knows it
PORTS = 2
# tsc=reliable: the emulated counter is exact, but on a busy host kernel 7's clocksource watchdog never gets to compare it
# in time and spins in its softirq with the other processor waiting for it: the boot hangs.
_COMMAND_LINE = ("console=ttyS0 rw psi=1 panic=-1 mitigations=off quiet nokaslr audit=0 selinux=0 apparmor=0 tomoyo=0 "
                 "cryptomgr.notests random.trust_cpu=on no_timer_check tsc=reliable 8250.nr_uarts=1 systemd.show_status=0 "
                 "net.ifnames=0")


class Gone(Failure):
    """The guest ended although nobody asked it to."""


def memory_file(name, size=0):
    fd = os.memfd_create(name)
    os.ftruncate(fd, size)
    return fd


class Machine:
    """A running QEMU. Use as a context manager: leaving it ends the guest."""

    def __init__(self, kernel, accel, disk, payload, keep_changes=False, state=None):
        self._console = memory_file("console")
        pairs = [socket.socketpair() for _ in range(PORTS + 1)]
        self.ports = [ours for ours, _ in pairs[:PORTS]]
        self._monitor = pairs[PORTS][0]
        inherited = [self._console, payload, *(theirs.fileno() for _, theirs in pairs)]
        command = [QEMU, "-M", "pc", *accel.arguments, "-m", "2048", "-smp", "2", "-nodefaults", "-no-user-config",
                   "-display", "none", "-no-reboot", "-kernel", kernel / "vmlinux", "-initrd", kernel / "initrd",
                   "-append", _COMMAND_LINE, "-chardev", f"file,id=console,path=/proc/self/fd/{self._console}",
                   "-serial", "chardev:console", "-chardev", f"socket,id=qmp,fd={inherited[-1]}",
                   "-mon", "chardev=qmp,mode=control"]
        command += _disk("root", disk, f"cache=unsafe,discard=unmap,snapshot={'off' if keep_changes else 'on'}")
        command += _disk("payload", f"/proc/self/fd/{payload}", "readonly=on")
        command += _disk("modules", kernel / "modules.raw", "readonly=on")
        command += ["-device", "virtio-serial-pci"]
        for number in range(PORTS):
            command += ["-chardev", f"socket,id=port{number},fd={inherited[2 + number]}",
                        "-device", f"virtserialport,chardev=port{number},name=vm.{number}"]
        if state:
            command += ["-incoming", f"file:{state}"]
        self._process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=inherited,
                                         start_new_session=True, preexec_fn=die_with_parent)
        for _, theirs in pairs:
            theirs.close()
        self._replies = self._monitor.makefile("r")
        try:
            self._replies.readline()  # the greeting
            self.tell("qmp_capabilities")
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def tell(self, command, **arguments):
        """One QMP command; its answer."""
        try:
            self._monitor.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            for line in self._replies:
                reply = json.loads(line)
                if "error" in reply:
                    raise Failure(f"QEMU: {command}: {reply['error']['desc']}")
                if "return" in reply:
                    return reply["return"]
        except (BrokenPipeError, ConnectionResetError):
            pass
        raise self.gone()

    def resume(self):
        """Waits until a state given at the start is loaded, then lets the guest run."""
        while self.tell("query-status")["status"] == "inmigrate":
            time.sleep(0.02)
        self.tell("cont")

    def save(self, state):
        """Writes the guest's state to a file and ends it."""
        self.tell("stop")
        self.tell("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.tell("migrate", uri=f"file:{state}")
        while (status := self.tell("query-migrate"))["status"] not in ("completed", "failed"):
            time.sleep(0.05)
        if status["status"] == "failed":
            raise Failure(f"the snapshot could not be written: {status.get('error-desc', 'no reason given')}")
        self.tell("quit")
        self._process.wait()

    def wait_for_end(self, seconds):
        """For a guest that was told to power off."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"the guest did not power off within {seconds} s\n{self.last_words()}") from None

    def end(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)  # nothing of it is kept: its disk is a private copy in memory
        self._process.wait()
        for channel in (*self.ports, self._monitor, self._process.stdout):
            channel.close()
        if self._console >= 0:
            os.close(self._console)
            self._console = -1

    def gone(self):
        """The failure to raise when a channel to the guest broke."""
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            return Gone(f"the guest closed its channel\n{self.last_words()}")
        return Gone(f"the guest died (QEMU: {self._process.returncode})\n{self.last_words()}")

    def last_words(self):
        """The end of the guest's console and what QEMU itself said."""
        size = os.fstat(self._console).st_size
        console = os.pread(self._console, 4000, max(0, size - 4000)).decode(errors="replace")
        said = ""
        if self._process.poll() is not None:
            said = self._process.stdout.read().decode(errors="replace")
        return "\n".join(f"  | {line}" for line in (console + said).splitlines()[-25:])


def _disk(name, file, options):
    return ["-drive", f"id={name},file={file},if=none,format=raw,{options}",
            "-device", f"virtio-blk-pci,drive={name},num-queues=1"]
