"""Read a log group once: its class, and how far back it can reach.

Lines of a group of another class than STANDARD cannot be read by FilterLogEvents and Live Tail (CloudWatch
Logs user guide, "Log classes").
"""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct

from lambdatop.domain.errors import Missing, NotSupported, SourceError
from lambdatop.domain.sanitize import clean_line, clean_name

STANDARD, INFREQUENT, DELIVERY = "STANDARD", "INFREQUENT_ACCESS", "DELIVERY"
KEEP = 512
_NAME_MAX = 512


class ReadApi(Protocol):
    """What is needed of `sdk.api.Api`."""

    def now(self) -> float:
        """Return seconds since the epoch."""

    async def read(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Call a reading operation; raises SourceError and its kinds."""


class LogGroup(Struct, frozen=True):
    """One log group: `created_ms` ms since the epoch, 0 where the answer has none; no retention is 0."""

    name: str
    kind: str
    created_ms: int
    retention_days: int

    def refusal(self, questions: bool = False) -> NotSupported | None:
        """Return why its lines cannot be read, or (`questions`) Logs Insights cannot be asked.

        None where nothing is against it, and for a class that is not known here.
        """
        name = clean_line(self.name, _NAME_MAX)
        if self.kind == DELIVERY:
            return NotSupported(
                f"The log group {name} is of class DELIVERY: CloudWatch Logs delivers its lines elsewhere, "
                "and lets nobody read them."
            )
        if self.kind != INFREQUENT or questions:
            return None
        return NotSupported(
            f"The log group {name} is of class {self.kind}, which only Logs Insights reads: `lambdatop logs "
            "FUNCTION --errors` asks it, paid by the GB scanned."
        )


class LogGroups:
    """The groups that were asked about; a class never changes, so none is asked about twice."""

    def __init__(self, api: ReadApi) -> None:
        self._api = api
        self._known: dict[str, LogGroup] = {}

    def refusal(self, group: str) -> NotSupported | None:
        """Return why a group's lines cannot be read, as far as it was asked about."""
        known = self._known.get(group)
        return known.refusal() if known else None

    async def read(self, group: str) -> LogGroup:
        """Read a group; raises Missing where there is none of this name, and other SourceErrors."""
        known = self._known.pop(group, None)
        if known is None:
            answer = await self._api.read("logs", "DescribeLogGroups", logGroupNamePrefix=group)
            listed = next((g for g in answer.get("logGroups") or () if g.get("logGroupName") == group), None)
            if listed is None:
                raise Missing(f"The log group {clean_line(group, _NAME_MAX)} does not exist (yet).")
            kind = clean_name(str(listed.get("logGroupClass") or STANDARD))
            days = int(listed.get("retentionInDays") or 0)
            known = LogGroup(group, kind, int(listed.get("creationTime") or 0), days)
        self._known[group] = known
        while len(self._known) > KEEP:
            self._known.pop(next(iter(self._known)))
        return known

    async def explained(self, group: str, error: SourceError, *, questions: bool = False) -> SourceError:
        """Return why a read of the group failed: its class, where that is the reason, else `error`."""
        try:
            return (await self.read(group)).refusal(questions) or error
        except SourceError:
            return error

    async def unreadable(self, group: str) -> NotSupported | None:
        """Return why a group without lines has none: its class, where that is the reason."""
        try:
            return (await self.read(group)).refusal()
        except SourceError:
            return None
