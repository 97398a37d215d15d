"""Describe what functions cost per hour: parts, waste, the account's total, the forecast. Pure.

All of it is an estimate at list price from CloudWatch's minutes; `exact` is what REPORT lines bill.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct, field

from lambdatop.domain.cost.prices import BORROWED_FROM, Prices, table_prices

HOUR_S = 3600
DAY_S = 86_400.0


class Burn(Struct, frozen=True):
    """USD per hour of one function, by what is paid for.

    `duration` is execution, `requests` invocations, `ephemeral` /tmp above 512 MB, `provisioned` configured
    provisioned concurrency (None: not read), `logs` what its log group takes in (None: not known; of a
    group that several functions write to, its share by invocations: `log_writers` counts them). `wasted` is
    the part of `usage` that did failed or repeated work, None where that is not known. `running` is how many
    executions run at once on average. `durable` is what durable executions did and wrote (None: not known).
    `borrowed` are the prices that are us-east-1's because none is known
    for the region, as far as they count here. `besides` names what its triggers cost and no part counts.
    """

    duration: float = 0.0
    requests: float = 0.0
    ephemeral: float = 0.0
    provisioned: float | None = None
    logs: float | None = None
    log_writers: int = 1
    wasted: float | None = None
    running: float = 0.0
    borrowed: frozenset[str] = frozenset()
    durable: float | None = 0.0
    besides: tuple[str, ...] = ()

    @property
    def usage(self) -> float:
        """What it costs because it runs: everything but provisioned concurrency."""
        return self.duration + self.requests + self.ephemeral + (self.logs or 0.0) + (self.durable or 0.0)

    @property
    def total(self) -> float:
        """Everything that is known."""
        return self.usage + (self.provisioned or 0.0)


class AccountBurn(Struct, frozen=True):
    """What all functions burn together.

    `usd_per_hour` and `wasted_usd_per_hour` are None until the metrics of at least one function have come;
    `counted` of `functions` have. `parts` are the sums. `projected_usd` is what the time from now to `until`
    (s since the epoch) costs if nothing changes. `vs_yesterday` and `vs_week` compare the duration of now
    with the same hour a day and a week ago ("duration x"): per account, CloudWatch sums durations without
    their memory sizes, so only the ratio of running time can be told, not that of USD. None: no point then.
    `times` is the demo's compression of time (1 on AWS).
    """

    usd_per_hour: float | None = None
    wasted_usd_per_hour: float | None = None
    parts: Burn = Burn()
    counted: int = 0
    functions: int = 0
    projected_usd: float | None = None
    until: float | None = None
    vs_yesterday: float | None = None
    vs_week: float | None = None
    prices: Prices = field(default_factory=lambda: table_prices(BORROWED_FROM))
    times: float = 1.0

    def prices_of(self, region: str) -> Prices | None:
        """Return the prices that the estimate was made with; None where they are another region's."""
        return self.prices if self.prices.region == region else None


NO_BURN = AccountBurn()


def hour_ahead(until: str | None, now: float) -> float:
    """Return the next moment (s since the epoch) at which it is `until` ("18:00", UTC).

    A day from now for None.
    """
    if until is None:
        return now + DAY_S
    hour, minute = (int(part) for part in until.split(":"))
    today = datetime.fromtimestamp(now, UTC)
    chosen = today.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (chosen if chosen > today else chosen + timedelta(days=1)).timestamp()


def projected(usd_per_hour: float, now: float, until: float) -> float:
    """Return the USD from `now` to `until` (s since the epoch) at the present rate."""
    return usd_per_hour * max(0.0, until - now) / HOUR_S


def times_of(now: float | None, then: float | None) -> float | None:
    """Return present rate divided by the former one; None where either is unknown, or the former is zero."""
    return now / then if now is not None and then else None


class BurnHistory(Struct, frozen=True):
    """The account's hours: start (s since the epoch), sum of durations (ms), invocations. Oldest first."""

    at: float
    hours: tuple[tuple[int, float, float], ...]

    def running(self, at: float) -> float | None:
        """Return the average concurrent executions over the hour that holds `at`.

        None where there is no point.
        """
        start = int(at // 3600) * 3600
        found = next((ms for t, ms, _ in self.hours if t == start), None)
        return None if found is None else found / 1000 / 3600
