"""What a planner needs to know of one target, read fresh from AWS right before planning.

`gaps` are sentences about what could not be read ("lambda:GetPolicy is denied, so callers by resource
policy are unknown"): a plan shows them instead of pretending.
"""

from __future__ import annotations

from dataclasses import dataclass

from lambdatop.domain.finding import Ref
from lambdatop.domain.function import AccountFacts, FunctionFacts, Reserved
from lambdatop.domain.mapping import MappingFacts
from lambdatop.domain.queue import QueueFacts
from lambdatop.domain.trigger import AsyncConfig


@dataclass(frozen=True, slots=True)
class FunctionSituation:
    """A function before a concurrency mitigation."""

    ref: Ref
    at: float
    facts: FunctionFacts
    reserved: Reserved
    provisioned: tuple[tuple[str, int], ...] = ()
    async_config: AsyncConfig | None = None
    mappings: tuple[MappingFacts, ...] = ()
    queues: tuple[QueueFacts, ...] = ()
    policy_principals: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    url: str | None = None
    recursive_loop: str = ""
    account: AccountFacts | None = None
    stack: str | None = None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingSituation:
    """A mapping before it is switched off or on.

    `oldest_age_s` is the age of the oldest waiting event where AWS tells it, `retention_s` how long
    the source keeps events.
    """

    ref: Ref
    at: float
    facts: MappingFacts
    queue: QueueFacts | None = None
    retention_s: int | None = None
    oldest_age_s: float | None = None
    stack: str | None = None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueSituation:
    """A queue before it is purged."""

    ref: Ref
    at: float
    facts: QueueFacts
    consumers: tuple[MappingFacts, ...] = ()
    dead_letters_of: tuple[str, ...] = ()
    oldest_age_s: float | None = None
    gaps: tuple[str, ...] = ()


Situation = FunctionSituation | MappingSituation | QueueSituation
