"""One cell of the fault matrix: a mitigation or its undo, one fault, and what must hold whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.wire_world import Held, Request, Trouble
from fakes.wire_world_faults import MOST_SENDS, RETRIED, WireFault, Words, wire_faults
from fakes.wire_world_flow import LATER_S, Console, Lab, again
from fakes.wire_world_rows import Row

from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Plan

ROUNDS = 4
"""How often recovery looks: a slow change is given time."""


@dataclass
class Cell:
    """What a cell ended with: the outcome's word, and every invariant that broke."""

    row: str
    fault: str
    undo: bool
    word: str = ""
    broken: list[str] = field(default_factory=list)

    def must(self, holds: bool, why: str) -> None:
        """Note an invariant that broke."""
        if not holds:
            self.broken.append(why)

    def __str__(self) -> str:
        return f"{'undo of ' if self.undo else ''}{self.row} x {self.fault}: {self.word}; {self.broken}"


@dataclass(frozen=True)
class Scene:
    """An account right before the change under test: the plan, who executes it, and how things stood."""

    console: Console
    plan: Plan
    original: dict[str, Any]
    before: dict[str, Any]
    earlier: frozenset[str]


async def scene(lab: Lab, row: Row, directory: Path, *, undo: bool, via: str = "plain") -> Scene | None:
    """Prepare a cell; None where there is nothing to undo, or nothing that another row does not undo too."""
    if undo and row.honest:
        return None
    console = lab.console(directory, via)
    lab.world.reset(console.file)
    row.prepare(lab.world)
    original = lab.world.settings()
    # The account is the same in each cell of a row, so one reading of it will do.
    if row.name not in lab.plans:
        lab.plans[row.name] = await console.plan(row)
    plan = again(lab.plans[row.name])
    if undo:
        done = await lab.console(directory).execute(plan)
        assert done.kind == "applied", (row.name, done.message)
        newest = console.journal.read()[-1]
        if not newest.can_undo:
            return None
        plan = await console.undo(newest.id)
    lab.world.requests.clear()
    earlier = frozenset(e.id for e in console.journal.read())
    return Scene(console, plan, original, lab.world.settings(), earlier)


async def wire_cell(lab: Lab, row: Row, fault: WireFault, directory: Path, *, undo: bool) -> Cell | None:
    """Execute under a fault of the wire and check everything."""
    cell = Cell(row.name, fault.name, undo)
    set_ = await scene(lab, row, directory, undo=undo, via=fault.via)
    if set_ is None:
        return None
    lab.world.trouble = _after(row.honest, fault.trouble(lab.world))
    result = await set_.console.execute(set_.plan)
    await lab.world.release()
    cell.word = result.kind
    allowed = fault.words if _readable(set_.plan) else fault.blind
    cell.must(result.kind in allowed, f"said {result.kind}, true is {' or '.join(sorted(allowed))}")
    await aftermath(lab, cell, set_, directory, undo=undo)
    return cell


def _after(honest: int, trouble: Callable[[int], Trouble]) -> Callable[[int], Trouble]:
    """Return trouble that begins after so many requests."""
    return lambda number: trouble(number - honest) if number > honest else Trouble()


async def quit_cell(lab: Lab, row: Row, directory: Path, *, undo: bool, give_up: bool) -> Cell | None:
    """Quit the console while the server works on the request; `give_up` does not wait for the answer."""
    cell = Cell(row.name, "give up" if give_up else "quit", undo)
    set_ = await scene(lab, row, directory, undo=undo)
    if set_ is None:
        return None
    arrived, gate = asyncio.Event(), asyncio.Event()
    lab.world.trouble = lambda number: Trouble(True, Held(gate))
    lab.world.on_request = lambda request: arrived.set()
    caller = asyncio.ensure_future(set_.console.execute(set_.plan))
    await arrived.wait()
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    if give_up:
        await set_.console.executor.abandon()
    drained = asyncio.ensure_future(set_.console.executor.drain())
    gate.set()
    await drained
    words: Words = frozenset({"unknown"}) if give_up else frozenset({"applied"})
    outcomes = [entry.outcome for entry in _new(set_)]
    if len(outcomes) > 1 and outcomes[-1] == "not-sent":
        outcomes.pop()  # the step before it was applied meanwhile; whether this one went out is checked below
    cell.word = outcomes[-1] if outcomes else ""
    cell.must(cell.word in words, f"said {cell.word}, true is {words}")
    await aftermath(lab, cell, set_, directory, undo=undo)
    return cell


async def wire_row(
    lab: Lab, row: Row, elsewhere: str, fresh: Callable[[], Path], *, undo: bool, part: slice = slice(None)
) -> AsyncIterator[Cell]:
    """Yield the cells of a row that need no process of their own, each in a `fresh` directory.

    `part` takes some of the faults, to save time.
    """
    for fault in list(wire_faults(elsewhere))[part]:
        cell = await wire_cell(lab, row, fault, fresh(), undo=undo)
        if cell is not None:
            yield cell
    for give_up in (False, True):
        cell = await quit_cell(lab, row, fresh(), undo=undo, give_up=give_up)
        if cell is not None:
            yield cell


async def aftermath(lab: Lab, cell: Cell, set_: Scene, directory: Path, *, undo: bool) -> None:
    """Check the words, recover three minutes later, check again, and take everything back."""
    world = lab.world
    world.trouble, world.on_request = lambda number: Trouble(), lambda request: None
    sent = tuple(world.requests)
    _check_requests(cell, sent)
    check_words(cell, _new(set_), sent, final=False)
    later = lab.console(directory, later_s=LATER_S)
    for _ in range(ROUNDS):
        await later.executor.recover()
    check_words(cell, _new(set_), sent, final=True)
    cell.must(len(world.requests) == len(sent), "recovery sent something")
    if not any(r.applied for r in sent):
        cell.must(world.settings() == set_.before, "nothing was applied, and yet something changed")
    await _take_back(lab, cell, set_, later, undo=undo)


async def _take_back(lab: Lab, cell: Cell, set_: Scene, later: Console, *, undo: bool) -> None:
    """Undo what still stands, newest first; then everything is as it was, field by field."""
    originals = [e for e in later.journal.read() if e.undoes is None]
    for entry in reversed(originals):
        now = next(e for e in later.journal.read() if e.id == entry.id)
        if now.can_undo:
            proposal = await later.executor.proposals.propose_undo(entry.id)
            if not isinstance(proposal, Plan):
                cell.must(False, f"no undo of what is called {now.outcome}: {proposal.reason}")
                continue
            result = await later.execute(proposal)
            cell.must(result.kind == "applied", f"the undo ended as {result.kind}: {result.message}")
    now_, was = lab.world.settings(), set_.original
    for name in was:
        cell.must(now_[name] == was[name], f"{name} is {now_[name]}, it was {was[name]}")
    if undo:
        undone = [e.outcome for e in later.journal.read() if e.undoes is None]
        cell.must(set(undone) == {"undone"}, f"after the undo the entries are {undone}")


def _new(set_: Scene) -> tuple[Entry, ...]:
    return tuple(e for e in set_.console.journal.read() if e.id not in set_.earlier)


def _readable(plan: Plan) -> bool:
    return all(step.after for step in plan.steps or (plan,))


def _check_requests(cell: Cell, sent: Sequence[Request]) -> None:
    """Check that each request had its intent on disk, and nothing that may be applied was sent twice."""
    cell.must(all(r.intent for r in sent), "a request without an intent on disk")
    for intent in {r.intent for r in sent}:
        answers = [r.answer for r in sent if r.intent == intent]
        cell.must(len(answers) <= MOST_SENDS, f"sent {len(answers)} times")
        cell.must(set(answers[:-1]) <= RETRIED, f"sent again after {answers[:-1]}")
        attempts = [r.attempts for r in sent if r.intent == intent]
        cell.must(attempts == list(range(len(answers))), f"attempts on disk before each send: {attempts}")


def check_words(cell: Cell, entries: Sequence[Entry], sent: Sequence[Request], *, final: bool) -> None:
    """Check that no entry states what is not so; `final`: what can be read has been settled."""
    for entry in entries:
        applied = any(r.applied for r in sent if r.intent == entry.id)
        wrong = entry.outcome in (("refused", "not-sent") if applied else ("applied", "undone"))
        cell.must(not wrong, f"{entry.outcome} ({entry.detail}) although applied is {applied}")
        if final and entry.after:
            settled = entry.outcome not in ("open", "unknown")
            cell.must(settled, f"still {entry.outcome} after recovery ({entry.detail})")
