"""Choose whose log comes through Live Tail, which costs money by the minute."""

from __future__ import annotations

from lambdatop.domain.keys import Key
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.domain.state.world import Spend

AGAIN_SHARE = 0.5
"""Once the budget is used up, the last hour must have become this cheap (as a share of it) to begin anew:
each beginning pays for a whole minute."""


class LivePolicy:
    """Decides for the logs on screen: as a person asked, else where a critical incident is open.

    `asked` None leaves it to the incidents. What nobody asked for stays within the budget of an hour; what
    somebody asked for is shown with its price and goes on.
    """

    def __init__(self, in_incidents: bool) -> None:
        self._in_incidents = in_incidents
        self._used_up = False
        self.asked: bool | None = None

    def keys(self, watched: frozenset[Key], latest: Snapshot) -> frozenset[Key]:
        """Return the functions among those on screen whose lines shall come live."""
        if self.asked is not None:
            return watched if self.asked else frozenset()
        if not self._in_incidents or self._over_budget(latest.spend):
            return frozenset()
        burning = {f for i in latest.incidents if i.severity == "critical" for f in i.functions}
        return watched & burning

    def _over_budget(self, spend: Spend) -> bool:
        budget = spend.budget_usd_per_hour
        # The projection of a young process says more than it has spent.
        spent = min(spend.usd, spend.usd_per_hour)
        self._used_up = budget > 0 and spent >= budget * (AGAIN_SHARE if self._used_up else 1.0)
        return self._used_up
