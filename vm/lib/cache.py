# SPDX-License-Identifier: MIT
"""Things that are built once: directories named KIND-KEY, where KEY is a hash over everything that shapes them.

A directory exists only when it is complete: it is built beside its place and renamed. One lock a kind keeps two builders
apart. Who uses a directory holds a shared lock on its file `.used`; nobody deletes it meanwhile. Of the directories of one
kind with other keys the one used last is kept for a day, so that two worktrees do not take the cache from each other.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import time
from pathlib import Path

from .say import step

_COMMENTS = {".c": rb"//.*", ".h": rb"//.*", ".txt": rb"#.*"}
_KEPT_BESIDES, _KEPT_SECONDS = 1, 86400


def root():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "weir" / "vm"


def key_of(*inputs):
    """A short hash over texts and the contents of files and folders (Path)."""
    digest = hashlib.sha256()
    for item in inputs:
        files = [item]
        if isinstance(item, Path) and item.is_dir():
            files = sorted(p for p in item.rglob("*") if p.is_file())
        for file in files:
            if isinstance(file, Path):
                digest.update(f"{file.name} {file.stat().st_mode & 0o111:o}\0".encode())
            digest.update(_meaning(file) if isinstance(file, Path) else str(file).encode())
            digest.update(b"\0")
    return digest.hexdigest()[:12]


def _meaning(file):
    """What of a file counts: a reworded comment or a new layout must not cost a rebuild."""
    content, comment = file.read_bytes(), _COMMENTS.get(file.suffix)
    return b" ".join(re.sub(comment, b"", content).split()) if comment else content


class Built:
    """A finished directory, held against deletion as long as this object lives."""

    def __init__(self, path, key, lock):
        self.path, self.key, self._lock = path, key, lock

    def __truediv__(self, name):
        return self.path / name


def obtain(kind, key, build):
    """The directory KIND-KEY; when it does not exist yet, build(path) fills a new one."""
    place = root() / f"{kind}-{key}"
    root().mkdir(parents=True, exist_ok=True)
    lock = _hold(place)
    if not lock:
        with _locked(root() / f"{kind}.lock", kind):
            if not place.exists():
                _build(place, build)
                _prune(kind, place)
            lock = _hold(place)
    return Built(place, key, lock)


def _hold(place):
    """The shared lock on a finished directory; None when there is none, or when it is deleted just now."""
    try:
        lock = open(place / ".used")
        fcntl.flock(lock, fcntl.LOCK_SH)
        if (place / ".used").stat().st_ino == os.fstat(lock.fileno()).st_ino:
            with contextlib.suppress(PermissionError):  # another user's cache
                os.utime(lock.fileno())
            return lock
    except FileNotFoundError:
        pass
    return None


def _build(place, build):
    half = place.with_name(place.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    try:
        build(half)
        (half / ".used").touch()
        half.rename(place)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _prune(kind, keep):
    def last_use(place):
        return (place / ".used").stat().st_mtime

    for half in root().glob(f"{kind}-*.half"):  # of one that was killed: we hold the builders' lock
        shutil.rmtree(half, ignore_errors=True)
    others = [p for p in root().glob(f"{kind}-*") if p != keep and (p / ".used").exists()]
    others.sort(key=last_use, reverse=True)
    recent = [p for p in others[:_KEPT_BESIDES] if time.time() - last_use(p) < _KEPT_SECONDS]
    for place in others[len(recent):]:
        with open(place / ".used") as lock, contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place.rename(place.with_name(place.name + ".half")), ignore_errors=True)


@contextlib.contextmanager
def _locked(path, kind):
    with open(path, "w") as lock:
        with step(f"waiting for another vm/run that is busy with the same {kind}"):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
