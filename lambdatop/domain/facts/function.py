"""What is known about one function from the control plane."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import ClassVar

from msgspec import Struct

from lambdatop.domain.cooperative import GiveWay, no_pause, paced
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.triggers import Reference
from lambdatop.domain.keys import Key, Kind
from lambdatop.domain.memo import newest

SNAPSHOTS_COST = ("python", "dotnet")
"""Runtimes for which SnapStart is billed; for Java it is free."""
LEAST_UNRESERVED = 100
"""What AWS keeps for functions without a reservation (Lambda API reference, PutFunctionConcurrency)."""
Reserved = int | None
"""Reserved concurrency as AWS means it: None = nothing reserved, 0 = throttled to zero, n."""


class FunctionFacts(Struct, frozen=True):
    """One row of ListFunctions, without environment values.

    `memory_mb` (MB) and `timeout_s` (s) are not known where a server leaves them out, never AWS's default.
    Units: `ephemeral_mb` MB, `code_size_bytes` bytes,
    `last_modified` s since the epoch. `environment_bytes` is the size of all variables as AWS measures it,
    None where unknown; `layers_size_bytes` is zipped. `interfaces` are the pairs of a subnet and a set of
    security groups that the function needs a network interface for. `capacity_provider` is the name of what
    runs it on managed instances, `replica_of` the function (ARN, or region and name) that Lambda@Edge
    has copied here. `durable_timeout_s` is how long a durable execution may take in all, waits and replays
    included.
    """

    key: Key
    arn: str
    runtime: str = ""
    memory_mb: int | NotKnown = 128
    timeout_s: int | NotKnown = 3
    ephemeral_mb: int = 512
    architecture: str = "x86_64"
    log_group: str = ""
    log_format: str = "Text"
    last_modified: float | None = None
    code_size_bytes: int = 0
    code_sha256: str = ""
    package_type: str = "Zip"
    version: str = "$LATEST"
    dlq_arn: str | None = None
    managed_instances: bool = False
    capacity_provider: str = ""
    snap_start: bool = False
    durable: bool = False
    durable_timeout_s: int | None = None
    per_tenant: bool = False
    replica_of: str = ""
    references: tuple[Reference, ...] = ()
    environment_bytes: int | None = None
    layers: int = 0
    layers_size_bytes: int = 0
    vpc_id: str = ""
    interfaces: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The function's name."""
        return self.key.id

    @property
    def longest_run_s(self) -> float:
        """How long a run may take as far as that is known, s; 0 where it is not."""
        return 0.0 if isinstance(self.timeout_s, NotKnown) else float(self.timeout_s)

    @property
    def priced(self) -> bool:
        """Whether what a run costs can be told: on managed instances its memory has no price."""
        return self.managed_instances or not isinstance(self.memory_mb, NotKnown)

    @property
    def billed_besides(self) -> tuple[str, ...]:
        """What AWS bills for it that no figure here counts, by its configuration.

        aws.amazon.com/lambda/pricing; initialisation is billed since 2025-08-01 for every function.
        """
        kinds = {
            "the instances, which EC2 bills, with a fee": self.managed_instances,
            "SnapStart's snapshots and restores": self.snap_start and self.runtime.startswith(SNAPSHOTS_COST),
            "what its durable executions keep stored": self.durable,
            "environments by tenant": self.per_tenant,
        }
        return tuple(name for name, applies in kinds.items() if applies)


class Change(Struct, frozen=True):
    """A change of a function that was seen between two lists: `at` is its LastModified (s since the epoch).

    `what` names what differs ("code", "timeout_s 10 -> 30" …).
    """

    at: float
    what: tuple[str, ...]

    KEEP: ClassVar[int] = 8


_CONFIGURED = ("runtime", "memory_mb", "timeout_s", "ephemeral_mb", "architecture", "log_group", "log_format")


def differences(before: FunctionFacts, after: FunctionFacts) -> tuple[str, ...]:
    """Return what a deployment changed, in words; () when only the time of change differs."""
    found = ["code"] if before.code_sha256 != after.code_sha256 else []
    for name in _CONFIGURED:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            found.append(f"{name} {old} -> {new}")
    if not found and before.last_modified != after.last_modified:
        found.append("configuration")
    return tuple(found)


class AccountFacts(Struct, frozen=True):
    """GetAccountSettings: the limits of one account in one region.

    `unreserved` is what AWS reports as not reserved by any function (limit - reservations). A figure that the
    answer leaves out is not known, and not 0.
    """

    concurrency_limit: int | NotKnown
    unreserved: int | NotKnown
    code_size_limit_bytes: int | NotKnown
    code_size_bytes: int | NotKnown
    function_count: int | NotKnown

    @property
    def left(self) -> int | NotKnown:
        """What reservations leave; not known where the answer contradicts itself.

        Of a limit of 10 no 900 can be left: who computes with both gets reservations below zero.
        """
        limit, free = self.concurrency_limit, self.unreserved
        if isinstance(free, NotKnown):
            return free
        if free < 0 or (not isinstance(limit, NotKnown) and free > limit):
            return NotKnown("contradictory", "lambda:GetAccountSettings")
        return free


def reservable(free: int) -> int:
    """Return how much of the unreserved concurrency AWS lets functions reserve."""
    return max(0, free - LEAST_UNRESERVED)


class AlarmFacts(Struct, frozen=True):
    """One CloudWatch alarm in state ALARM; `function` is set when a dimension names one.

    `actions` are the ARNs that it notifies or calls, unless they are not `enabled`; None: not known.
    """

    key: Key
    reason: str
    metric: str
    namespace: str
    since: float | None
    function: Key | None
    arn: str = ""
    actions: tuple[str, ...] | None = None
    enabled: bool = True

    @property
    def faults(self) -> tuple[str, ...]:
        """Why nobody hears of it, as far as its own settings say."""
        if self.actions == ():
            return ("it has no action for ALARM: nobody is notified",)
        return () if self.enabled else ("its actions are switched off: nobody is notified",)


LOG_GROUP: Kind = "log group"


def group_of(facts: FunctionFacts) -> Key:
    """Return the log group that a function writes to."""
    return Key(facts.key.scope, LOG_GROUP, facts.log_group)


@newest
def writers_by_group(
    functions: Mapping[Key, FunctionFacts], give_way: GiveWay = no_pause
) -> Mapping[Key, tuple[FunctionFacts, ...]]:
    """Return the functions of each log group, by the group's key; functions without a group are left out."""
    found: dict[Key, list[FunctionFacts]] = defaultdict(list)
    for facts in paced(functions.values(), give_way, 500):
        if facts.log_group:
            found[group_of(facts)].append(facts)
    give_way()
    for each in found.values():
        if len(each) > 1:
            each.sort(key=lambda facts: facts.key)
    return {group: tuple(each) for group, each in found.items()}
