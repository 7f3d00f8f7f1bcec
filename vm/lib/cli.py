# SPDX-License-Identifier: MIT
"""vm/run's command line: from arguments to an exit code."""

import argparse
import os
import signal
import sys
import time

from . import accel, disk, kernel, payload, snapshot
from .channel import Channel
from .machine import Machine
from .say import Failure, be_quiet, complain, say, step
from .session import Session

_BROKEN = 125
_PS_COLUMNS = "pid,stat,etimes,wchan:20,args"
_RESUME_SECONDS, _BOOT_SECONDS = 120, 300  # 2 and 25 on an idle machine
_DESCRIPTION = "Runs a command as root in a virtual machine with systemd, Docker and the current build of Weir."
_EXAMPLES = """\
examples:
  vm/run -- uname -a
  vm/run -- weir status                      the newest build/*/bin is first on PATH
  vm/run -- docker run --rm busybox true
  vm/run -- 'cd tests && ls | wc -l'         one argument with blanks goes to bash
  vm/run --kernel 6.1 --timeout 60 -- weir-system-tests
  tar -c data | vm/run -- tar -t             stdin, stdout and stderr are passed

The guest is thrown away afterwards; the project's tree is a writable copy in /weir, the working directory.
exit code: the command's own, 128+N when signal N killed it; 124 timeout, 125 the machine failed.
The first run builds the guest (about three minutes) in ~/.cache/weir/vm. More: vm/README.md."""


class Stopped(BaseException):
    """A signal asked us to end. Not an Exception: nothing may swallow it."""

    def __init__(self, number):
        self.number = number


def main():
    _fill_standard_streams()
    options = _parse(sys.argv[1:])
    if not options.command:
        return 2
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        return _run(options)
    except Failure as failure:
        complain(str(failure))
        return _BROKEN
    except BrokenPipeError:  # our reader left
        return 128 + signal.SIGPIPE
    except Stopped as stopped:
        return 128 + stopped.number


def _fill_standard_streams():
    """Where we were started with one of them closed, another file would take its number."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(fd)


def _stop(number, _):
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)  # once is enough: what follows is cleaning up
    raise Stopped(number)


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="vm/run", description=_DESCRIPTION, epilog=_EXAMPLES,
                                     usage="vm/run [options] -- COMMAND [ARGUMENT…]",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", choices=kernel.SUITES, default=kernel.DEFAULT, help="default: %(default)s")
    parser.add_argument("--no-snapshot", action="store_true", help="boot afresh instead of continuing a saved guest")
    parser.add_argument("--timeout", type=float, default=900, metavar="S", help="seconds for COMMAND (default: %(default)s)")
    parser.add_argument("--build", metavar="DIR", help="build folder to bring along (default: that of the newest build/*/bin/weir)")
    parser.add_argument("--env", action="append", default=[], metavar="K=V", help="set a variable for COMMAND; may be repeated")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
    own, command = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        own, command = arguments[:at], arguments[at + 1:]
    options = parser.parse_args(own)
    options.command = command
    if options.quiet:
        be_quiet()
    if any("=" not in pair for pair in options.env):
        parser.error("--env wants K=V")
    if not command:
        parser.print_help(sys.stderr)
    return options


def _run(options):
    build = payload.find_build(options.build)
    used_kernel = kernel.obtain(options.kernel)
    used_accel = accel.choose(used_kernel)
    used_disk = disk.obtain(kernel.obtain(kernel.DEFAULT))
    saved = None if options.no_snapshot else snapshot.obtain(options.kernel, used_kernel, used_disk, used_accel)
    with step("packing the tree and the build"):
        packed = payload.pack(build)
    with step("starting the guest"):
        machine = Machine(used_kernel, used_accel, (saved or used_disk) / "disk.raw", packed,
                          state=saved and saved / "state.bin")
    with machine:
        channel = Channel(machine)
        with step("starting the guest" if saved else "booting the guest"):
            if saved:
                machine.resume()
            channel.greet(_RESUME_SECONDS if saved else _BOOT_SECONDS)
            channel.run("/usr/local/lib/vm/enter", f"{time.time():.3f}", seconds=_RESUME_SECONDS if saved else _BOOT_SECONDS)
        session = Session(channel, options.timeout, on_timeout=lambda: _show_processes(machine))
        return session.run(_argv(options.command), payload.MOUNTED_AT, _environment(options, build))


def _show_processes(machine):
    """What the guest was doing when time ran out, through the second port: the first one is busy."""
    try:
        spare = Channel(machine, 1)
        spare.greet(2)
        say("the guest's processes then:\n" + spare.run("ps", "--ppid", "2", "-p", "2", "-N", "-o", _PS_COLUMNS, seconds=5))
    except Failure as failure:
        say(str(failure))


def _argv(command):
    if len(command) == 1 and set(command[0]) & set(" \t\n;|&<>$"):
        return ["bash", "-c", command[0]]
    return command


def _environment(options, build):
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    variables = {"PATH": path, "HOME": "/root", "LANG": "C.UTF-8", "WEIR_VM": options.kernel}
    if build:
        variables["PATH"] = f"{payload.guest_path(build)}/bin:{path}"
        variables["WEIR_BUILD_DIR"] = payload.guest_path(build)
    variables.update({name: os.environ[name] for name in ("TERM", "COLUMNS") if name in os.environ})
    variables.update(pair.split("=", 1) for pair in options.env)
    return variables
