# SPDX-License-Identifier: MIT
"""What a run brings along: the project's files and the programs of one build, as a squashfs in memory.

A squashfs is mounted at once and read as needed; a tar would have to be unpacked by an emulated processor.
"""

import os
import subprocess
import tarfile
from pathlib import Path

from .machine import PAYLOAD_SIZE, memory_file
from .packages import TREE
from .say import Failure, say

MOUNTED_AT = "/weir"
_NEVER = {".git", "build", "node_modules", "__pycache__"}
_LAB_CONTEXT = (".dockerignore", "Dockerfile", "docker-compose.yml", "docker-compose.device.yml", "weir-lab")


def find_build(wanted):
    """The build folder to take: the given one, otherwise that with the newest weir. None when nothing is built."""
    if wanted:
        folder = Path(wanted).resolve()
        if not (folder / "bin").is_dir():
            raise Failure(f"{wanted} has no folder bin: --build wants a build folder such as build/dev")
        return folder
    built = list(TREE.glob("build/*/bin/weir"))
    if not built:
        built = [p for p in TREE.glob("build/*/bin/*") if _is_program(p)]
        say("no build/*/bin/weir yet: the guest has no weir on its PATH")
    return max(built, key=lambda p: p.stat().st_mtime).parents[1] if built else None


def guest_path(build):
    """Where that build is inside the guest."""
    return f"{MOUNTED_AT}/build/{build.name}"


def pack(build):
    """Returns a file descriptor: a disk image for the guest."""
    fd = memory_file("payload")
    command = ["sqfstar", "-quiet", "-no-progress", "-force", "-noI", "-noD", "-noF", "-noX", "-no-xattrs",
               "-root-mode", "0755", f"/proc/self/fd/{fd}"]
    try:
        packer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  pass_fds=[fd], start_new_session=True)
    except FileNotFoundError:
        raise Failure("sqfstar is not installed (squashfs-tools): run vm/setup") from None
    try:
        with packer.stdin, tarfile.open(fileobj=packer.stdin, mode="w|", format=tarfile.GNU_FORMAT) as tar:
            _add_all(tar, build)
    except BrokenPipeError:
        pass
    said = packer.stdout.read().decode(errors="replace")
    if packer.wait() != 0:
        raise Failure(f"sqfstar failed:\n{said.strip()}")
    if os.fstat(fd).st_size > PAYLOAD_SIZE:
        raise Failure(f"tree and build are larger than {PAYLOAD_SIZE >> 30} GiB: strip the build or choose another (--build)")
    os.ftruncate(fd, PAYLOAD_SIZE)
    return fd


def _add_all(tar, build):
    folders = set()
    for name in _tree_files():
        _add(tar, TREE / name, name, folders)
    if build:
        for program in sorted((build / "bin").iterdir()):
            if _is_program(program):
                _add(tar, program.resolve(), f"build/{build.name}/bin/{program.name}", folders)
        for name in _LAB_CONTEXT:  # which weir looks for beside its bin
            if (build / "lab" / name).is_file():
                _add(tar, build / "lab" / name, f"build/{build.name}/lab/{name}", folders)


def _add(tar, path, name, folders):
    for parent in reversed(Path(name).parents[:-1]):
        if parent not in folders:
            folders.add(parent)
            entry = tarfile.TarInfo(str(parent))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
    try:
        entry = tar.gettarinfo(path, name)
        entry.uid = entry.gid = 0
        entry.type = tarfile.REGTYPE if entry.islnk() else entry.type  # hard links: content again, not a reference
        if entry.isreg():
            entry.size = path.stat().st_size
            with open(path, "rb") as file:
                tar.addfile(entry, file)
        elif entry.issym():
            tar.addfile(entry)
    except FileNotFoundError:
        pass  # deleted but still in the index, or gone since it was listed


def _tree_files():
    """Tracked and untracked, not ignored; without git everything but well-known clutter."""
    listed = subprocess.run(["git", "-C", TREE, "ls-files", "-coz", "--exclude-standard", "--deduplicate"],
                            capture_output=True, stdin=subprocess.DEVNULL) if (TREE / ".git").exists() else None
    if listed and listed.returncode == 0:
        return [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    found = []
    for folder, folders, files in os.walk(TREE):
        folders[:] = sorted(f for f in folders if f not in _NEVER)
        found += [os.path.relpath(os.path.join(folder, file), TREE) for file in sorted(files)]
    return found


def _is_program(path):
    return path.is_file() and os.access(path, os.X_OK)
