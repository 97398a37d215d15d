"""A process that has imported everything and forks a console per line: `wire_world_nursery.py URL`.

Each line of stdin is a job in JSON; when its child has ended, its exit code (negative for a signal) is
written to stdout. Jobs: `die` (one mutation, death at a point), `cli` (the real command line), `soak`
(mutations back to back until somebody kills it).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakes.wire_world_flow import Console
    from fakes.wire_world_rows import Row

MOST_MUTATIONS = 400
"""Long after anybody should have killed it."""
REDONE = 5
AT_ONCE = 3
ONCE = ("purge_queue", "quarantine_queue", "stop_executions")
"""What cannot go on back to back: there is no way back, or it is a plan in steps."""
WARMING = ("throttle_to_zero", "tune_trigger", "purge_queue")


def _dying(function: Callable[..., Any], *, first: bool) -> Callable[..., Any]:
    def die_around(*args: Any) -> Any:
        if not first:
            function(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    return die_around


async def _open(job: dict[str, Any]) -> Console:
    from fakes.clock import FakeClock
    from fakes.wire_world_flow import Console, open_backend

    clock = FakeClock(auto=True)
    return Console(Path(job["directory"]), await open_backend(job["url"], clock), clock)


async def die(job: dict[str, Any]) -> None:
    """Carry out one row, or the undo of an entry, and die at the point; `in request` is up to the server."""
    from fakes.wire_world_rows import ROWS

    console = await _open(job)
    if job["undo"]:
        plan = await console.undo(job["undo"])
    else:
        plan = await console.plan(next(r for r in ROWS if r.name == job["row"]))
    when, _, what = job["point"].partition(" ")
    if what != "request":
        setattr(console.journal, what, _dying(getattr(console.journal, what), first=when == "before"))
    await console.execute(plan)


async def soak(job: dict[str, Any]) -> None:
    """Recover as every start does, then mutate several targets at once until killed."""
    from fakes.wire_world import FUNCTION
    from fakes.wire_world_rows import rows

    console = await _open(job)
    await console.executor.recover()
    if job["tear"]:
        _tear(job["tear"])
    dice = random.Random(job["seed"])
    targets: dict[str, list[Row]] = {}
    for row in rows():
        if not row.honest and row.mitigation not in ONCE:
            targets.setdefault(row.target, []).append(row)
    # On the function there is always something left to do; elsewhere all may have been done already.
    others = dice.sample(sorted(targets.keys() - {FUNCTION}), AT_ONCE - 1)
    chosen = (FUNCTION, *others)
    await asyncio.gather(*(_traffic(console, dice, targets[name]) for name in chosen))


async def _traffic(console: Console, dice: random.Random, rows: list[Row]) -> None:
    """Run a mitigation, its undo, the undo of that, and so on; then another one."""
    from lambdatop.domain.errors import LambdatopError
    from lambdatop.domain.plans.plan import Plan

    for _ in range(MOST_MUTATIONS):
        proposal = await console.propose(dice.choice(rows))
        for _ in range(REDONE):
            if not isinstance(proposal, Plan) or proposal.steps:
                break
            await console.execute(proposal)
            try:
                proposal = await console.executor.proposals.propose_undo(proposal.id)
            except LambdatopError:
                break  # it had drifted, so there is no such entry


def _tear(number: int) -> None:
    """Kill the process in the middle of its `number`th line, as if a write had come through in part."""
    from lambdatop.storage import journal_file, secure_files

    durably, numbers = secure_files.append_durably, count(1)

    def append(fd: int, data: bytes) -> None:
        if next(numbers) == number:
            os.write(fd, data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        durably(fd, data)

    journal_file.append_durably = append  # type: ignore[attr-defined]


def cli(job: dict[str, Any]) -> int:
    """Run the real command line without pacing its reads."""
    from lambdatop.cli import main
    from lambdatop.engine.rate_limiter import TokenBuckets

    async def take(self: TokenBuckets, api: str) -> None:
        """Do not wait."""

    setattr(TokenBuckets, "take", take)  # noqa: B010 - mypy would not let a method be assigned

    return main(job["argv"])


def _child(job: dict[str, Any]) -> int:
    sink = os.open(job.get("log") or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    if job["do"] == "cli":
        return cli(job)
    asyncio.run({"die": die, "soak": soak}[job["do"]](job))
    return 0


async def _warm_up(url: str) -> None:
    """Import and parse all that a console needs; nothing of it is kept but modules and models."""
    from fakes.wire_world_rows import rows

    for module in ("cli.commands.mitigate", "cli.commands.undo", "cli.mutate", "report.text.plan"):
        import_module(f"lambdatop.{module}")
    console = await _open({"url": url, "directory": os.environ["HOME"]})
    for row in rows():
        if row.mitigation in WARMING:
            await console.propose(row)
    await console.backend.close()


def main(url: str) -> None:
    """Fork a child per line; the status of each goes back."""
    asyncio.run(_warm_up(url))
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = _child(json.loads(line))
            except BaseException:
                traceback.print_exc()
                raise
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    main(sys.argv[1])
