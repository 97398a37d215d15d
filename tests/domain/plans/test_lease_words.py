"""A lease names the thing it is for, and its holder in words, whatever the table holds."""

from __future__ import annotations

import math

import pytest
from fakes.worlds import SCOPE

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.lease import Held, held_by_other, lease_name, taken

NOON = 1_800_014_590.0


def test_the_holder_is_named_with_time_and_fence() -> None:
    held = Held("kim@bastion", NOON, 7)
    assert held_by_other(held).words == "held by kim@bastion until 12:03:10 UTC (fence 7)"
    assert not held_by_other(held).mine
    assert taken(held).words == "lease taken until 12:03:10 UTC (fence 7)"
    assert taken(held).mine


@pytest.mark.parametrize("until", [math.inf, math.nan, 1e300, -1e300])
def test_a_time_that_no_calendar_holds_is_not_known(until: float) -> None:
    assert held_by_other(Held("kim", until, 1)).words == "held by kim until ? (fence 1)"


def test_things_of_the_same_name_have_leases_of_their_own() -> None:
    keys = [
        Key(SCOPE, "function", "orders"),
        Key(SCOPE, "queue", "orders"),
        Key(SCOPE._replace(region="us-east-1"), "queue", "orders"),
        Key(SCOPE._replace(account="999999999999"), "queue", "orders"),
    ]
    assert lease_name(keys[0]) == f"{SCOPE.account}/{SCOPE.region}/function/orders"
    assert len({lease_name(key) for key in keys}) == 4
