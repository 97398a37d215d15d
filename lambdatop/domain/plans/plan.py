"""Describe plans: what a mitigation would do, stated completely before anything is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from lambdatop.domain.keys import Scope
from lambdatop.domain.plans.command import NOWHERE_SPECIAL, Place, WayBack, Words, command_line
from lambdatop.domain.plans.finding import Ref

Tier = Literal["T1", "T2", "T3"]
State = Mapping[str, Any]
"""The fields of a resource that a plan reads or changes, as JSON. An absent setting is null."""

CONFIRMATION_LIFE_S = 60.0
"""A confirmation is void after this many seconds."""
CLOCK_SLACK_S = 5.0
"""So much may clocks disagree; a confirmation from further in the future tells of a clock that was set."""

MOST_SHOWN = 10
"""Steps shown of a plan that does the same to many things."""

TIER_MEANING: Mapping[Tier, str] = {
    "T1": "reversible, nothing is lost",
    "T2": "reversible setting, but events may be lost or duplicated meanwhile",
    "T3": "irreversible",
}


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, enc_hook=_plain, order="deterministic")).hexdigest()


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


class Call(Struct, frozen=True):
    """One AWS call: service and operation as botocore names them, exact parameters."""

    service: str
    operation: str
    params: Mapping[str, Any]

    def digest(self) -> str:
        """Return the hex sha256 over the call; the guard lets only a call with this digest through."""
        return _digest([self.service, self.operation, self.params])


NEWER_THAN = "newer_than"
"""A wanted value `{NEWER_THAN: ms}` is shown by any move task that was started later."""


def shows(seen: State, wanted: State) -> bool:
    """Return whether a resource shows every wanted field; other fields do not count.

    What AWS chooses itself (the start of a move task) cannot be wanted exactly: see `NEWER_THAN`.
    """
    return all(name in seen and _is_value(seen[name], value) for name, value in wanted.items())


def _is_value(seen: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping) and NEWER_THAN in wanted:
        return isinstance(seen, Mapping) and int(seen.get("started_ms") or 0) > int(wanted[NEWER_THAN])
    if isinstance(wanted, Mapping) and isinstance(seen, Mapping):
        return wanted.keys() == seen.keys() and all(_is_value(seen[k], v) for k, v in wanted.items())
    return type(seen) is type(wanted) and bool(seen == wanted)


class Alternative(Struct, frozen=True):
    """A mitigation that should come first, or serves better, and why.

    `params` are its settings, `label` what a button says instead of their names.
    """

    mitigation: str
    target: Ref
    why: str
    params: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""


class Wait(Struct, frozen=True):
    """The condition after a step under which the next one begins.

    Until `for_s` seconds are over the target is looked at: for the step's `after`, or, with `falls` and
    `clears`, for the first field, an age in s, to have come down to half of what it was, or the second to
    have been empty for a minute. `words` say what is waited for. `with_next`: the next step is sent beside
    this one, and this wait is over with its.
    """

    words: str
    for_s: float
    falls: str = ""
    clears: str = ""
    with_next: bool = False


def wait_begins(wait: Wait) -> str:
    """Return how the words of a wait begin, for a person who reads the steps."""
    return "beside the next step, waits" if wait.with_next else "then waits"


class Saving(Struct, frozen=True):
    """What a plan saves: USD per hour at list price, an estimate from what is burned now.

    `wasted_usd_per_hour` of it does failed or repeated work (None: not known). `why` says what it was
    computed from, `at_most` that the truth may be less.
    """

    usd_per_hour: float
    wasted_usd_per_hour: float | None
    why: str
    at_most: bool = False


class Plan(Struct, frozen=True):
    """Everything that a person must know to confirm, and everything that the executor needs.

    `before` and `after` hold the fields that the call changes; the executor sends nothing when a
    fresh read differs from `before`. `undo` is the exact call that restores `before` (None when
    nothing can). `confirm` is "key" (press y) or the text that must be typed. `planned_at` is s
    since the epoch. `transient` are states that a slow change passes through on its way to `after`.
    `deadline` is when waiting events begin to be lost, s since the epoch, and never later than the truth;
    `deadline_latest` is when they are lost at the latest, where it may be sooner (see `deadline.py`).
    `undoes` is the journal entry that it takes back, `depth` how many undos deep that is: 1 for the undo of a
    change, 2 for the redo.

    A plan with `steps` is confirmed once and carried out step by step: each of them is a plan with a journal
    entry of its own, begins only when the one before is applied and what it waits for has come (but for steps
    that go beside each other: `Wait.with_next`), and `call`, `before` and `after` of the whole say nothing.
    The first step that fails ends it; those beside it are sent all the same. With `pace_s` the steps do the
    same to many things of which none depends on another: they begin at least so many s apart, none waits for
    an effect, one that finds its thing ended already has nothing to do, and one that fails does not end it.
    `saves` is None where nothing is saved, or what is burned is not known. `command` does the same by hand.
    Planners leave `saves` and `place` as they are: `domain/snapshots/finish.py` sets them.
    """

    id: str
    mitigation: str
    target: Ref
    title: str
    tier: Tier
    call: Call
    before: State
    after: State
    undo: Call | None
    way_back: WayBack
    lost: str
    in_flight: str
    takes_effect: str
    confirm: str
    command: Words
    iam_actions: tuple[str, ...]
    planned_at: float
    blast_radius: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unknowns: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    transient: tuple[State, ...] = ()
    undoes: str | None = None
    depth: int = 0
    deadline: float | None = None
    wait: Wait | None = None
    steps: tuple[Plan, ...] = ()
    saves: Saving | None = None
    deadline_latest: float | None = None
    place: Place = NOWHERE_SPECIAL
    pace_s: float = 0.0

    @property
    def scope(self) -> Scope:
        """Account and region that the call goes to."""
        return self.target.key.scope

    @property
    def cli(self) -> str:
        """The same by hand: a line for each `aws` command (of its steps, if it has any), quoted."""
        if self.steps:
            rest = len(self.steps) - len(self.shown_steps)
            more = [f"# and the same for {rest} more"] if rest else []
            return "\n".join([*(step.cli for step in self.shown_steps), *more])
        return command_line(self.command, self.scope, self.place)

    @property
    def shown_steps(self) -> tuple[Plan, ...]:
        """The steps that a person reads: all, or the first of many that do the same."""
        return self.steps[:MOST_SHOWN] if self.pace_s else self.steps

    @property
    def undo_by_hand(self) -> str:
        """The `aws` command that takes it back, "" where there is none."""
        return command_line(self.way_back.command, self.scope, self.place)

    @property
    def undo_note(self) -> str:
        """How it is taken back, as one sentence."""
        back, by_hand = self.way_back, self.undo_by_hand
        return f"{back.words} ({by_hand}){back.then}" if by_hand else f"{back.words}{back.then}"

    def digest(self) -> str:
        """Return the hex sha256 over the whole plan, written with the intent."""
        return _digest(self)


class Refusal(Struct, frozen=True):
    """Why a mitigation cannot be planned for this target now, and what to do instead.

    Where somebody has changed what an undo would take back, `saw` is what we left, `now` what is there and
    `want` what the undo would set.
    """

    mitigation: str
    target: Ref
    reason: str
    hint: str = ""
    alternatives: tuple[Alternative, ...] = ()
    saw: State | None = None
    now: State | None = None
    want: State | None = None


Proposal = Plan | Refusal
