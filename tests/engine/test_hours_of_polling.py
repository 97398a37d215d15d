"""An hour and more of looking through the real source and engine (`bench.day_of_polling` plays a day)."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.long_watch import watch

from lambdatop.domain.cost.pricing import METRIC_USD
from lambdatop.domain.settings.settings import Limits


async def test_an_incident_is_found_and_followed_within_the_budget(tmp_path: Path) -> None:
    seen = await watch(tmp_path, 300, 100, 1.25, (77, 1.0, 1.25, 60.0))
    limits, (trouble,) = Limits(), seen.flood.troubles
    assert seen.found_s(trouble) <= 120
    assert seen.stalest_s(trouble) <= 120
    assert seen.flood.by_hour[0] * METRIC_USD <= limits.calm_usd_per_hour
    assert max(seen.rolling_usd()) <= limits.budget_usd_per_hour
    assert seen.meter_usd == pytest.approx(seen.flood.usd, abs=1e-9)
    assert seen.flood.most_queries <= 500
    moods = [p.spending for at, p in seen.plans if at - seen.flood.began < 3_600]
    assert set(moods) == {"calm"}
    assert "wrong" in {p.spending for at, p in seen.plans if trouble.start + 120 < at < trouble.end}
