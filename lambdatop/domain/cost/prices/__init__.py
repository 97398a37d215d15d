"""List prices by region: what the table in the package says, and which figures it has to borrow."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

BORROWED_FROM = "us-east-1"
"""A region without a supported figure shows this one's, and says so."""


class Prices(Struct, frozen=True):
    """List prices of one region in USD, the first volume tier, without free tier and savings plans.

    `gb_second_*` of execution on demand, `request` of one invocation, `ephemeral_gb_second` of /tmp above
    512 MB while it runs, `provisioned_*` of configured provisioned concurrency per GB-second, whether it
    runs or not, `provisioned_run_*` per GB-second of execution on it, `log_gb` of 10^9 bytes taken in by
    CloudWatch Logs (Standard class). `borrowed` are those figures that are us-east-1's because none is known
    for the region, `set_by` names where figures come from that are not the table's ("configuration",
    "Price List API").
    """

    region: str
    as_of: str
    gb_second_x86: float
    gb_second_arm64: float
    request: float
    ephemeral_gb_second: float
    provisioned_x86: float
    provisioned_arm64: float
    provisioned_run_x86: float
    provisioned_run_arm64: float
    log_gb: float
    borrowed: frozenset[str] = frozenset()
    set_by: tuple[str, ...] = ()

    @property
    def price_region(self) -> str:
        """The region whose price of a GB-second it is."""
        return BORROWED_FROM if "gb_second_x86" in self.borrowed else self.region

    def gb_second(self, architecture: str) -> float:
        """Return the USD per GB-second on demand; an unknown architecture costs what x86_64 costs."""
        return self.gb_second_arm64 if architecture == "arm64" else self.gb_second_x86

    def provisioned(self, architecture: str) -> float:
        """Return the USD per GB-second of configured provisioned concurrency."""
        return self.provisioned_arm64 if architecture == "arm64" else self.provisioned_x86

    def provisioned_run(self, architecture: str) -> float:
        """Return the USD per GB-second of execution on provisioned concurrency."""
        return self.provisioned_run_arm64 if architecture == "arm64" else self.provisioned_run_x86


FIGURES: tuple[str, ...] = tuple(
    name for name in Prices.__struct_fields__ if name not in ("region", "as_of", "borrowed", "set_by")
)
"""The names of the prices, in the order of the table's columns."""


@lru_cache(maxsize=64)
def table_prices(region: str) -> Prices:
    """Return the table's prices of a region, those of us-east-1 where the table lacks the region."""
    from lambdatop.domain.cost.prices.table import AS_OF, ROWS

    lender = dict(zip(FIGURES, ROWS[BORROWED_FROM], strict=True))
    own = dict(zip(FIGURES, ROWS.get(region, (None,) * len(FIGURES)), strict=True))
    borrowed = frozenset(name for name in FIGURES if own[name] is None)
    found = {name: float(lender[name] if own[name] is None else own[name]) for name in FIGURES}  # type: ignore[arg-type]
    return Prices(region, AS_OF, **found, borrowed=borrowed)  # type: ignore[arg-type]
