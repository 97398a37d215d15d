"""Describe plans in steps that ended halfway: what was done stays, and the next start reports it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from lambdatop.domain.plans.journal import Entry

NOT_BEGUN = "not begun"
"""How the detail of a step begins whose plan ended before it."""
OVER = f"{NOT_BEGUN}: ended before"
"""How the detail of a step begins that had nothing to do: its thing had ended by itself."""
ALREADY = "already ended"
"""How the detail of a step begins whose thing ended by itself before its request could end it."""
_ENDED = ("refused", "not-sent")


class Halfway(Struct, frozen=True):
    """A plan in steps of which some stand and others were not carried out.

    `done` are the entries that stand, oldest first; `open` those whose end is not known; `why` what ended it,
    "" when its process died. `over` is how many steps were not needed, `archived` how many went before these
    whose entries are in an archive.
    """

    title: str
    steps: int
    done: tuple[Entry, ...]
    open: tuple[Entry, ...]
    why: str
    over: int = 0
    archived: int = 0

    @property
    def newest(self) -> Entry:
        """What is undone first."""
        return (*self.done, *self.open)[-1]

    @property
    def sentence(self) -> str:
        """What was done, what was not, and what can be done now."""
        there = len(self.done) + self.archived
        rest = self.steps - there - len(self.open) - self.over
        words = f"{self.title!r} ended halfway: {there} of {self.steps} steps stand"
        words += f", {self.over} had ended by themselves" if self.over else ""
        words += f", {len(self.open)} may have gone through" if self.open else ""
        words += f", {rest} were not carried out" if rest else ""
        why = self.why or "its process ended before the next step"
        ids = ", ".join(e.id for e in reversed(self.done) if e.can_undo)
        undo = f"; to take back what stands: lambdatop undo {ids.partition(',')[0]}" if ids else ""
        more = " (then the steps before it)" if ids and len(self.done) > 1 else ""
        back = f"{undo}{more}" if ids else "; what stands cannot be undone; plan it again for what is left"
        return f"{words} ({why.rstrip('.')}){back}"


def plan_of(entry: Entry) -> str:
    """Return the id of the plan that an entry is a step of."""
    return entry.id.rpartition(".")[0]


def halfway(entries: Iterable[Entry], at_work: Callable[[Entry], bool]) -> tuple[Halfway, ...]:
    """Return the plans that ended halfway and of which something still stands, oldest first.

    `at_work` returns whether the process that wrote an entry may still be executing its plan.
    """
    plans: dict[str, list[Entry]] = {}
    listed = tuple(entries)
    for entry in listed:
        if entry.steps:
            plans.setdefault(plan_of(entry), []).append(entry)
    found = []
    for steps in plans.values():
        done = tuple(e for e in steps if e.outcome == "applied" and not _replaced(e, listed))
        unsure = tuple(e for e in steps if e.outcome in ("open", "unknown"))
        over, archived = sum(map(_over, steps)), _archived(steps)
        through = over + archived + sum(e.outcome == "applied" or _replaced(e, listed) for e in steps)
        known = any(e.outcome == "undone" for e in steps)  # somebody is taking it back already
        known = known or _gone_on_with(steps, listed)
        if not done or known or through == steps[0].steps:
            continue
        ended = [e for e in steps if e.outcome in _ENDED and not _over(e)]
        if not ended and any(at_work(e) for e in steps):
            continue
        found.append(Halfway(steps[0].whole, steps[0].steps, done, unsure, _why(ended), over, archived))
    return tuple(found)


def _archived(steps: list[Entry]) -> int:
    """Return how many steps of a plan went before these and are not among them.

    Each step has its entry before a later one begins, so these were carried to an archive: a plan that stops
    a thousand executions is longer than what a journal keeps.
    """
    numbers = {int(n) for n in (e.id.rpartition(".")[2] for e in steps) if n.isascii() and n.isdigit()}
    return max(numbers) - len(numbers) if numbers and len(numbers) == len(steps) else 0


def _over(entry: Entry) -> bool:
    """Return whether nothing was left to do for a step."""
    return entry.outcome in _ENDED and entry.detail.startswith((OVER, ALREADY))


def _gone_on_with(steps: list[Entry], entries: tuple[Entry, ...]) -> bool:
    """Return whether a plan of which nothing can be taken back was planned and begun anew since."""
    last = steps[-1]
    later = entries[entries.index(last) + 1 :]
    same = (e for e in later if (e.mitigation, e.target) == (last.mitigation, last.target))
    return not any(e.undo for e in steps) and any(plan_of(e) != plan_of(last) for e in same)


def _why(ended: list[Entry]) -> str:
    begun = [e for e in ended if not e.detail.startswith(NOT_BEGUN)]
    if begun:
        return begun[0].detail
    return ended[0].detail.removeprefix(f"{NOT_BEGUN}: ") if ended else ""


def _replaced(entry: Entry, entries: tuple[Entry, ...]) -> bool:
    """Return whether a later change of the same fields of the same target replaced this one."""
    if entry.undo is None:
        return False
    later = entries[entries.index(entry) + 1 :]
    return any(
        e.target == entry.target and e.outcome == "applied" and set(e.after) & set(entry.after) for e in later
    )
