"""Read control fields back from AWS: the present state, and whether it is what we asked for."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.errors import LambdatopError, Missing
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.undo import in_transition
from lambdatop.domain.plans.plan import Plan, State, shows
from lambdatop.domain.ports.aws import Reader
from lambdatop.domain.ports.runtime import Clock
from lambdatop.engine.unexpected import unexpected

PAUSES_S = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Pauses before each read, s: reads after a write are eventually consistent, and a trigger needs time."""
STATE = "state"


class ReadBack(Struct, frozen=True):
    """What a read found: the control fields, or why they could not be read.

    `gone` tells that the target does not exist any more, which is an answer too; `changing` that AWS is
    still at work on it.
    """

    state: State | None
    error: str = ""
    gone: bool = False
    changing: bool = False


async def read_fields(reader: Reader, target: Key, fields: Collection[str]) -> ReadBack:
    """Read the fields once, fresh; an absent field is None.

    Never raises but for cancellation.
    """
    wanted = sorted(fields)
    try:
        found = await reader.state(target, wanted)
    except Missing as error:
        return ReadBack(None, str(error), gone=True)
    except LambdatopError as error:
        return ReadBack(None, str(error))
    except Exception as error:  # whatever it is, the caller has to go on and write an outcome
        return ReadBack(None, unexpected(f"reading {target.kind} {target.id}", error))
    return ReadBack({field: found.get(field) for field in wanted})


async def settled(clock: Clock, reader: Reader, plan: Plan) -> ReadBack:
    """Read until the target shows the plan's `after`, for about 8 s; return the last state read.

    For a plan that changes nothing readable (a purge) nothing is read.
    """
    if not plan.after:
        return ReadBack(None)
    newest = ReadBack(None)
    for pause in PAUSES_S:
        if pause:
            await clock.sleep(pause)
        newest = await read_fields(reader, plan.target.key, plan.after)
        if newest.state is not None and shows(newest.state, plan.after):
            return newest
    return replace(newest, changing=await is_changing(reader, plan.target.key, plan.after))


async def is_changing(reader: Reader, target: Key, fields: Collection[str]) -> bool:
    """Return whether a trigger whose `fields` lack its state is in transition (Updating, Disabling…)."""
    if target.kind != "mapping" or STATE in fields:
        return False
    found = await read_fields(reader, target, (STATE,))
    return in_transition(found.state or {})
