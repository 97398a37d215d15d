"""What a planner needs to know of one target, read fresh from AWS right before planning.

`gaps` are sentences about what could not be read ("lambda:GetPolicy is denied, so callers by resource
policy are unknown"): a plan shows them instead of pretending.
"""

from __future__ import annotations

from lambdatop.domain.finding import Ref
from lambdatop.domain.function import AccountFacts, FunctionFacts, Reserved
from lambdatop.domain.mapping import MappingFacts
from lambdatop.domain.queue import MoveTask, QueueFacts
from lambdatop.domain.scope import Key
from lambdatop.domain.trigger import AsyncConfig
from lambdatop.domain.values import dataclass


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
class Consumer:
    """A mapping that takes messages of a queue, and how its function fared of late.

    `invocations` and `errors` are counts of the newest ten published minutes, None where not readable.
    """

    mapping: MappingFacts
    invocations: float | None = None
    errors: float | None = None

    @property
    def fails(self) -> bool:
        """Whether one invocation in twenty or more failed."""
        return bool(self.errors) and (self.errors or 0) >= 0.05 * (self.invocations or 0)


@dataclass(frozen=True, slots=True)
class QueueSituation:
    """A queue before it is purged, redriven or held.

    `dead_letters_of` names the queues whose redrive policy points here, `behind` is who consumes these, and
    `move_task` the newest redrive out of this queue.
    """

    ref: Ref
    at: float
    facts: QueueFacts
    consumers: tuple[MappingFacts, ...] = ()
    dead_letters_of: tuple[str, ...] = ()
    behind: tuple[Consumer, ...] = ()
    move_task: MoveTask | None = None
    oldest_age_s: float | None = None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """One version of a function; `modified` is when it was published, or $LATEST changed (s, the epoch)."""

    version: str
    code_sha256: str = ""
    modified: float | None = None
    state: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class AliasSituation:
    """An alias before it is pointed elsewhere.

    `weights` are the additional versions of weighted routing with their shares (0..1); `bypass` are
    mappings of the function that do not go through the alias, `policy_principals` callers by the function's
    own policy.
    """

    ref: Ref
    at: float
    function: Key
    name: str
    version: str
    weights: tuple[tuple[str, float], ...]
    revision_id: str
    versions: tuple[VersionFacts, ...]
    bypass: tuple[MappingFacts, ...] = ()
    policy_principals: tuple[str, ...] = ()
    provisioned: int = 0
    stack: str | None = None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSituation:
    """An EventBridge rule before it is switched; `targets` are the ARNs that it sends to."""

    ref: Ref
    at: float
    name: str
    bus: str
    state: str
    managed_by: str = ""
    schedule: str = ""
    targets: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()


Situation = FunctionSituation | MappingSituation | QueueSituation | AliasSituation | RuleSituation
