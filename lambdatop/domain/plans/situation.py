"""Describe what a planner needs to know of one target, read right before planning.

What could not be read is a `NotKnown` in the place of the value; a default is what AWS answers where there is
nothing. `gaps` are the sentences about it ("lambda:GetPolicy is denied, so callers by resource policy are
unknown"): a plan shows them instead of pretending.
"""

from __future__ import annotations

from msgspec import Struct

from lambdatop.domain.facts.callers import NOT_LOOKED, Looked
from lambdatop.domain.facts.durable import RunningExecutions
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import AccountFacts, FunctionFacts, Reserved
from lambdatop.domain.facts.function_state import Scaling
from lambdatop.domain.facts.not_read import NOT_ASKED, NotKnown
from lambdatop.domain.facts.queue import MoveTask, QueueFacts
from lambdatop.domain.facts.triggers import AsyncConfig
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Ref

NO_CONFIG = AsyncConfig()


class FunctionSituation(Struct, frozen=True):
    """A function before a concurrency mitigation.

    `async_config` is empty where the function has none of its own; `alias_configs` are those of its aliases
    that have one. `queues` are the sources of its mappings, `unread_queues` those that could not be read, by
    ARN. `recursive_loop` is "" and `durable_executions` are not asked for unless the plan asks for them.
    `scalings` are those of its versions on managed instances, none for other functions. `stopped_before` are
    the executions that the journal says were stopped, and when, s since the epoch.
    """

    ref: Ref
    at: float
    facts: FunctionFacts
    reserved: Reserved
    provisioned: tuple[tuple[str, int], ...] | NotKnown = ()
    async_config: AsyncConfig | NotKnown = NO_CONFIG
    mappings: tuple[MappingFacts, ...] | NotKnown = ()
    queues: tuple[QueueFacts, ...] = ()
    policy_principals: tuple[str, ...] | NotKnown = ()
    aliases: tuple[str, ...] | NotKnown = ()
    url: str | NotKnown | None = None
    recursive_loop: str = ""
    account: AccountFacts | NotKnown = NOT_ASKED
    stack: str | NotKnown | None = None
    gaps: tuple[str, ...] = ()
    alias_configs: tuple[tuple[str, AsyncConfig], ...] | NotKnown = ()
    unread_queues: tuple[tuple[str, NotKnown], ...] = ()
    scalings: tuple[Scaling, ...] | NotKnown = ()
    looked_for: tuple[Looked, ...] = NOT_LOOKED
    durable_executions: RunningExecutions | NotKnown = NOT_ASKED
    stopped_before: tuple[tuple[str, float], ...] = ()

    def queue_of(self, arn: str) -> QueueFacts | NotKnown:
        """Return the queue of an ARN, or why it was not read."""
        known = next((queue for queue in self.queues if queue.arn == arn), None)
        return known or dict(self.unread_queues).get(arn, NOT_ASKED)


class MappingSituation(Struct, frozen=True):
    """A mapping before it is switched off or on.

    `oldest_age_s` is the age of the oldest waiting event as far as AWS tells it, `retention_s` how long the
    source keeps events. `queue` is None for other sources; `dead_letters` says whether other queues' failures
    end in it. `function_there` is whether the function that it invokes exists, `timeout_s` its timeout.
    """

    ref: Ref
    at: float
    facts: MappingFacts
    queue: QueueFacts | NotKnown | None = None
    retention_s: int | NotKnown = NOT_ASKED
    oldest_age_s: float | NotKnown = NOT_ASKED
    stack: str | NotKnown | None = None
    gaps: tuple[str, ...] = ()
    dead_letters: bool | NotKnown = NOT_ASKED
    function_there: bool | NotKnown = NOT_ASKED
    timeout_s: int | NotKnown = NOT_ASKED


class Consumer(Struct, frozen=True):
    """A mapping that reads a queue, and recent invocations and errors of its function.

    `invocations` and `errors` are counts of the newest ten published minutes, None where not readable.
    """

    mapping: MappingFacts
    invocations: float | None = None
    errors: float | None = None

    @property
    def fails(self) -> bool:
        """Whether one invocation in twenty or more failed."""
        return bool(self.errors) and (self.errors or 0) >= 0.05 * (self.invocations or 0)


class QueueSituation(Struct, frozen=True):
    """A queue before it is purged, redriven or held.

    `dead_letters_of` names the queues whose redrive policy points here, `behind` is who consumes these, and
    `move_task` the newest redrive out of this queue; `pipes` are those that read it.
    """

    ref: Ref
    at: float
    facts: QueueFacts
    consumers: tuple[MappingFacts, ...] | NotKnown = ()
    dead_letters_of: tuple[str, ...] | NotKnown = ()
    behind: tuple[Consumer, ...] | NotKnown = ()
    move_task: MoveTask | NotKnown | None = None
    oldest_age_s: float | NotKnown = NOT_ASKED
    gaps: tuple[str, ...] = ()
    pipes: Looked = NOT_LOOKED[1]


class VersionFacts(Struct, frozen=True):
    """One version of a function; `modified` is when it was published, or $LATEST changed (s, the epoch).

    `state` is "" where its turn to be asked did not come.
    """

    version: str
    code_sha256: str = ""
    modified: float | None = None
    state: str | NotKnown = ""
    description: str = ""
    durable: bool = False


class AliasSituation(Struct, frozen=True):
    """An alias before it is pointed elsewhere.

    `weights` are the additional versions of weighted routing with their shares (0..1); `bypass` are
    mappings of the function that do not go through the alias, `policy_principals` callers by the function's
    own policy, `looked_for` its schedules, pipes and state machines.
    """

    ref: Ref
    at: float
    function: Key
    name: str
    version: str
    weights: tuple[tuple[str, float], ...]
    revision_id: str
    versions: tuple[VersionFacts, ...]
    bypass: tuple[MappingFacts, ...] | NotKnown = ()
    policy_principals: tuple[str, ...] | NotKnown = ()
    provisioned: int | NotKnown = 0
    stack: str | NotKnown | None = None
    gaps: tuple[str, ...] = ()
    looked_for: tuple[Looked, ...] = NOT_LOOKED


class RuleSituation(Struct, frozen=True):
    """An EventBridge rule before it is switched; `targets` are the ARNs that it sends to."""

    ref: Ref
    at: float
    name: str
    bus: str
    state: str
    managed_by: str = ""
    schedule: str = ""
    targets: tuple[str, ...] | NotKnown = ()
    gaps: tuple[str, ...] = ()


class ScheduleSituation(Struct, frozen=True):
    """A schedule of EventBridge Scheduler before it is switched.

    What it sends stays out of it: an input may hold secrets. `not_copied` are the members of the schedule
    that UpdateSchedule would lose. Times in s since the epoch; `ends_then` is ActionAfterCompletion DELETE.
    """

    ref: Ref
    at: float
    group: str
    name: str
    state: str
    expression: str
    timezone: str = ""
    target: str = ""
    role: str = ""
    start: float | None = None
    end: float | None = None
    ends_then: bool = False
    not_copied: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()


class PipeSituation(Struct, frozen=True):
    """A pipe of EventBridge before it is stopped or started.

    `wanted` is its DesiredState. `queue` is its source where that is a queue, else `retention_s` is how long
    its stream keeps records, and `record_age_s` the pipe's MaximumRecordAgeInSeconds, None without one.
    `oldest_age_s` is the age of the queue's oldest message, `dead_letters` whether other queues' failures are
    put there.
    """

    ref: Ref
    at: float
    state: str
    wanted: str
    source: str
    target: str
    enrichment: str = ""
    queue: QueueFacts | NotKnown | None = None
    retention_s: int | NotKnown = NOT_ASKED
    record_age_s: int | None = None
    oldest_age_s: float | NotKnown = NOT_ASKED
    dead_letters: bool | NotKnown = NOT_ASKED
    gaps: tuple[str, ...] = ()


class Execution(Struct, frozen=True):
    """A running execution of a state machine; `started` in s since the epoch, None where AWS did not say."""

    name: str
    arn: str
    started: float | None = None


class StateMachineSituation(Struct, frozen=True):
    """A state machine before its running executions are stopped, the newest execution first.

    `kind` is STANDARD or EXPRESS. `more` tells that there are more running ones than were listed, `odd` how
    many have a name that holds what no name may hold.
    """

    ref: Ref
    at: float
    kind: str
    running: tuple[Execution, ...] = ()
    more: bool = False
    odd: int = 0
    gaps: tuple[str, ...] = ()


Situation = (
    FunctionSituation
    | MappingSituation
    | QueueSituation
    | AliasSituation
    | RuleSituation
    | ScheduleSituation
    | PipeSituation
    | StateMachineSituation
)
