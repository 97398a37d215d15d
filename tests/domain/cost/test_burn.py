"""The parts of burn against cases computed by hand."""

from __future__ import annotations

import pytest
from fakes.burnscene import EXACT, GROUP, burn, provisioned, ran, row, snap
from fakes.worlds import (
    DLQ,
    MAPPING,
    NOW,
    ORDERS,
    PROMPT,
    SCOPE,
    WORKER,
    function,
    mapping,
    metrics,
    points,
    queue,
)
from msgspec.structs import replace

from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.figures.function_cost import Burning
from lambdatop.domain.keys import Key
from lambdatop.domain.settings.settings import PriceSettings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT
from lambdatop.domain.state.world import EMPTY_WORLD

# -- the parts -------------------------------------------------------------------------------------
# 60 s of execution a minute are 3,600 s an hour: with 1 GB 3,600 GB-s, x $0.0000166667 = $0.06000012.


@pytest.mark.parametrize(
    ("memory_mb", "architecture", "usd_per_hour"),
    [
        (1024, "x86_64", 0.06000012),
        (1024, "arm64", 0.04800024),
        (128, "x86_64", 0.007500015),
        (128, "arm64", 0.00600003),
        (10_240, "x86_64", 0.6000012),
        (10_240, "arm64", 0.4800024),
    ],
)
def test_duration_by_memory_and_architecture(memory_mb: int, architecture: str, usd_per_hour: float) -> None:
    found = burn(ran(function(memory_mb=memory_mb, architecture=architecture)))
    assert found.duration == EXACT(usd_per_hour, rel=1e-9)
    # 100 a minute are 6,000 an hour at $0.20 a million.
    assert found.requests == EXACT(0.0012, rel=1e-9)
    assert (found.ephemeral, found.provisioned, found.logs) == (0.0, None, None)
    assert found.running == EXACT(1.0)
    assert found.total == EXACT(usd_per_hour + 0.0012)


def test_managed_instances_have_no_price_of_the_duration() -> None:
    found = burn(ran(function(memory_mb=8192, managed_instances=True)))
    assert found.duration == 0.0
    assert found.requests == EXACT(0.0012, rel=1e-9)


def test_a_memory_that_no_answer_told_has_no_price_and_ends_no_round() -> None:
    untold = NotKnown("not answered", "lambda:ListFunctions")
    managed = function(memory_mb=untold, managed_instances=True)
    found = burn(provisioned(ran(managed), 3))
    assert (found.duration, found.provisioned) == (0.0, None)
    assert row(snap(provisioned(ran(function(memory_mb=untold)), 3))).burn is None


def test_tmp_of_ten_gigabytes_costs_what_is_above_half_a_gigabyte() -> None:
    found = burn(ran(function(ephemeral_mb=10_240)))
    # (10,240 - 512) / 1,024 GB x 3,600 s x $0.0000000367 (eu-central-1)
    assert found.ephemeral == EXACT(9.5 * 3600 * 0.0000000367, rel=1e-9)
    assert burn(ran(function(ephemeral_mb=512))).ephemeral == 0.0


def test_provisioned_concurrency_is_paid_for_while_nothing_runs() -> None:
    idle = fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(memory_mb=2048),)),
            metrics(points(WORKER, "Invocations", []), points(WORKER, "Duration", [])),
        ],
    )
    assert burn(idle).total == 0.0
    found = burn(provisioned(idle, 4, 1))
    # 5 environments x 2 GB x 3,600 s x $0.0000050147 (eu-central-1)
    assert found.provisioned == EXACT(5 * 2 * 3600 * 0.0000050147, rel=1e-9)
    assert (found.usage, found.total) == (0.0, found.provisioned)
    assert row(snap(provisioned(idle, 4, 1))).burn_usd_per_hour == found.total


def test_what_runs_on_provisioned_concurrency_costs_its_own_price_where_it_was_asked_for() -> None:
    facts = function(memory_mb=1024)
    served = points(WORKER, "ProvisionedConcurrencyInvocations", [75.0] * 10)
    found = burn(provisioned(ran(facts, served), 1))
    # three quarters at $0.0000117011, one at $0.0000166667 (eu-central-1)
    assert found.duration == EXACT(3600 * (0.75 * 0.0000117011 + 0.25 * 0.0000166667), rel=1e-9)
    assert burn(provisioned(ran(facts), 1)).duration == EXACT(0.06000012, rel=1e-9)  # never asked
    assert burn(ran(facts, served)).duration == EXACT(
        0.06000012, rel=1e-9
    )  # none configured, as far as known


def test_logs_at_the_price_of_the_region() -> None:
    found = burn(ran(function(), points(GROUP, "IncomingBytes", [50e6] * 10)))
    # 50 MB a minute are 3 GB an hour, x $0.63 (eu-central-1)
    assert found.logs == EXACT(1.89, rel=1e-9)
    assert found.log_writers == 1
    assert found.total == EXACT(found.usage) == EXACT(found.duration + found.requests + 1.89)


def test_logs_of_a_group_that_was_asked_for_less_often_count_its_own_last_minutes() -> None:
    facts = function()
    late = points(GROUP, "IncomingBytes", [1e6] * 4 + [50e6] * 3, end=NOW - 300)
    world = fold(ran(facts), ev.MetricsObserved(SCOPE, NOW - 300, NOW - 3900, NOW - 300, (late,)))
    assert burn(world).logs == EXACT(1.89, rel=1e-9)


def test_a_group_that_takes_nothing_in_costs_nothing_and_one_never_asked_about_is_not_known() -> None:
    assert burn(ran(function(), points(GROUP, "IncomingBytes", []))).logs == 0.0
    assert burn(ran(function())).logs is None
    assert burn(ran(function(log_group=""))).logs is None


def test_a_shared_group_is_split_by_invocations() -> None:
    shared = function(log_group="/shared"), function("thumbnailer", log_group="/shared")
    group = Key(SCOPE, "log group", "/shared")
    busy = shared[1].key
    world = fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, shared),
            metrics(
                points(WORKER, "Invocations", [10.0] * 10),
                points(busy, "Invocations", [30.0] * 10),
                points(group, "IncomingBytes", [50e6] * 10),
            ),
        ],
    )
    assert burn(world).logs == EXACT(1.89 / 4, rel=1e-9)
    assert burn(world, name="thumbnailer").logs == EXACT(1.89 * 3 / 4, rel=1e-9)
    assert burn(world).log_writers == 2
    assert snap(world).burn.parts.logs == EXACT(1.89, rel=1e-9)  # together all of it, once


def test_minutes_in_which_only_the_runs_were_counted_do_not_look_cheap() -> None:
    later = NOW + 300
    counted = points(WORKER, "Invocations", [100.0] * 5, end=later)
    swept = ev.MetricsObserved(SCOPE, later, NOW, later, (counted,), partial=True)
    world = fold(ran(function(memory_mb=1024)), swept)
    seen = build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=later, version="t", mode="operator", settings=PROMPT
    )
    found = row(seen).burn
    assert found is not None
    assert found.duration == EXACT(0.06000012, rel=1e-9)


# -- waste -----------------------------------------------------------------------------------------


def test_waste_is_the_largest_share_of_what_failed_or_was_done_again() -> None:
    failing = ran(function(memory_mb=1024), points(WORKER, "Errors", [40.0] * 10))
    assert burn(failing).wasted == EXACT(0.4 * burn(failing).usage)
    again = fold_all(
        failing,
        [
            ev.MappingsListed(SCOPE, NOW, (mapping(),)),
            ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS, in_flight=0),)),
            metrics(
                points(ORDERS, "NumberOfMessagesReceived", [100.0] * 10),
                points(ORDERS, "NumberOfMessagesDeleted", [25.0] * 10),
            ),
        ],
    )
    assert burn(again).wasted == EXACT(0.75 * burn(again).usage)  # not 0.4 + 0.75
    storm = next(s for s in snap(again).storms if s.mapping == MAPPING)
    assert storm.wasted_usd_per_hour == EXACT(burn(again).wasted)  # the pane says the same


def test_repeated_asynchronous_attempts_are_waste() -> None:
    world = ran(
        function(),
        points(WORKER, "AsyncEventsReceived", [20.0] * 15),
        points(WORKER, "AsyncEventAge", [60.0] * 15, "SampleCount"),
    )
    assert burn(world).wasted == EXACT(burn(world).usage * 2 / 3)


def test_a_disabled_mapping_and_provisioned_concurrency_are_no_waste() -> None:
    world = fold_all(
        provisioned(ran(function()), 2),
        [
            ev.MappingsListed(SCOPE, NOW, (mapping(state="Disabled"),)),
            metrics(points(ORDERS, "NumberOfMessagesReceived", [100.0] * 10), points(DLQ, "x", [1.0])),
        ],
    )
    assert burn(world).wasted == 0.0
    failing = provisioned(ran(function(), points(WORKER, "Errors", [100.0] * 10)), 2)
    assert burn(failing).wasted == EXACT(burn(failing).usage)
    assert burn(failing).provisioned


# -- prices ----------------------------------------------------------------------------------------


def test_the_users_price_counts_before_the_one_that_was_read_and_both_before_the_table() -> None:
    facts = function(memory_mb=1024)
    read = ev.PricesObserved(SCOPE, NOW, "2026-12-24", (("gb_second_x86", 0.00002), ("request", 0.000001)))
    world = fold(ran(facts), read)
    assert burn(world).duration == EXACT(0.072)
    assert burn(world).requests == EXACT(0.006)
    mine = replace(PROMPT, prices=PriceSettings(gb_second_x86=0.00001))
    assert burn(world, mine).duration == EXACT(0.036)
    assert burn(world, mine).requests == EXACT(0.006)
    prices = snap(world, mine).burn.prices
    assert prices.as_of == "2026-12-24"
    assert prices.set_by == ("Price List API", "configuration")
    older = fold(world, ev.PricesObserved(SCOPE, NOW + 5, "2026-12-23", (("gb_second_x86", 1.0),)))
    assert burn(older) == burn(world)


def test_borrowed_prices_are_told_only_where_they_count() -> None:
    assert burn(ran(function())).borrowed == frozenset()
    on_arm = provisioned(ran(function(architecture="arm64")), 1)
    assert burn(on_arm).borrowed == {"provisioned_arm64", "provisioned_run_arm64"}
    assert snap(on_arm).burn.parts.borrowed == burn(on_arm).borrowed


def test_provisioned_pollers_are_named_as_not_counted() -> None:
    """aws.amazon.com/lambda/pricing: event poller units by the hour, whether something runs or not."""
    facts = function("orders-worker")
    listed = ev.FunctionsListed(SCOPE, NOW, (facts,))
    held = mapping(pollers_min=2, pollers_max=20)
    second = mapping(key=held.key._replace(id="second"), pollers_max=5)
    off = mapping(key=held.key._replace(id="third"))
    for mappings, words in (
        ((held, second, off), ("event poller units of 4 to 25 provisioned pollers",)),
        ((off,), ()),
    ):
        world = fold_all(EMPTY_WORLD, [listed, ev.MappingsListed(SCOPE, NOW, mappings)])
        burn = Burning(evaluation_context(world, NOW, PROMPT)).of(facts, None)
        assert burn is not None
        assert burn.besides == words
