"""Describe what lambdatop asks of CloudWatch now, how often, and what that costs, for the screen."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Spending = Literal["unlimited", "calm", "wrong"]


class PollingStatus(Struct, frozen=True):
    """The plan in figures. All times in s.

    `spending` says which money is spent: "calm" the calm budget, "wrong" the whole one because of `why`,
    "unlimited" where no budget is set. Paces: `wire_s` the account's totals; `discovery_s` within which every
    active function is looked at, in detail or by one series; `detail_s` all series of what is on screen,
    watched or hot; `others_s` the same of all other active functions (None: they are only discovered);
    `fixed_s` queues, mappings and streams besides.

    Worst staleness: `hot_s` of a hot function, `mover_s` of a cold one that turns hot enough to move a total
    of the account, `cold_s` of any other cold one. `slowed` says what the budget slowed down ("": nothing),
    `note` what is missing. `full_units` are all series of all functions, `full_usd` is what they
    cost once (None: not known).
    """

    spending: Spending
    wire_s: float
    discovery_s: float
    detail_s: float
    others_s: float | None
    fixed_s: float
    hot_s: float
    mover_s: float
    cold_s: float
    calls_per_min: float
    usd_per_hour: float
    full_units: int
    why: str = ""
    slowed: str = ""
    note: str = ""
    full_usd: float | None = None
