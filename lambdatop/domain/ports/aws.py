"""Declare what the engine needs of AWS: sources, reader, mutator, lease, queries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Literal, Protocol, runtime_checkable

from msgspec import Struct

from lambdatop.domain.facts.durable import ExecutionHistory, RunningExecutions
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.facts.principal import TrailEvent
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.insights import Found
from lambdatop.domain.loglines.tail import Older
from lambdatop.domain.plans.lease import Leased
from lambdatop.domain.plans.plan import Call, State
from lambdatop.domain.plans.situation import Situation
from lambdatop.domain.ports.storage import Spill
from lambdatop.domain.state.events import Event, TargetIdentified
from lambdatop.domain.state.world import EMPTY_WORLD, World


class View(Struct, frozen=True):
    """What a source may read while it collects: the World so far (of logs no lines) and what is watched.

    `log_backfill_s` is how far back the first read of a log goes, in s; `log_until` where an export ends
    (s since the epoch, None: now). `live` are functions whose logs
    shall come through Live Tail, which costs money by the minute; they are followed like watched ones.
    `visible` are the functions whose rows are on screen, `hot` those of open incidents; `full` asks for all
    series of all functions once, whatever the budget says. `log_raw` keeps each log message as it came, too.
    """

    now: float
    world: World = EMPTY_WORLD
    watched: frozenset[Key] = frozenset()
    log_backfill_s: float = 600.0
    live: frozenset[Key] = frozenset()
    visible: frozenset[Key] = frozenset()
    hot: frozenset[Key] = frozenset()
    full: bool = False
    log_until: float | None = None
    log_raw: bool = False


class Source(Protocol):
    """One concern of AWS, asked once per round. Raises `SourceError` subclasses, nothing else."""

    name: str

    async def collect(self, view: View) -> Sequence[Event]:
        """Run one round: ask, parse, return events.

        Never block the loop for more than 50 ms.
        """

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return the slowest sensible pace now in s and why (0 and "" when the configured pace stands)."""


@runtime_checkable
class Waking(Protocol):
    """A source that receives data by itself: it asks for a round then, before its next pace."""

    def when_news_come(self, wake: Callable[[], None]) -> None:
        """Call `wake` for news."""


@runtime_checkable
class Telling(Protocol):
    """A source whose first round takes so long that it reports parts as they come."""

    def when_parts_come(self, tell: EventSink) -> None:
        """Call `tell` with each part; the round returns the whole."""


@runtime_checkable
class Unfinished(Protocol):
    """A source that asks in one round only a part of what is worth asking."""

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return what it has not asked yet, by action.

        "not asked" where its next round would, else the reason.
        """


class Related(Struct, frozen=True):
    """Things of one kind that belong to a function.

    `hidden` says why there may be others of them, "" where these are all.
    """

    keys: tuple[Key, ...] = ()
    hidden: str = ""


class Reader(Protocol):
    """Fresh reads of single targets, for plans and for the check right before a call."""

    async def find(self, target: str, kinds: Collection[str]) -> Key:
        """Return the key of a name, ARN, UUID or URL; raise TargetNotFound with candidates."""

    async def situation(self, key: Key) -> Situation:
        """Return everything that a planner of this kind of target needs."""

    async def related(self, function: Key, kind: str) -> Related:
        """Return the things of a kind that belong to a function: its aliases, or what sends to it.

        The kinds are "alias", "rule", "schedule", "pipe" and "state machine".
        """

    async def who(self, key: Key) -> tuple[TrailEvent, ...]:
        """Return who changed this lately, newest first; CloudTrail shows a change minutes later."""

    async def state(self, plan_target: Key, fields: Collection[str]) -> State:
        """Return the control fields of one target as they are now, for comparison with a plan's `before`."""


class Sent(Struct, frozen=True):
    """The result of one mutating call, in AWS's words; `busy`: a refusal that may pass soon."""

    outcome: Literal["applied", "refused", "not-sent", "unknown"]
    detail: str = ""
    busy: bool = False


class Mutator(Protocol):
    """The only way to change anything in AWS. Does not exist in read-only mode."""

    async def signer(self, call: Call) -> str:
        """Return the ARN that will sign this call, asked of AWS now with the very keys that are kept for it.

        Raises LambdatopError: it is no longer the connection's identity, or AWS did not answer that.
        """

    async def send(self, call: Call, digest: str) -> Sent:
        """Send exactly this call, once; a call whose digest differs from `digest` is not sent."""

    async def drain(self, call: Call, digest: str, spill: Spill) -> Sent:
        """Receive what a queue holds and delete what `spill` has kept, nothing else; `call` is its intent."""


class Lease(Protocol):
    """A note shared with other responders: who works on what. It never decides whether somebody may act."""

    async def take(self, target: Key, owner: str, now: float) -> Leased:
        """Take or renew the lease on a target for `owner`; never raises, failures are in its words."""


class LogQueries(Protocol):
    """Queries that AWS runs on the logs, for money. Raises LambdatopError kinds."""

    async def estimate_bytes(self, groups: Sequence[str], start: float, end: float) -> int | None:
        """Estimate how many bytes a query over these groups and seconds scans.

        None when that is not known.
        """

    async def run(self, groups: Sequence[str], query: str, start: float, end: float) -> Found:
        """Run a query to its end."""


class LogHistory(Protocol):
    """What logs held before the tail began. Raises SourceError kinds."""

    async def older(
        self, functions: Sequence[FunctionFacts], before: float, shared: Collection[str]
    ) -> Older:
        """Return a page of the logs of these functions up to `before` (s since the epoch, inclusive).

        `shared` are log groups that other functions write to as well.
        """


class DurableExecutions(Protocol):
    """Executions of durable functions, read when a person asks. Raises SourceError kinds."""

    async def running(self, function: Key) -> RunningExecutions:
        """Return those of a function that run now, by version."""

    async def history(self, function: Key, path: str) -> ExecutionHistory:
        """Return what one of them (`version/name/id`) has done."""


class Backend(Struct, frozen=True):
    """One open connection to an account and region, made by the composition root.

    `mutator` is None in read-only mode, `lease` there and unless a table is configured. `close` releases
    every socket. `expires_at` tells until when the credentials work (s since the epoch, None when they do not
    say), `changes_refused` why nothing may be changed here whatever is confirmed ("" when it may), `oddities`
    what was left out of answers because it made no sense ("" when nothing was).
    """

    identified: TargetIdentified
    sources: tuple[Source, ...]
    reader: Reader
    mutator: Mutator | None
    close: Callable[[], Awaitable[None]]
    lease: Lease | None = None
    queries: LogQueries | None = None
    history: LogHistory | None = None
    expires_at: Callable[[], float | None] = lambda: None
    changes_refused: str = ""
    oddities: Callable[[], str] = lambda: ""
    executions: DurableExecutions | None = None


Connect = Callable[[], Awaitable[Backend]]
"""Opens a Backend; raises CredentialsError, Unreachable … with a sentence for a person."""


EventSink = Callable[[Sequence[Event]], None]
