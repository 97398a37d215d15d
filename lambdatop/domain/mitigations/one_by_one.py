"""Plan to end many executions one after another, each with a journal entry of its own.

Every one of them may end by itself before its turn: then nothing is sent for it, and the next one follows.
Who was killed in between plans again: what has ended is not listed any more. Executions of state machines and
of durable functions are ended this way; `engine/mutating/one_by_one.py` carries such plans out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.plan import Plan

FIELD = "execution:"
"""How the control field of one execution begins; its name (of a durable function `version/name/id`) follows,
and its value is its status, None where AWS knows it no more."""
MOST = 1000
"""So many executions are ended by one plan: each costs a few requests and two lines of the journal."""
PACE_S = 0.25
"""Between the beginnings of two steps, s: four a second, so eight reads of executions. DescribeExecution has
10 a second where it has the fewest, StopExecution 25
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html); GetDurableExecution has 30,
StopDurableExecution 300
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#durable-functions-quotas)."""


def one_by_one(steps: Sequence[Plan], *, title: str, lost: str) -> Plan:
    """Return one plan that carries out `steps` one after another; all of them are alike, and irreversible.

    What it does not say of the whole is that of the first step.
    """
    first = steps[0]
    return replace(
        first,
        id=first.id.rpartition(".")[0],
        title=title,
        before={},
        after={},
        undo=None,
        way_back=WayBack(first.way_back.words),
        lost=lost,
        takes_effect=f"one at a time, at most {1 / PACE_S:.0f} a second; those that end by themselves "
        "meanwhile are left out",
        command=(),
        steps=tuple(replace(step, warnings=(), unknowns=()) for step in steps),
        pace_s=PACE_S,
    )


def ended(fields: Iterable[str]) -> bool:
    """Return whether a change with these control fields has ended an execution."""
    return any(field.startswith(FIELD) for field in fields)


def status_words(status: object) -> str:
    """Return the status of an execution, in words where AWS knows it no more."""
    return "is not known to AWS any more" if status is None else str(status)
