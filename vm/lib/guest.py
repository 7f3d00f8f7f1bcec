# SPDX-License-Identifier: MIT
"""Static programs for the guest, from vm/guest/*.c."""

from .packages import TREE
from .proc import run

SOURCES = TREE / "vm" / "guest"


def compile_static(program, sources):
    run("gcc", "-std=gnu11", "-Os", "-Wall", "-Wextra", "-static", "-s", "-o", program, *sources)
