"""Hold what every quota row is made from: the World of one scope at one moment."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.facts.quota_limits import QuotaLimits
from lambdatop.domain.facts.series import MINUTE, KnownSeries
from lambdatop.domain.figures.forecast import UNKNOWN, Forecast, forecast
from lambdatop.domain.figures.rates import Window, window
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.snapshot import QuotaRow
from lambdatop.domain.state.world import World

NOW_MIN = 5
"""Final minutes of which the newest point is "now" for a gauge; an older one is not shown as such."""

SHOWN_FROM = 0.5
"""Of limits that each function, queue or mapping has, those used so far are listed, else the fullest."""

SMALL, NEAR = 10, 0.8
"""Of a limit below ten a single execution is a large share: it is listed when it is nearly reached."""

MOST_LISTED = 10


class ScopeView(Struct, frozen=True):
    """One scope of the World at `now` (s since the epoch); `over` are the final minutes behind a trend.

    `asked` are the functions whose metrics were ever asked for; in a large account most were not. `levels`
    are the environments that functions used lately at most; who used none is not in it. `told` are the series
    of `asked`. `recent` are the final minutes in which the newest point of a gauge must lie.
    """

    world: World
    scope: Scope
    now: float
    settings: Settings
    account: AccountFacts | None
    limits: QuotaLimits
    over: Window
    recent: Window
    functions: tuple[Key, ...] = ()
    asked: tuple[Key, ...] = ()
    told: tuple[tuple[Key, KnownSeries], ...] = ()
    levels: Mapping[Key, float] = field(default_factory=dict)

    @property
    def whole(self) -> Key:
        """The key of the account itself."""
        return Key(self.scope, "account", self.scope.account)

    def as_of(self, key: Key) -> float | None:
        """Return when the metrics of `key` were fetched (s since the epoch)."""
        return self.world.metrics_at.get(key)

    def points(self, key: Key, metric: str, stat: str) -> tuple[tuple[float, float], ...]:
        """Return (s, value) of the final minutes of `over`."""
        series = self.world.metric(key, metric, stat)
        first, end = (bisect_left(series.times, t) for t in (self.over.start, self.over.end))
        return tuple(zip(map(float, series.times[first:end]), series.values[first:end], strict=True))

    def level(self, key: Key, metric: str, stat: str = "Maximum") -> float | None:
        """Return the newest final value of a gauge, None when it is older than a few minutes."""
        values = self.world.metric(key, metric, stat).window(self.recent.start, self.recent.end)
        return values[-1] if values else None

    def measured(self, key: Key) -> bool:
        """Return whether CloudWatch was asked lately, so that a missing point means that nothing ran."""
        return self.world.metrics_at.get(key, 0.0) >= self.recent.start

    def running(self, key: Key) -> float | None:
        """Return most environments that a function used lately; 0 without a point, None where not asked."""
        return self.levels.get(key, 0.0) if self.measured(key) else self.levels.get(key)


def view(world: World, scope: Scope, now: float, settings: Settings) -> ScopeView:
    """Return the view of one scope."""
    over = window(now, settings.detectors.quota_headroom.window_min, settings.metrics)
    functions = tuple(k for k in world.functions if k.scope == scope)
    limits = world.quota_limits.get(scope, QuotaLimits())
    recent, levels = Window(over.end - NOW_MIN * MINUTE, over.end), {}
    asked = tuple(k for k in functions if k in world.metrics_at)
    told = tuple((k, known) for k in asked if (known := world.series.get(k)) is not None)
    for key, known in told:
        series = known.series.get(("ConcurrentExecutions", "Maximum"))
        if series and series.times and (most := series.max(recent.start, over.end)):
            levels[key] = most
    return ScopeView(
        world,
        scope,
        now,
        settings,
        world.accounts.get(scope),
        limits,
        over,
        recent,
        functions,
        asked,
        told,
        levels,
    )


def row(
    name: str,
    used: float | None,
    limit: float,
    unit: str,
    source: str,
    *,
    code: str = "",
    scope: str = "account",
    points: Sequence[tuple[float, float]] = (),
    as_of: float | None = None,
    note: str = "",
    assumed: bool = False,
    target: Key | None = None,
    own: bool = False,
    fixed: bool = False,
) -> QuotaRow:
    """Return a row; `points` are (s, used) of final minutes, from which its trend comes."""
    left = None if used is None else limit - used
    seen: Forecast = UNKNOWN if used is None or left is None or not points else forecast(points, left, used)
    return QuotaRow(
        name,
        code,
        scope,
        used,
        limit,
        unit,
        source,
        left,
        seen.trend.per_min if seen.trend else None,
        seen.exhausted_in_s,
        as_of,
        note,
        assumed,
        seen.range_s,
        seen.confidence,
        target=target,
        own=own,
        fixed=fixed,
    )


class Candidate(NamedTuple):
    """A row that may be shown: its rank, and how it is made.

    One in a thousand is shown, and its trend is what costs: so it is made once it is chosen.
    """

    name: str
    used: float | None
    limit: float
    make: Callable[[], QuotaRow]

    @property
    def share(self) -> float:
        """As a row tells it; what is not known is ranked last."""
        if self.used is None:
            return -1.0
        return self.used / self.limit if self.limit > 0 else float(self.used > 0)

    def rank(self) -> tuple[float, str]:
        """Return the sort key that puts the fullest first."""
        return -self.share, self.name


def fullest(
    found: Iterable[Candidate], shown_from: float = SHOWN_FROM, *, at_least_one: bool = True
) -> list[QuotaRow]:
    """Return the rows of high use, the fullest first, at most ten; the fullest one where none is."""
    known, near = list(found), max(shown_from, NEAR)
    far = sorted(
        (c for c in known if c.share >= (shown_from if c.limit >= SMALL else near)), key=Candidate.rank
    )
    if not far:
        return [min(known, key=Candidate.rank).make()] if at_least_one and known else []
    rows = [one.make() for one in far[:MOST_LISTED]]
    more = len(far) - MOST_LISTED
    if more > 0:
        last = rows[-1]
        words = f"{last.note}; " if last.note else ""
        rows[-1] = replace(last, note=f"{words}{more} more are used this far")
    return rows
