"""Hold what the polling plan is made from."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from lambdatop.domain.keys import Key
from lambdatop.domain.polling.tripwire import Metric, Reading

NEVER = float("-inf")


class PollingState(Struct, frozen=True):
    """Everything the plan depends on.

    `active` are the functions that ran lately (None: nobody could tell, so all count); `hot` and `watched`
    come before `visible`. `series` is what one function costs in detail, `fixed` what each queue, mapping
    and stream costs, `urgent` those of them that belong to a function in detail, `wire_units` the trip-wire.
    `asked` says when each of them had detail, `swept` when each function was swept for which metric (and
    `swept_excess` how large the move was then), `discovered_at`, `wire_at` and `periodic_at` (a sweep that no
    move asked for) when that was done last.
    `spent` are the units of the last hour, `swept_units` those of sweeps for a move, `calm_units` those that
    were spent while nothing was wrong, without the trip-wire's; `others` what everything but this plan cost
    in it (all in units). `full_since` is since when a person wants everything once.
    """

    now: float
    base_s: float
    budget: float
    calm: float
    functions: frozenset[Key] = frozenset()
    active: frozenset[Key] | None = None
    watched: frozenset[Key] = frozenset()
    hot: tuple[Key, ...] = ()
    visible: frozenset[Key] = frozenset()
    troubled: bool = False
    series: float = 10.0
    fixed: Mapping[Key, int] = field(default_factory=dict)
    urgent: frozenset[Key] = frozenset()
    wire_units: int = 11
    reading: Reading = Reading()
    asked: Mapping[Key, float] = field(default_factory=dict)
    swept_excess: Mapping[Metric, float] = field(default_factory=dict)
    swept: Mapping[Metric, Mapping[Key, float]] = field(default_factory=dict)
    wire_at: float = NEVER
    discovered_at: float = NEVER
    periodic_at: float = NEVER
    spent: float = 0.0
    swept_units: float = 0.0
    calm_units: float = 0.0
    others: float = 0.0
    full_since: float | None = None
    per_call: int = 100

    @property
    def wrong(self) -> bool:
        """Whether there is a reason to spend more than the calm budget."""
        return self.troubled or bool(self.reading.moves)

    def age(self, key: Key) -> float:
        """Return the seconds since this had detail; infinite when it never had."""
        return self.now - self.asked.get(key, NEVER)
