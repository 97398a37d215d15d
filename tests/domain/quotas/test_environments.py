"""Quota rows of capacity providers and of environments of tenants."""

from __future__ import annotations

import pytest
from fakes.quotascene import reserved, rows, world
from fakes.worlds import NOW, SCOPE, WORKER, function, metrics, points
from msgspec.structs import replace

from lambdatop.domain.facts.function_state import VCPUS, CapacityProvider
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.quota_limits import RUNNING_DURABLE, QuotaLimit
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.snapshot import QuotaRow
from lambdatop.domain.state.world import EMPTY_WORLD, World

SHOP = Key(SCOPE, "capacity provider", "shop")
TYPES = ("c8g.xlarge", "m7g.large")


def provider(most: int | None = 64, types: tuple[str, ...] | NotKnown = TYPES) -> CapacityProvider:
    return CapacityProvider(SHOP, "Active", most, types)


def on_instances(made: CapacityProvider, *more: ev.Event) -> World:
    facts = function(managed_instances=True, capacity_provider="shop")
    given = world(ev.FunctionsListed(SCOPE, NOW + 1, (facts,)), *more)
    return fold(given, ev.CapacityProvidersListed(SCOPE, NOW, (made,)))


def vcpus(of: str, allocated: list[float], available: list[float]) -> ev.MetricsObserved:
    key = provider().measured_as(of)
    values = zip(VCPUS, (allocated, available), strict=True)
    return metrics(*(points(key, metric, each) for metric, each in values if each))


def row_of(made: CapacityProvider, *more: ev.Event) -> QuotaRow:
    return rows(on_instances(made, *more))["vCPUs of capacity provider shop"]


def test_vcpus_of_a_provider_are_those_of_all_its_instances() -> None:
    used = vcpus("c8g.xlarge", [20.0] * 5, [4.0] * 5), vcpus("m7g.large", [10.0] * 5, [2.0] * 5)
    row = row_of(provider(), *used)
    assert (row.used, row.limit, row.headroom, row.unit) == (36, 64, 28, "vCPUs")
    assert row.note == "Active; runs orders-worker"
    assert (row.own, row.target) == (True, SHOP)


def test_an_instance_type_that_has_ended_counts_nothing() -> None:
    assert row_of(provider(), vcpus("m7g.large", [10.0] * 5, [2.0] * 5)).used == 12


@pytest.mark.parametrize(
    ("types", "seen", "words"),
    [
        (TYPES, (), "its vCPUs are without a point of the last minutes; Active"),
        (TYPES, (vcpus("m7g.large", [10.0] * 5, []),), "its vCPUs are without a point"),
        (
            NotKnown("denied", "cloudwatch:ListMetrics"),
            (),
            "its vCPUs are not known (cloudwatch:ListMetrics denied); Active",
        ),
    ],
)
def test_what_is_not_known_of_a_provider_is_not_zero(
    types: tuple[str, ...] | NotKnown, seen: tuple[ev.Event, ...], words: str
) -> None:
    row = row_of(provider(types=types), *seen)
    assert (row.used, row.share) == (None, None)
    assert row.note.startswith(words)


def test_a_provider_without_a_limit_has_no_row() -> None:
    assert not [name for name in rows(on_instances(provider(None))) if "capacity provider" in name]


@pytest.mark.parametrize(("own", "limit"), [(None, 2_500), (200, 500)])
def test_tenants_may_have_two_and_a_half_environments_for_each_of_the_concurrency(
    own: int | None, limit: float
) -> None:
    tenants = ev.FunctionsListed(SCOPE, NOW + 1, (function(per_tenant=True),))
    row = rows(world(tenants, reserved(orders_worker=own)))["tenant environments of orders-worker"]
    assert (row.used, row.limit, row.share, row.target) == (None, limit, None, WORKER)
    assert row.note == "no metric tells how many there are; idle ones count"


@pytest.mark.parametrize(
    ("region", "told", "limit", "assumed"),
    [
        ("eu-central-1", None, 5_000_000, True),
        ("us-east-1", None, 10_000_000, True),
        ("us-east-1", 12_000_000.0, 12_000_000, False),
    ],
)
def test_running_durable_executions_have_the_applied_limit_where_it_was_read(
    region: str, told: float | None, limit: float, assumed: bool
) -> None:
    scope = Scope(SCOPE.account, region)
    facts = replace(function(durable=True), key=Key(scope, "function", "saga"))
    found = () if told is None else (QuotaLimit(RUNNING_DURABLE, told),)
    given = fold_all(
        EMPTY_WORLD, [ev.FunctionsListed(scope, NOW, (facts,)), ev.QuotasObserved(scope, NOW, found)]
    )
    row = rows(given)["durable executions"]
    assert (row.limit, row.assumed, row.code) == (limit, assumed, RUNNING_DURABLE)


def test_a_newer_list_of_providers_replaces_the_one_before_and_an_older_one_nothing() -> None:
    given = on_instances(provider())
    assert fold(given, ev.CapacityProvidersListed(SCOPE, NOW + 1, ())).capacity_providers == {}
    assert fold(given, ev.CapacityProvidersListed(SCOPE, NOW - 1, ())).capacity_providers == (
        given.capacity_providers
    )
