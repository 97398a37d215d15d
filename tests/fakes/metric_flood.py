"""CloudWatch of a large account in memory, below `Api`: answers, and counts what it would bill.

Function i runs every minute by a fixed rate times a daily curve; some fail now and then. `Trouble` makes one
function fail from a moment on. Minutes appear `LATE_S` after their end. Totals are the sums of all functions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lambdatop.domain.cost.pricing import call_usd
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.runtime import Clock, Meter
from lambdatop.domain.state.events import FunctionsListed

LATE_S = 20
FLAKY = 40
"""One in so many active functions has a failed invocation now and then."""
DURATION_MS = 120.0
DAY_S = 86_400


@dataclass(frozen=True)
class Trouble:
    """Function `number` fails `errors` times a minute, on top of its runs, in [start, end)."""

    number: int
    start: float
    end: float
    errors: float

    def at(self, minute: int) -> float:
        return self.errors if self.start <= minute < self.end else 0.0


@dataclass
class Flood:
    """The account: `functions`, of which the first `active` run."""

    clock: Clock
    meter: Meter
    scope: Scope
    functions: int
    active: int
    troubles: tuple[Trouble, ...] = ()
    calls: Counter[str] = field(default_factory=Counter)
    units: int = 0
    by_hour: Counter[int] = field(default_factory=Counter)
    began: float = 0.0
    most_queries: int = 0
    bills: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.clock.now()
        self._whole = sum(self._base(i) for i in range(self.active))
        self._totals: dict[tuple[str, int], float] = {}

    @property
    def usd(self) -> float:
        """What AWS would bill: a metric asked for, and a request of ListMetrics, cost the same."""
        return (self.units + self.calls["ListMetrics"]) * 0.01 / 1000

    def listed(self) -> FunctionsListed:
        """Return all functions."""
        facts = tuple(
            FunctionFacts(
                self.key(i), f"arn:aws:lambda:{self.scope.region}:{self.scope.account}:function:{n}"
            )
            for i, n in enumerate(map(self.name, range(self.functions)))
        )
        return FunctionsListed(self.scope, self.clock.now(), facts)

    def key(self, number: int) -> Key:
        return Key(self.scope, "function", self.name(number))

    @staticmethod
    def name(number: int) -> str:
        return f"f{number:05d}"

    # -- the SDK's side --------------------------------------------------------------------------

    async def get(self, service: str) -> Flood:
        """Return the client of a service, as `aws.sdk.clients.Clients` does."""
        assert service == "cloudwatch"
        return self

    async def get_metric_data(self, **params: Any) -> dict[str, Any]:
        self._bill("GetMetricData", len(params["MetricDataQueries"]), params)
        start, end = (int(params[n].timestamp()) for n in ("StartTime", "EndTime"))
        end = min(end, int((self.clock.now() - LATE_S) // 60) * 60)
        results = []
        for query in params["MetricDataQueries"]:
            metric, stat = query["MetricStat"]["Metric"], query["MetricStat"]["Stat"]
            number = int(metric["Dimensions"][0]["Value"][1:]) if metric["Dimensions"] else None
            pairs = list(self._points(metric["MetricName"], stat, number, start, end))
            stamps = [_stamp(at) for at, _ in pairs]
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": stamps,
                    "Values": [v for _, v in pairs],
                    "StatusCode": "Complete",
                }
            )
        return {"MetricDataResults": results}

    async def list_metrics(self, **params: Any) -> dict[str, Any]:
        assert params["RecentlyActive"] == "PT3H"
        self._bill("ListMetrics", 0, params)
        first = int(params.get("NextToken") or 0)
        names = [self.name(i) for i in range(first, min(first + 500, self.active))]
        found = [{"Dimensions": [{"Name": "FunctionName", "Value": n}]} for n in names]
        more = {"NextToken": str(first + 500)} if first + 500 < self.active else {}
        return {"Metrics": found} | more

    def _bill(self, operation: str, units: int, params: dict[str, Any]) -> None:
        self.calls[operation] += 1
        self.units += units
        self.most_queries = max(self.most_queries, units)
        self.by_hour[int((self.clock.now() - self.began) // 3600)] += units or 1
        self.bills.append((self.clock.now(), units or 1))
        self.meter.count("cloudwatch", operation, call_usd("cloudwatch", operation, params))

    # -- what it measures ------------------------------------------------------------------------

    def _points(
        self, metric: str, stat: str, number: int | None, start: int, end: int
    ) -> Iterator[tuple[int, float]]:
        for minute in range(start, end, 60):
            value = (
                self._total(metric, stat, minute)
                if number is None
                else self._of(metric, stat, number, minute)
            )
            if value:
                yield minute, value

    def _total(self, metric: str, stat: str, minute: int) -> float:
        known = self._totals.get((metric, minute))
        if known is None:
            runs = self._whole * _curve(minute) + sum(t.at(minute) for t in self.troubles)
            runs *= 1 + 0.02 * math.sin(minute)
            known = {
                "Invocations": runs,
                "Errors": sum(self._errors(i, minute) for i in range(0, self.active, FLAKY))
                + sum(t.at(minute) for t in self.troubles),
                "Duration": runs * DURATION_MS if stat == "Sum" else DURATION_MS * 9,
                "ConcurrentExecutions": max(1.0, runs * DURATION_MS / 60_000),
                "ClaimedAccountConcurrency": max(1.0, runs * DURATION_MS / 60_000),
            }.get(metric, 0.0)
            if metric != "Duration":
                self._totals[metric, minute] = known
        return known

    def _of(self, metric: str, stat: str, number: int, minute: int) -> float:
        wrong = sum(t.at(minute) for t in self.troubles if t.number == number)
        runs = (self._base(number) * _curve(minute) if number < self.active else 0.0) + wrong
        if not runs:
            return 0.0
        if metric == "Errors":
            return wrong + (self._errors(number, minute) if number % FLAKY == 0 else 0.0)
        if metric == "Duration":
            return runs * DURATION_MS if stat == "Sum" else DURATION_MS * 2
        if metric == "ConcurrentExecutions":
            return 1.0
        return runs if metric == "Invocations" else 0.0

    @staticmethod
    def _base(number: int) -> float:
        """Return the invocations a minute: few functions are busy, most run now and then."""
        return 1 + 600 / (1 + number % 97)

    @staticmethod
    def _errors(number: int, minute: int) -> float:
        return float((number * 7919 + minute // 60 * 104_729) % 97 == 0)


def _curve(minute: int) -> float:
    """Return the traffic over the day: half of the noon's by night."""
    return 0.75 - 0.25 * math.cos(2 * math.pi * (minute % DAY_S) / DAY_S)


_STAMPS: dict[int, datetime] = {}


def _stamp(minute: int) -> datetime:
    if minute not in _STAMPS:
        if len(_STAMPS) > 5_000:
            _STAMPS.clear()
        _STAMPS[minute] = datetime.fromtimestamp(minute, UTC)
    return _STAMPS[minute]
