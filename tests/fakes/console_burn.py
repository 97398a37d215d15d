"""What the functions of the console's scene burn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fakes.console_names import NOW, SCOPE
from msgspec.structs import replace

from lambdatop.domain.cost.burn import AccountBurn, Burn
from lambdatop.domain.cost.prices import table_prices
from lambdatop.domain.state.snapshot import FunctionRow


def billed(functions: Iterable[FunctionRow]) -> dict[str, Any]:
    """Return the functions with their costs, and their total: parts of a Snapshot."""
    rows = tuple(replace(f, burn=_burn(f.burn_usd_per_hour, f.error_rate or 0.0)) for f in functions)
    known = [f.burn for f in rows if f.burn is not None]
    usd, wasted = sum(b.total for b in known), sum(b.wasted or 0.0 for b in known)
    prices, until = table_prices(SCOPE.region), NOW + 86_400
    whole = AccountBurn(usd, wasted, Burn(), len(known), len(rows), 24 * usd, until, 3.1, 2.8, prices)
    return {"functions": rows, "burn": whole}


def _burn(usd: float | None, failing: float) -> Burn | None:
    """Return a bill in parts that come to `usd` an hour."""
    if usd is None:
        return None
    return Burn(0.8 * usd, 0.12 * usd, 0.0, 0.0, 0.08 * usd, wasted=failing * usd, running=4.0)
