"""Compute how often each tier can be afforded, and the resulting ages. Pure; see `polling_cost.py`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.cost.pricing import METRIC_USD
from lambdatop.domain.facts.polling_status import PollingStatus, Spending
from lambdatop.domain.keys import Key
from lambdatop.domain.units import span

if TYPE_CHECKING:
    from lambdatop.domain.polling.state import PollingState

HOUR_S = 3600.0
MARGIN = 0.95
"""Of the budget: rounds do not begin on the second, and an hour may see one more of them."""
CALM_MOST = 0.99
JITTER = 1.1
"""Rounds come up to a tenth later than their pace."""
COLLAPSED_S = 900.0
"""A calm account of which everything can be asked so often has one pace for everything."""
DISCOVERY_S = 3600.0
OTHERS_SOON_S = 900.0
"""While something is wrong, all others are looked at so often: in detail if that is affordable."""
SOON_S = 300.0
"""While somebody unknown moves a total, sweeps come no faster than this."""
PERIODIC_SHARE, OTHERS_SHARE, SOON_SHARE = 0.7, 0.5, 0.3
"""Of what the trip-wire leaves: for discovering by one series, or by detail; the same while something is
wrong, and for the sweeps that search."""
FIXED_SHARE, TURN_SHARE = 0.15, 0.4
"""Of what the trip-wire leaves: for queues; of detail: for taking turns."""
SWEEP_SHARE = 0.6
"""Share of an hour's budget that sweeps may take; the rest is for looking at what they find."""
LIST_PAGE = 500
ROUND_MOST = 4_000
"""Series of detail in one round; more would hold the loop and the socket for too long."""


class Purse(Struct, frozen=True):
    """What may be spent, in units an hour. What others spent is subtracted, but not below the calm budget."""

    budget_usd: float
    calm_usd: float
    others: float
    wrong: bool

    @property
    def whole(self) -> float:
        """The budget of an hour."""
        budget = self.budget_usd / METRIC_USD
        return MARGIN * max(min(self.calm_usd / METRIC_USD, budget), budget - self.others)

    @property
    def calm(self) -> float:
        """The calm budget of an hour, to the last unit but a few."""
        return min(self.budget_usd, self.calm_usd) / METRIC_USD * CALM_MOST

    @property
    def hourly(self) -> float:
        """What to spend in the present mood."""
        return self.whole if self.wrong else min(self.whole, MARGIN * self.calm_usd / METRIC_USD)


class DetailPaces(NamedTuple):
    """The first `fast` functions are asked every `pace_s`; the rest takes turns of `turn_most` a round."""

    fast: int
    pace_s: float
    turn_s: float
    turn_most: int


class SweepPaces(NamedTuple):
    """`soon_s` between two sweeps for one move; `periodic_s` between two sweeps without a reason.

    None: detail finds the cold ones. `periodic_h` are functions an hour.
    """

    soon_s: float = SOON_S
    periodic_s: float | None = None
    periodic_h: float = 0.0


class Paces(Struct, frozen=True):
    """Paces in s. `pool` are the functions worth detail, `active` those worth a sweep.

    `fixed_s` is of queues, mappings and streams of no special interest, `others_s` of such functions (None:
    too dear), `others_most` how many of them in one round (None: any number). `everybody`: all have detail
    in each round. `units_h` is what it costs in units an hour, `wire_h` the trip-wire's part of it.
    """

    pool: frozenset[Key]
    active: frozenset[Key]
    detail: DetailPaces
    fixed_s: float
    others_s: float | None
    sweeps: SweepPaces
    units_h: float
    others_most: int | None = None
    wire_h: float = 0.0
    everybody: bool = False

    def polling(self, state: PollingState, purse: Purse) -> PollingStatus:
        """Return the plan in figures."""
        spending: Spending = "unlimited" if state.budget <= 0 else "wrong" if state.wrong else "calm"
        detail = max(self.detail.pace_s, self.detail.turn_s)
        cold = (self.sweeps.periodic_s if self.others_s is None else self.others_s) or DISCOVERY_S
        full = round(len(state.functions) * state.series) + sum(state.fixed.values()) + state.wire_units
        return PollingStatus(
            spending=spending,
            wire_s=state.base_s,
            discovery_s=cold,
            detail_s=detail,
            others_s=self.others_s,
            fixed_s=self.fixed_s,
            hot_s=detail * JITTER,
            mover_s=self._mover_s(state, purse),
            cold_s=cold * JITTER,
            calls_per_min=self.units_h / 60 / state.per_call + HOUR_S / state.base_s / 60,
            usd_per_hour=self.units_h * METRIC_USD,
            full_units=full,
            full_usd=full * METRIC_USD,
            why=_why(state) if state.wrong else "",
            slowed="" if state.budget <= 0 else self._slowed(state, detail),
        )

    def _mover_s(self, state: PollingState, purse: Purse) -> float:
        """Return the seconds from a published minute until a function that moves a total has detail."""
        at_once = state.base_s * JITTER
        room = SWEEP_SHARE * purse.whole
        missing = len(self.active) - room
        return at_once if self.everybody or missing <= 0 else at_once + missing / room * HOUR_S

    def _slowed(self, state: PollingState, detail: float) -> str:
        slow = []
        if detail > state.base_s:
            slow.append(f"rows on screen and hot functions every {span(detail)}")
        if state.fixed and self.fixed_s > state.base_s:
            slow.append(f"queues and streams every {span(self.fixed_s)}")
        pace, how = (self.sweeps.periodic_s or 0.0), "by one series"
        if self.others_s is not None:
            pace, how = self.others_s, "in detail"
        if pace > state.base_s:
            slow.append(f"other active functions every {span(pace)} {how}")
        if not slow:
            return ""
        usd = state.budget if state.wrong else min(state.calm, state.budget)
        return f"${usd:.2f} an hour{'' if state.wrong else ' while nothing is wrong'}: {', '.join(slow)}"


def _why(state: PollingState) -> str:
    return state.reading.words or "a finding is open, or a queue or trigger is in trouble"


def paces(state: PollingState, first: tuple[Key, ...], purse: Purse) -> Paces:
    """Return the paces that the budget allows."""
    active = state.functions if state.active is None else state.functions & state.active
    base, pages = state.base_s, math.ceil(len(active) / LIST_PAGE)
    wire_h = state.wire_units * HOUR_S / base + pages
    all_at = DetailPaces(len(first), base, base, 0)
    everything = Paces(state.functions, active, all_at, base, base, SweepPaces(), 0.0, everybody=True)
    rest = max(1.0, min(purse.hourly - wire_h, ROUND_MOST * HOUR_S / base))
    for pool in (state.functions, active | frozenset(first)):
        units = len(pool) * state.series + sum(state.fixed.values())
        if state.budget <= 0 or units * HOUR_S / base <= rest:
            return replace(everything, pool=pool, wire_h=wire_h, units_h=wire_h + units * HOUR_S / base)
    together = units * HOUR_S / rest
    if together <= COLLAPSED_S and not state.wrong:
        all_at = DetailPaces(len(first), together, together, 0)
        return Paces(pool, active, all_at, together, together, SweepPaces(), wire_h + rest, wire_h=wire_h)
    apart = _apart(state, first, (pool, active), rest)
    return replace(apart, units_h=wire_h + apart.units_h, wire_h=wire_h)


def _apart(
    state: PollingState, first: tuple[Key, ...], who: tuple[frozenset[Key], frozenset[Key]], rest: float
) -> Paces:
    """Return a pace for each tier: searching, then queues, then all others, then what comes first."""
    base, active = state.base_s, len(who[1])
    soon_s = max(SOON_S, active * HOUR_S / (SOON_SHARE * rest))
    # What sweeps have cost already, or are going to cost, is not there for detail.
    searching = active * HOUR_S / soon_s if state.reading.unexplained else 0.0
    sweep_h = max(searching, state.swept_units) if state.wrong else 0.0
    urgent = sum(u for k, u in state.fixed.items() if k in state.urgent)
    patient = sum(state.fixed.values()) - urgent
    fixed_h = min(patient * HOUR_S / base, FIXED_SHARE * rest)
    left = rest - sweep_h - fixed_h
    want_h = (len(first) * state.series + urgent) * HOUR_S / base
    others = len(who[0].difference(first)) * state.series
    others_h = _others_h(state, others, left, want_h)
    others_s, periodic_s, periodic_h = None, None, 0.0
    if others_h is not None:
        others_s = max(base, others * HOUR_S / max(1.0, others_h))
    else:  # detail of all others would find the cold ones too; as it is too dear, one series has to do
        share, soonest = (SOON_SHARE, OTHERS_SOON_S) if state.wrong else (PERIODIC_SHARE, DISCOVERY_S)
        periodic_h = min(active * HOUR_S / soonest, share * left)
        periodic_s = active * HOUR_S / max(1.0, periodic_h)
    left = max(1.0, left - periodic_h - (others_h or 0.0))
    return Paces(
        *who,
        _detail_paces(state, len(first), urgent, left),
        patient * HOUR_S / fixed_h if fixed_h else base,
        others_s,
        SweepPaces(soon_s, periodic_s, periodic_h),
        searching + fixed_h + periodic_h + (others_h or 0.0) + min(want_h, left),
        max(1, int((others_h or 0.0) * base / HOUR_S / state.series)) if state.wrong else None,
    )


def _others_h(state: PollingState, others: float, left: float, want_h: float) -> float | None:
    """Return the units an hour for detail of all others; None where that reaches each of them too seldom."""
    if state.wrong:  # something is left for the sweeps of the next move
        share, slowest = (left - want_h) * (1 - SOON_SHARE), OTHERS_SOON_S
    else:
        share, slowest = left * (OTHERS_SHARE if want_h else 1.0), DISCOVERY_S
    units_h = min(share, others * HOUR_S / state.base_s)
    return units_h if units_h >= others * HOUR_S / slowest else None


def _detail_paces(state: PollingState, first: int, urgent: int, left_h: float) -> DetailPaces:
    """Return paces for all of them as fast as affordable; or, in trouble, fast ones for the first of them."""
    base, units = state.base_s, first * state.series + urgent
    pace = max(base, units * HOUR_S / left_h)
    a_round = left_h * base / HOUR_S - urgent
    fast = int((1 - TURN_SHARE) * a_round / state.series)
    if pace <= base or not state.wrong or fast < 1:
        return DetailPaces(first, pace, pace, first)
    turn_most = max(1, int(TURN_SHARE * a_round / state.series))
    return DetailPaces(fast, base, max(base, (first - fast) / turn_most * base), turn_most)
