"""Making sure that no process outlives the one that wanted it. Linux has the means; elsewhere best effort."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies, however it dies."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own, so that none can slip away."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children(pid: int) -> list[int]:
    """Return the present children of a process (Linux; elsewhere none are known)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The command's name may contain anything; the fields begin after its closing bracket.
            fields = stat.read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[-1].split()
        except OSError:
            continue  # It has just ended.
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def kill(pid: int, *, group: bool = False) -> None:
    """Send SIGKILL; a process that is gone already is what was wanted."""
    try:
        if group:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
