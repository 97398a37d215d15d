"""Cells of the fault matrix whose console is a process of its own: killed at a point, or hung up."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fakes.aws_doubles import REGION
from fakes.wire_world import Request
from fakes.wire_world_cells import Cell, Scene, aftermath, scene
from fakes.wire_world_flow import Lab
from fakes.wire_world_rows import Row

from lambdatop.cli import exit_codes

POINTS = ("before intent", "after intent", "in request", "before outcome", "after outcome")
"""Where a process is killed: `in request` is when the server has applied it and not answered yet."""
_WORDS = {"before intent": "", "after outcome": "applied"}
KILLED = -signal.SIGKILL
NURSERY = Path(__file__).with_name("wire_world_nursery.py")


class Nursery:
    """Starts consoles as processes that are warm already; one at a time."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, home: Path) -> None:
        self._process, self._url, self._home = process, url, home

    async def run(self, **job: Any) -> int:
        """Return the exit code of a child, negative for a signal."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        job |= {"url": self._url, "log": str(self._home / "children.log")}
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        line = await self._process.stdout.readline()
        assert line, "the nursery has died"
        return int(line)

    def arguments(self, directory: Path) -> list[str]:
        """Return global options of the command line that lead to the stub."""
        found = ["--endpoint-url", self._url, "--region", REGION, "--state-dir", str(directory)]
        return [*found, "--write", "--allow-endpoint-changes"]


@asynccontextmanager
async def nursery(url: str, home: Path) -> AsyncIterator[Nursery]:
    """Yield a warm process towards the stub at `url`, with nothing of the user's in its environment."""
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR")}
    keep |= {"HOME": str(home), "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
    keep |= {"AWS_EC2_METADATA_DISABLED": "true"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(NURSERY),
        url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=keep,
    )
    try:
        yield Nursery(process, url, home)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def signal_client(request: Request, number: int) -> None:
    """Send a signal to the console that sent this request, as the journal tells."""
    assert request.pid not in (0, os.getpid()), (
        "the request has no intent on disk, so nobody knows whose it is"
    )
    os.kill(request.pid, number)


async def kill_cell(
    lab: Lab, from_: Nursery, row: Row, point: str, directory: Path, *, undo: bool
) -> Cell | None:
    """Kill the console at a point; three minutes later another one recovers."""
    cell = Cell(row.name, f"kill -9 {point}", undo)
    set_ = await scene(lab, row, directory, undo=undo)
    if set_ is None:
        return None
    if point == "in request":
        lab.world.on_request = lambda request: signal_client(request, signal.SIGKILL)
    status = await from_.run(
        do="die", row=row.name, undo=set_.plan.undoes, point=point, directory=str(directory)
    )
    cell.must(status == KILLED, f"ended with {status} instead of being killed")
    _note_word(cell, set_, _WORDS.get(point, "open"))
    await aftermath(lab, cell, set_, directory, undo=undo)
    return cell


async def hangup_cell(lab: Lab, from_: Nursery, row: Row, directory: Path, *, undo: bool) -> Cell | None:
    """Hang up the command line's terminal while the server works on its request.

    That request is waited for; of a plan in steps nothing further is begun, and the journal says so.
    """
    cell = Cell(row.name, "SIGHUP", undo)
    set_ = await scene(lab, row, directory, undo=undo)
    if set_ is None:
        return None
    lab.world.on_request = lambda request: signal_client(request, signal.SIGHUP)
    plan = set_.plan
    words = ["undo", plan.undoes] if plan.undoes else ["mitigate", row.mitigation, row.target]
    words += [] if plan.undoes else [w for k, v in row.params.items() for w in ("--set", f"{k}={v}")]
    words += ["--confirm", plan.target.key.id if plan.confirm == "key" else plan.confirm]
    status = await from_.run(do="cli", argv=[*words, *from_.arguments(directory)])
    wanted, word = (
        (exit_codes.INTERRUPTED, "not-sent") if len(plan.steps) > 1 else (exit_codes.DONE, "applied")
    )
    cell.must(status == wanted, f"the command ended with {status}")
    _note_word(cell, set_, word)
    await aftermath(lab, cell, set_, directory, undo=undo)
    return cell


def _note_word(cell: Cell, set_: Scene, wanted: str) -> None:
    """Check the entry that the dead process left behind."""
    new = [e.outcome for e in set_.console.journal.read() if e.id not in set_.earlier]
    cell.word = new[-1] if new else ""
    cell.must(cell.word == wanted, f"it left {cell.word!r} behind, not {wanted!r}")
