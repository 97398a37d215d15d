"""Quota rows of account and functions against figures computed by hand, and what is not growing."""

from __future__ import annotations

import pytest
from fakes.queuescene import ACCOUNT, HOG
from fakes.quotascene import level, reserved, rows, world
from fakes.worlds import (
    NOW,
    PROMPT,
    SCOPE,
    WORKER,
    function,
    metrics,
    points,
)
from msgspec.structs import replace

from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.quota_limits import (
    CONTROL_PLANE,
    SCALING_RATE,
    SPILLOVER,
    UTILISATION,
    Provisioned,
    QuotaLimit,
    UsageMetric,
)
from lambdatop.domain.keys import Key
from lambdatop.domain.quotas.functions import unused_reservations
from lambdatop.domain.quotas.rows import nearness, quota_rows
from lambdatop.domain.quotas.scope_view import view
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.fold_account import calls_seen
from lambdatop.domain.state.snapshot import QuotaRow
from lambdatop.domain.state.world import EMPTY_WORLD

CLAIMED = "ClaimedAccountConcurrency"


def test_the_accounts_concurrency_by_what_is_claimed() -> None:
    rising = [400.0 + 20 * i for i in range(12)]
    given = world(
        reserved(orders_worker=100, thumbnailer=None),
        metrics(level(ACCOUNT, *rising, metric=CLAIMED), level(WORKER, 5, 5, 6), level(HOG, 480, 490, 500)),
    )
    row = rows(given)["concurrent executions"]
    assert (row.used, row.limit, row.headroom, row.code) == (620, 1000, 380, "L-B99A9384")
    # 20 a minute: 380 left are gone in 19 minutes, and every slope says so.
    assert row.exhausted_in_s == pytest.approx(1140)
    assert row.exhausted_range_s == pytest.approx((1140, 1140))
    assert row.confidence == "high"
    # A reservation counts whole although 6 run; thumbnailer has what it executes.
    assert row.consumers == (("thumbnailer", 500), ("orders-worker", 100))
    assert row.stack == (("reserved", 100), ("executing", 520))
    assert row.top == HOG
    assert row.first_throttled.startswith("1 function without a reservation, thumbnailer first: synchronous")
    assert "the 1 with one keep it" in row.first_throttled


def test_the_unreserved_pool_has_the_same_headroom_and_says_what_can_be_reserved() -> None:
    """Lambda developer guide, configuration-concurrency: up to the unreserved concurrency minus 100."""
    given = world(reserved(orders_worker=100), metrics(level(ACCOUNT, *[850.0] * 8, metric=CLAIMED)))
    row = rows(given)["unreserved pool"]
    assert (row.used, row.limit, row.headroom) == (750, 900, 150)
    assert row.note == "what reservations leave; AWS keeps 100 of it that no reservation may take"
    assert rows(given)["reserved by functions"].note == (
        "900 left for functions without a reservation, of which 800 can be reserved"
    )


def test_an_account_that_contradicts_itself_has_no_reservations_below_zero() -> None:
    odd = fold(
        world(reserved(orders_worker=100), metrics(level(ACCOUNT, *[40.0] * 8, metric=CLAIMED))),
        ev.AccountObserved(SCOPE, NOW, AccountFacts(10, 900, 300 << 30, 5 << 30, 2)),
    )
    found = rows(odd)
    assert "unreserved pool" not in found
    assert "reserved by functions" not in found
    whole = found["concurrent executions"]
    assert (whole.used, whole.limit, whole.stack) == (40, 10, ())
    assert whole.note == (
        "what is reserved of it is not known (the answer of lambda:GetAccountSettings contradicts itself)"
    )


def test_executions_alone_are_called_what_they_are() -> None:
    row = rows(world(metrics(level(ACCOUNT, *[40.0] * 5))))["concurrent executions"]
    assert row.used == 40
    assert (
        row.note
        == "ClaimedAccountConcurrency is not published: executions only, idle reservations come on top"
    )
    bare = rows(world())["concurrent executions"]
    assert (bare.used, bare.headroom, bare.share, bare.stack) == (None, None, None, ())
    assert bare.note == (
        "what is used is not known (ClaimedAccountConcurrency has no point of the last minutes): at least "
        "the 100 that are reserved"
    )
    denied = ev.SourceReported(SCOPE, NOW, "metrics", "denied", "no", "cloudwatch:GetMetricData")
    blind = rows(fold(world(), denied))
    assert "not known (cloudwatch:GetMetricData denied)" in blind["concurrent executions"].note
    assert blind["unreserved pool"].used is None


def test_a_limit_that_the_answer_leaves_out_is_no_limit_of_zero() -> None:
    unread = NotKnown("not answered", "lambda:GetAccountSettings")
    account = ev.AccountObserved(SCOPE, NOW + 1, AccountFacts(unread, unread, unread, 1, unread))
    found = rows(fold(world(metrics(level(ACCOUNT, *[40.0] * 5))), account))
    assert not {"concurrent executions", "unreserved pool", "code storage", "request rate"} & found.keys()


def test_what_a_function_uses_is_not_zero_before_it_was_asked_for() -> None:
    kept = ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 50),))
    found = rows(world(kept))["reserved of orders-worker"]
    assert (found.used, found.headroom) == (None, None)


def test_without_account_settings_nothing_is_said_of_it() -> None:
    given = fold(EMPTY_WORLD, ev.FunctionsListed(SCOPE, NOW, (function(),)))
    assert "concurrent executions" not in rows(given)


def test_the_request_rate_is_ten_times_the_concurrency() -> None:
    given = world(
        metrics(points(WORKER, "Invocations", [6000.0] * 6), points(HOG, "Invocations", [60_000.0] * 6))
    )
    row = rows(given)["request rate"]
    assert (row.used, row.limit) == (1100, 10_000)
    assert row.consumers == (("thumbnailer", 1000), ("orders-worker", 100))


def test_our_share_of_the_control_plane_is_counted_and_the_rest_not_pretended() -> None:
    def spent(at: float, calls: int) -> ev.SpendObserved:
        return ev.SpendObserved(
            SCOPE, at, (("lambda.ListFunctions", calls), ("sqs.GetQueueUrl", 999)), 0, 0, 0
        )

    assert "Lambda API rate" not in rows(world(spent(NOW, 30))), "one look is no rate"
    row = rows(world(spent(NOW - 60, 30), spent(NOW - 30, 90), spent(NOW, 150)))["Lambda API rate"]
    assert (row.used, row.limit, row.assumed) == (2, 15, True)
    assert "what others call is not readable" in row.note
    assert "limit assumed (Service Quotas has not answered yet)" in row.note


def test_the_accounts_calls_are_used_where_a_usage_metric_is_named() -> None:
    usage = UsageMetric("AWS/Usage", "CallCount", (), "Sum")
    limits = (QuotaLimit(CONTROL_PLANE, 20, usage=usage),)
    key = Key(SCOPE, "quota", CONTROL_PLANE)
    given = world(ev.QuotasObserved(SCOPE, NOW, limits), metrics(points(key, "CallCount", [540.0, 600.0])))
    row = rows(given)["Lambda API rate"]
    assert (row.used, row.limit, row.assumed, row.note) == (10, 20, False, "")


def test_a_new_process_counts_anew() -> None:
    def spent(at: float, calls: int) -> ev.SpendObserved:
        return ev.SpendObserved(SCOPE, at, (("lambda.X", calls),), 0, 0, 0)

    seen: tuple[tuple[float, int], ...] = ()
    for at, calls in ((0, 100), (60, 400), (90, 3), (91, 4), (92, 5), (500, 6)):
        seen = calls_seen(seen, spent(float(at), calls))
    assert seen == ((500.0, 6),), "what is older than five minutes goes"
    assert calls_seen(((0.0, 100), (60.0, 400)), spent(90.0, 3)) == ((90.0, 3),)
    assert calls_seen(((0.0, 1), (20.0, 2), (21.0, 3)), spent(22.0, 4)) == ((0.0, 1), (20.0, 2), (22.0, 4))


def test_a_reservation_that_fills_up() -> None:
    given = world(reserved(orders_worker=40), metrics(level(WORKER, *(10.0 + 2 * i for i in range(12)))))
    row = rows(given)["reserved of orders-worker"]
    assert (row.used, row.limit, row.own, row.target) == (32, 40, True, WORKER)
    assert row.exhausted_in_s == pytest.approx(240)


def test_provisioned_concurrency_by_its_utilisation_and_what_spills() -> None:
    alias = Key(SCOPE, "alias", "orders-worker:live")
    found = (
        (WORKER, (Provisioned("live", 20, 20, 20, "READY"), Provisioned("next", 8, 3, 0, "IN_PROGRESS"))),
    )
    given = world(
        ev.ProvisionedObserved(SCOPE, NOW, found),
        metrics(level(alias, 0.5, 0.6, 0.9, metric=UTILISATION), points(alias, SPILLOVER, [0.0, 4.0, 8.0])),
    )
    shown = rows(given)
    row = shown["provisioned of orders-worker:live"]
    assert (row.used, row.limit) == (18, 20)
    assert row.note == "12 invocations spilled over to standard concurrency"
    other = quota_rows(given, NOW, PROMPT)
    assert not any(r.name.endswith(":next") for r in other), "the fullest of its kind is enough"
    # Of what is provisioned for a function without a reservation, all is claimed.
    assert shown["concurrent executions"].consumers == (("orders-worker", 23),)


def test_a_short_function_reaches_its_rate_before_its_concurrency() -> None:
    data = metrics(points(WORKER, "Invocations", [5400.0] * 5), points(WORKER, "Duration", [54_000.0] * 5))
    row = rows(world(reserved(orders_worker=10), data))["request rate of orders-worker"]
    assert (row.used, row.limit) == (90, 100)
    slow = metrics(
        points(WORKER, "Invocations", [5400.0] * 5), points(WORKER, "Duration", [5400.0 * 200] * 5)
    )
    assert "request rate of orders-worker" not in rows(world(reserved(orders_worker=10), slow))


def test_a_steep_step_is_held_against_the_scaling_rate() -> None:
    data = metrics(level(WORKER, 10, 10, 4510))
    row = rows(world(data))["scaling rate of orders-worker"]
    assert (row.used, row.limit, row.assumed) == (4500, 6000, True)
    told = ev.QuotasObserved(SCOPE, NOW, (QuotaLimit(SCALING_RATE, 3000),))
    assert "scaling rate of orders-worker" in rows(world(data, told))
    assert rows(world(data, told))["scaling rate of orders-worker"].limit == 18_000
    assert "scaling rate of orders-worker" not in rows(world(metrics(level(WORKER, 10, 10, 30))))


def test_unused_reservations_by_the_hour() -> None:
    data = metrics(level(WORKER, 3, 9), level(HOG, 11, 2))
    given = world(reserved(orders_worker=100, thumbnailer=100), data)
    assert unused_reservations(view(given, SCOPE, NOW, PROMPT), 0.1) == ((WORKER, 100, 9.0),)
    unasked = world(reserved(orders_worker=100))
    assert unused_reservations(view(unasked, SCOPE, NOW, PROMPT), 0.1) == (), "not read is not unused"


def test_the_nearest_comes_first_and_the_soonest_counts_as_near() -> None:
    def made(name: str, used: float, soonest: float | None = None, **more: object) -> QuotaRow:
        range_s = None if soonest is None else (soonest, 2 * soonest)
        row = QuotaRow(name, "", "account", used, 100, "", "", 100 - used, exhausted_range_s=range_s)
        return replace(row, **more)

    ordered = sorted(
        (
            made("calm", 10),
            made("static", 95, fixed=True),
            made("own", 95, own=True),
            made("near", 95),
            made("filling", 50, 360, confidence="medium"),
            made("guessed", 50, 360, confidence="low"),
        ),
        key=nearness,
    )
    assert [r.name for r in ordered] == ["filling", "near", "static", "own", "guessed", "calm"]


def test_many_full_functions_make_ten_lines() -> None:
    many = tuple(function(f"f{i:02d}") for i in range(25))
    held = ev.ConcurrencyObserved(SCOPE, NOW, tuple((f.key, 20) for f in many))
    data = metrics(*(level(f.key, 15, 15) for f in many))
    shown = [
        r
        for r in quota_rows(world(held, data, functions=many), NOW, PROMPT)
        if r.name.startswith("reserved of")
    ]
    assert len(shown) == 10
    assert shown[-1].note == "15 more are used this far"
