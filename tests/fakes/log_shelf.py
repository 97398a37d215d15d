"""Log groups that FilterLogEvents is read from, in memory: every order, page size and token habit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from lambdatop.domain.errors import Denied, SourceError

STREAM = "2027/01/15/[$LATEST]0123456789abcdef0123456789abcdef"
Event = dict[str, Any]


def line(n: int, at_ms: int, text: str = "", stream: str = STREAM) -> Event:
    return {
        "eventId": f"{n:056d}",
        "timestamp": at_ms,
        "message": text or f"line {n}",
        "logStreamName": stream,
    }


class Shelf:
    """What `LogHistory` needs of a door. `most` is the server's own page size, below what is asked for.

    `descends` False ignores startFromHead; before every `hollow`-th page or so comes an empty one.
    """

    def __init__(
        self,
        groups: Mapping[str, Iterable[Event]],
        *,
        now: float,
        created_ms: int,
        most: int = 10_000,
        descends: bool = True,
        hollow: int = 0,
        retention_days: int = 0,
    ) -> None:
        self.groups = {
            g: sorted(events, key=lambda e: (e["timestamp"], e["eventId"])) for g, events in groups.items()
        }
        self.at = now
        self.created_ms = created_ms
        self.most = most
        self.descends = descends
        self.hollow = hollow
        self.retention_days = retention_days
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.failure: SourceError | None = None
        self.undescribed = False

    def now(self) -> float:
        return self.at

    def asked(self, operation: str = "FilterLogEvents") -> list[dict[str, Any]]:
        return [params for name, params in self.calls if name == operation]

    async def read(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        assert service == "logs"
        await asyncio.sleep(0)
        self.calls.append((operation, params))
        if operation == "DescribeLogGroups":
            return self._describe(params["logGroupNamePrefix"])
        if self.failure is not None:
            raise self.failure
        return self._filter(params)

    def _describe(self, prefix: str) -> dict[str, Any]:
        if self.undescribed:
            raise Denied("logs:DescribeLogGroups is denied.", action="logs:DescribeLogGroups")
        more = {"retentionInDays": self.retention_days} if self.retention_days else {}
        return {
            "logGroups": [
                {"logGroupName": g, "creationTime": self.created_ms, **more}
                for g in self.groups
                if g.startswith(prefix)
            ]
        }

    def _filter(self, params: dict[str, Any]) -> dict[str, Any]:
        found = [
            e
            for e in self.groups[params["logGroupName"]]
            if params["startTime"] <= e["timestamp"] <= params["endTime"]
        ]
        if self.descends and params.get("startFromHead") is False:
            found.reverse()
        begin, _, been = params.get("nextToken", "0").partition("|")
        begin = int(begin)
        if self.hollow and not been and (begin + len(found)) % self.hollow == 0:
            return {"events": [], "nextToken": f"{begin}|hollow"}
        end = begin + min(self.most, params["limit"])
        more = {"nextToken": str(end)} if end < len(found) else {}
        return {"events": found[begin:end], **more}
