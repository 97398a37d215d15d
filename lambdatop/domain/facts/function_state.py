"""State of a function: whether Lambda runs it at all. ListFunctions does not return it.

Lambda developer guide, "Lambda function states"; the codes are those of the API's FunctionConfiguration. A
request that is refused because of the state counts in none of Invocations, Errors and Throttles.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.keys import Key

NOT_RUN = ("Failed", "Deactivating", "Deactivated", "ActiveNonInvocable", "Deleting")
"""States in which nothing is run."""
RESTS = ("Idle", "Restoring", "")
"""Reasons of Inactive and Pending that the next invocation, or a minute, ends."""


class FunctionState(Struct, frozen=True):
    """GetFunctionConfiguration's State and LastUpdateStatus, each with its code and AWS's words."""

    state: str
    code: str = ""
    reason: str = ""
    update: str = ""
    update_code: str = ""
    update_reason: str = ""

    @property
    def runs(self) -> bool:
        """Whether an invocation is run, perhaps after some seconds; one that is not known counts as such."""
        return self.state not in NOT_RUN and (self.state != "Inactive" or self.code in RESTS)

    @property
    def words(self) -> str:
        """`Failed, ImageDeleted: the image was deleted`; of an update that failed where the state is well."""
        if self.runs and self.update == "Failed":
            return _words("last update Failed", self.update_code, self.update_reason)
        return _words(self.state, self.code, self.reason)


def _words(state: str, code: str, reason: str) -> str:
    return ": ".join(filter(None, (", ".join(filter(None, (state, code))), reason)))


THROTTLE_REASONS: Mapping[str, tuple[str, str]] = {
    "ConcurrencyThrottles": ("concurrency", "its execution environments run as many at once as they may"),
    "CPUThrottles": ("CPU", "the vCPUs of its execution environments are used up"),
    "MemoryThrottles": ("memory", "the memory of its execution environments is used up"),
    "DiskThrottles": ("disk", "the disk of its execution environments is used up"),
}
"""The metrics that say why an invocation on managed instances was throttled: of each throttle exactly one is
1, beside Throttles (Lambda developer guide, "CloudWatch metrics for Lambda Managed Instances", "Throttle
reason metrics"). That they have the dimension FunctionName alone, as Throttles has, is UNVERIFIED: without
points the reason is not known."""

VCPUS = ("vCPUAllocated", "vCPUAvailable")
"""Metrics of a capacity provider by instance type: vCPUs of its instances that execution environments have,
and those that are left. One value a minute each (the same page, "Capacity provider level metrics")."""


class CapacityProvider(Struct, frozen=True):
    """An item of ListCapacityProviders: what runs functions on instances of the account.

    `most_vcpus` is how many vCPUs all of its instances may have together (MaxVCpuCount), None where none is
    set. `instance_types` are those that have published a metric lately.
    """

    key: Key
    state: str
    most_vcpus: int | None
    instance_types: tuple[str, ...] | NotKnown

    @property
    def words(self) -> str:
        """`Active, at most 400 vCPUs`."""
        most = "no MaxVCpuCount" if self.most_vcpus is None else f"at most {self.most_vcpus:,} vCPUs"
        return f"{self.state}, {most}"

    def measured_as(self, instance_type: str) -> Key:
        """Return the key of the series of one of its instance types."""
        return Key(self.key.scope, self.key.kind, f"{self.key.id}/{instance_type}")


DEFAULT_LEAST = 3
"""Environments of a version for which nothing was set; there is no maximum then."""
DEACTIVATED = "Deactivated"
ENDED = (DEACTIVATED, "Deactivating")


class Scaling(Struct, frozen=True):
    """Requested numbers of one version on managed instances, and its state.

    `qualifier` is its number or $LATEST.PUBLISHED. `least` and `most` are numbers of execution environments;
    None is AWS's default. Both are 0 where the version is deactivated. Source: Lambda developer guide,
    "Scaling Lambda Managed Instances".
    """

    qualifier: str
    least: int | None
    most: int | None
    state: str

    @property
    def stopped(self) -> bool:
        """True where it is deactivated, or on its way there."""
        return self.most == 0 or self.state in ENDED

    @property
    def words(self) -> str:
        """`at least 3 (AWS's default), at most 10`."""
        least = f"{DEFAULT_LEAST} (AWS's default)" if self.least is None else str(self.least)
        return f"at least {least}, at most {'any number' if self.most is None else self.most}"
