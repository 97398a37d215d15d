"""Read CloudWatch's minute series by GetMetricData, as the polling plan (`domain/polling/plan.py`) says.

Each answer covers the whole history window and replaces it: late, doubled and corrected minutes need
no extra handling, and a window costs the same however long it is (one unit per series and request).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lambdatop.aws.metrics.memory import Memory
from lambdatop.aws.metrics.round import Round
from lambdatop.aws.reads.metric_queries import ASYNC_METRICS, FUNCTION_METRICS
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import METRICS
from lambdatop.domain.state.events import Event

MOST_A_FUNCTION = len(FUNCTION_METRICS) + len(ASYNC_METRICS) + 4
"""Series that one function may need in a round: those that all have, and those that some have besides."""

SERIES_PER_ROUND = 4_000
"""Series that one round asks for at most where no budget is set; in larger accounts functions take turns."""


class MetricsSource:
    """Reads all metrics. Without a budget each round asks for everything, in turns where that is too much.

    It wakes its collector by itself while a full read that a person asked for is not complete.
    """

    name = METRICS.name

    def __init__(self, api: Api, scope: Scope, settings: Settings) -> None:
        self._api = api
        self._scope = scope
        self._settings = settings
        self._memory = Memory()
        self._wake: Callable[[], None] = lambda: None

    def when_news_come(self, wake: Callable[[], None]) -> None:
        """Call `wake` when there is more to ask at once."""
        self._wake = wake

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return what the plan would ask for the first time now, and what it leaves out for cost."""
        counted = Round(self._api, self._scope, self._settings, self._memory, view).unasked()
        return tuple(Gap(self.name, METRICS.action, None, reason, n) for reason, n in sorted(counted.items()))

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the plan slows single tiers down, and says so itself."""
        return 0.0, ""

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one round; CloudWatch bills it even when a later batch fails."""
        if view.full and self._memory.full_since is None:
            self._memory.full_since = self._api.now()
        round_ = Round(self._api, self._scope, self._settings, self._memory, view)
        if self._settings.limits.budget_usd_per_hour <= 0:
            await round_.everything(_most)
        elif await round_.run():
            self._wake()
        return round_.events


SPEC = CollectorSpec(
    source=METRICS,
    make=lambda opened: MetricsSource(opened.api, opened.scope, opened.settings),
    trials=(("cloudwatch", "ListMetrics", {"Namespace": "AWS/Lambda", "RecentlyActive": "PT3H"}),),
)


def _most(besides: int) -> int:
    """Return how many functions have series that fit into a round which asks for so many others."""
    return max(1, (SERIES_PER_ROUND - besides) // MOST_A_FUNCTION)
