"""The table of prices: complete, plausible, honest about what it borrows."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from lambdatop.domain.cost.prices import FIGURES, table_prices
from lambdatop.domain.cost.prices.table import AS_OF, ROWS
from lambdatop.domain.cost.pricing import LOG_INGEST_GB_USD, prices_for
from lambdatop.domain.settings.settings import PriceSettings


def test_every_row_is_whole_and_near_the_others() -> None:
    lender = ROWS["us-east-1"]
    assert None not in lender
    for region, row in ROWS.items():
        assert len(row) == len(FIGURES), region
        for name, own, known in zip(FIGURES, row, lender, strict=True):
            # A slip of a digit would be a factor of ten.
            assert own is None or (known is not None and 0.5 < own / known < 2), (region, name)


def test_us_east_1_costs_what_the_pages_of_prices_say() -> None:
    """Read in 2026-11: aws.amazon.com/lambda/pricing, and for logs aws.amazon.com/cloudwatch/pricing."""
    prices = table_prices("us-east-1")
    assert (prices.gb_second_x86, prices.gb_second_arm64) == (0.0000166667, 0.0000133334)
    assert (prices.request, prices.ephemeral_gb_second) == (0.20 / 1_000_000, 0.0000000309)
    assert (prices.log_gb, prices.as_of) == (LOG_INGEST_GB_USD, AS_OF)
    assert prices.borrowed == frozenset()
    assert prices.price_region == "us-east-1"


def test_a_region_without_figures_shows_those_of_us_east_1_and_says_so() -> None:
    unknown, lender = table_prices("xx-nowhere-9"), table_prices("us-east-1")
    assert unknown.borrowed == frozenset(FIGURES)
    assert (unknown.region, unknown.price_region) == ("xx-nowhere-9", "us-east-1")
    assert [getattr(unknown, name) for name in FIGURES] == [getattr(lender, name) for name in FIGURES]


def test_a_region_that_is_known_in_part_borrows_the_rest() -> None:
    cape_town = table_prices("af-south-1")
    assert (cape_town.gb_second("x86_64"), cape_town.gb_second("arm64")) == (0.0000221, 0.00001768)
    assert cape_town.price_region == "af-south-1"
    assert cape_town.borrowed == {"provisioned_arm64", "provisioned_run_arm64", "log_gb"}


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("gb_second_arm64", "gb_second_arm64", 1.0),
        ("request_million", "request", 1e-6),
        ("log_gb", "log_gb", 1.0),
    ],
)
def test_a_price_of_the_user_is_borrowed_from_nobody(setting: str, name: str, value: float) -> None:
    mine = replace(PriceSettings(), **{setting: 1.0})
    prices = prices_for("xx-nowhere-9", mine)
    assert getattr(prices, name) == value
    assert name not in prices.borrowed
    assert prices.set_by == ("configuration",)


def test_a_figure_that_nobody_knows_changes_nothing() -> None:
    assert prices_for("eu-west-1", PriceSettings(), (("price_of_tea", 3.0),), "2026-12-24").gb_second_x86 == (
        table_prices("eu-west-1").gb_second_x86
    )
