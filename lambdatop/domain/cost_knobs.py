"""Thresholds of the detector of cost."""

from __future__ import annotations

from lambdatop.domain.frozen import dataclass
from lambdatop.domain.settings.fields import knob, ratio, share, window


@dataclass(frozen=True, slots=True)
class CostBurnSettings:
    """`cost_burn`: a function or the account burns far more than usual, or mostly in vain."""

    window_min: int = window(5)
    baseline_min: int = knob(60, "min", "what it is compared with: as far back as the history goes", 5, 60)
    min_usd_per_hour: float = knob(1.0, "USD/h", "silent below, for burn as for waste")
    critical_usd_per_hour: float = knob(20.0, "USD/h", "burn above usual, or waste")
    factor: float = ratio(3.0, "burn / median of the baseline, or duration / the same hour yesterday")
    waste_share: float = share(0.5, "wasted / burn")
