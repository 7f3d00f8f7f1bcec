# SPDX-License-Identifier: MIT
"""Debian packages for the guest: the lists in packaging/packages, the mirror, and downloads from any suite without
touching the host's own apt state."""

import re
import subprocess
from pathlib import Path

from .proc import run
from .say import Failure

TREE = Path(__file__).resolve().parents[2]
LISTS = TREE / "packaging" / "packages"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_DEFAULT_MIRROR = "http://deb.debian.org/debian"


def read_list(path):
    """The (package, suffix) pairs of a list: `package` or `package/suffix`, `#` starts a comment."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [(line + "/").split("/")[:2] for line in lines if line]


def mirror():
    """The Debian mirror of the host, so that a local one is used here too."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    for line in listed.stdout.splitlines():
        if line.startswith("Debian|Debian|http"):
            return line.split("|")[2].rstrip("/")
    return _DEFAULT_MIRROR


class Suite:
    """One Debian suite, with apt's state in a folder of its own."""

    def __init__(self, folder, suite):
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "debs" / "partial").mkdir(parents=True)
        (folder / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {mirror()} {suite} main\n")
        self._folder = folder
        self._apt = ["-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}",
                     "-o", f"Dir::Etc::sourcelist={folder}/sources.list", "-o", "Dir::Etc::sourceparts=/dev/null",
                     "-o", "Dir::Etc::preferencesparts=/dev/null", "-o", "Dir::State::status=/dev/null",
                     "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", "-o", "Acquire::Languages=none"]
        run("apt-get", *self._apt, "-q", "update")

    def depends(self, package):
        shown = run("apt-cache", *self._apt, "show", "--no-all-versions", package)
        found = re.search(r"^Depends: (.*)$", shown, re.M)
        return re.split(r"[,|]\s*", re.sub(r"\s*\([^)]*\)", "", found[1])) if found else []

    def download(self, packages):
        run("apt-get", *self._apt, "-q", "download", *packages, cwd=self._folder)
        debs = sorted(self._folder.glob("*.deb"))
        if not debs:
            raise Failure(f"apt downloaded nothing of {' '.join(packages)}")
        return debs
