"""Plan to end many things of one kind one after another, each with a journal entry of its own.

Every one of them may end by itself before its turn: then nothing is sent for it, and the next one follows.
Who was killed in between plans again: what has ended is not listed any more. Nothing here says what a thing
is; executions of state machines are ended this way.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Plan

MOST = 1000
"""So many things are ended by one plan: each costs a few requests and two lines of the journal."""


def one_by_one(
    mitigation: str, target: Ref, title: str, steps: Sequence[Plan], *, confirm: str, lost: str, pace: str
) -> Plan:
    """Return one plan that carries out `steps` one after another; all of them are alike, and irreversible.

    `pace` says how fast. Warnings and what is not known are those of the first step.
    """
    first = steps[0]
    return replace(
        first,
        id=first.id.rpartition(".")[0],
        mitigation=mitigation,
        target=target,
        title=title,
        before={},
        after={},
        undo=None,
        way_back=WayBack(first.way_back.words),
        lost=lost,
        takes_effect=pace,
        confirm=confirm,
        command=(),
        may_end=False,
        steps=tuple(replace(step, warnings=(), unknowns=(), may_end=True) for step in steps),
    )
