"""Plans: what a mitigation would do, stated completely before anything is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lambdatop.domain.finding import Ref
from lambdatop.domain.scope import Scope

Tier = Literal["T1", "T2", "T3"]
State = Mapping[str, Any]
"""The fields of a resource that a plan reads or changes, as JSON. An absent setting is null."""

CONFIRMATION_LIFE_S = 60.0
"""A confirmation is void after this many seconds."""

MITIGATIONS = (
    "throttle_to_zero",
    "cap_concurrency",
    "restore_concurrency",
    "disable_trigger",
    "enable_trigger",
    "tune_trigger",
    "purge_queue",
    "quarantine_queue",
    "redrive_dlq",
    "stop_async_retries",
    "restore_async",
    "rollback_alias",
    "stop_recursion",
    "disable_rule",
    "enable_rule",
)
"""Every mitigation name of the contract; `mitigations.REGISTRY` says which ones are built."""

TIER_MEANING: Mapping[Tier, str] = {
    "T1": "reversible, nothing is lost",
    "T2": "reversible setting, but events may be lost or duplicated meanwhile",
    "T3": "irreversible",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS call: service and operation as botocore names them, exact parameters."""

    service: str
    operation: str
    params: Mapping[str, Any]

    def digest(self) -> str:
        """Hex sha256 over the call; the guard lets only a call with this digest through."""
        text = json.dumps([self.service, self.operation, self.params], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Alternative:
    """A mitigation that should come first, or serves better, and why."""

    mitigation: str
    target: Ref
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a person must know to say yes, and everything the executor needs.

    `before` and `after` hold the fields that the call changes; the executor sends nothing when a
    fresh read differs from `before`. `undo` is the exact call that restores `before` (None when
    nothing can). `confirm` is "key" (press y) or the text that must be typed. `planned_at` is s
    since the epoch. `wait_for` names the state a slow change passes through on its way to `after`.
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
    undo_note: str
    lost: str
    in_flight: str
    takes_effect: str
    confirm: str
    cli: str
    iam_actions: tuple[str, ...]
    planned_at: float
    blast_radius: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unknowns: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    transient: tuple[State, ...] = ()
    undoes: str | None = None

    @property
    def scope(self) -> Scope:
        """Account and region that the call goes to."""
        return self.target.key.scope

    def digest(self) -> str:
        """Hex sha256 over the whole plan, written with the intent."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a mitigation cannot be planned for this target now, and what to do instead."""

    mitigation: str
    target: Ref
    reason: str
    hint: str = ""
    alternatives: tuple[Alternative, ...] = field(default=())


Proposal = Plan | Refusal
