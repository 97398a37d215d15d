"""Hold limits that AWS sets: from Service Quotas, else as documented and marked as assumed.

The documented values and their sources are in docs/facts.md; codes are those of Service Quotas. Sizes are
bytes, rates requests/s, times s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from msgspec import Struct

Origin = Literal["Service Quotas", "GetAccountSettings", "assumed"]

KB, MB, GB = 1024, 1024**2, 1024**3

CONCURRENCY = "L-B99A9384"
SCALING_RATE = "L-A1AFA3CF"
CODE_STORAGE = "L-2ACBD22F"
TIMEOUT = "L-9FEEFFC0"
ENVIRONMENT = "L-6581F036"
LAYERS = "L-01237738"
RESOURCE_POLICY = "L-07A00131"
PACKAGE_DIRECT = "L-75F48B05"
PACKAGE_UNZIPPED = "L-E49FF7B8"
DESCRIPTORS = "L-438DAE3B"
CONTROL_PLANE = "L-B2AA0F47"
PAYLOAD_SYNC = "L-5C4B2C97"
PAYLOAD_ASYNC = "L-7C0F49F9"
INTERFACES_PER_VPC = "L-9FEE3D26"
RUNNING_DURABLE = "L-ABBF0CF3"
NAMED: Mapping[str, str] = {RUNNING_DURABLE: "running durable executions"}
"""Codes that no page of AWS tells, only public lists of what Service Quotas returned: of these the name that
comes with the code must hold these words."""

MANAGED_TIMEOUT_S = 5_400
"""The longest timeout on managed instances, for asynchronous events and event source mappings but those of
Amazon MQ and DocumentDB; for others it is that of all functions (Lambda developer guide, "Configure Lambda
function timeout")."""
MANAGED_DESCRIPTORS = 4_096
"""File descriptors on managed instances (Lambda developer guide, "Lambda quotas")."""

SIZES = frozenset(
    (
        CODE_STORAGE,
        ENVIRONMENT,
        RESOURCE_POLICY,
        PACKAGE_DIRECT,
        PACKAGE_UNZIPPED,
        PAYLOAD_SYNC,
        PAYLOAD_ASYNC,
    )
)
"""Codes whose value is a size: without a unit of size, Service Quotas' number could be anything."""


class UsageMetric(NamedTuple):
    """The CloudWatch metric that Service Quotas names for the use of a quota."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str


class QuotaLimit(Struct, frozen=True):
    """One limit: bytes, requests/s, s or a count."""

    code: str
    value: float
    origin: Origin = "Service Quotas"
    usage: UsageMetric | None = None

    @property
    def assumed(self) -> bool:
        """Whether it is the documented default because AWS did not tell."""
        return self.origin == "assumed"


class QuotaLimits(Struct, frozen=True):
    """What Service Quotas said at `at` (s since the epoch); `gap` why it said less than was asked."""

    at: float = 0.0
    limits: tuple[QuotaLimit, ...] = ()
    gap: str = ""

    def get(self, code: str) -> QuotaLimit:
        """Return the limit of a code, the documented default (assumed) where AWS returned none."""
        for limit in self.limits:
            if limit.code == code:
                return limit
        return QuotaLimit(code, DOCUMENTED[code], "assumed")


UTILISATION = "ProvisionedConcurrencyUtilization"
SPILLOVER = "ProvisionedConcurrencySpilloverInvocations"


class Provisioned(Struct, frozen=True):
    """Provisioned concurrency of one version or alias; counts are environments.

    `status` is AWS's: READY, IN_PROGRESS, FAILED. It can be used once it is fully allocated.
    """

    qualifier: str
    requested: int
    allocated: int = 0
    available: int = 0
    status: str = ""


DOCUMENTED: Mapping[str, float] = {
    CONCURRENCY: 1_000,
    SCALING_RATE: 1_000,
    CODE_STORAGE: 300 * GB,
    TIMEOUT: 900,
    ENVIRONMENT: 4 * KB,
    LAYERS: 5,
    RESOURCE_POLICY: 20 * KB,
    PACKAGE_DIRECT: 50 * MB,
    PACKAGE_UNZIPPED: 250 * MB,
    DESCRIPTORS: 1_024,
    CONTROL_PLANE: 15,
    PAYLOAD_SYNC: 6 * MB,
    PAYLOAD_ASYNC: 1 * MB,
    INTERFACES_PER_VPC: 500,
    RUNNING_DURABLE: 5_000_000,
}
"""Documented defaults by code. The concurrency and the code storage of an account are read, never these."""

RUNNING_EXECUTIONS_LARGE = 10_000_000
LARGE_REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
"""Durable executions that may run in these regions, by default; AWS raises it on request."""

TENANT_ENVIRONMENTS = 2.5
"""Execution environments of tenants, active or idle, for each unit of a function's concurrency (Lambda
developer guide, "Tenant isolation", "Considerations": 2,500 for every 1,000)."""

SQS_IN_FLIGHT = 120_000
SQS_IN_FLIGHT_FIFO = 120_000
"""In-flight messages of a FIFO queue (SQS developer guide, "Amazon SQS FIFO queue quotas")."""

SHARD_READS_PER_S = 5
SHARD_POLLS_PER_S = {"kinesis": 1, "dynamodb": 4}
"""How often a mapping polls each shard."""

REQUESTS_PER_ENVIRONMENT = 10
"""Requests/s per unit of concurrency, of the account as of one function; synchronous ones."""

REFILL_PER_MIN = 6
"""Times a minute that the scaling rate of 10 s fits into a minute."""
