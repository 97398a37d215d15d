"""When lines come through Live Tail without anybody asking, and how long the budget lets them."""

from __future__ import annotations

from fakes import console_scene as scene
from msgspec.structs import replace

from lambdatop.domain.plans.finding import Severity
from lambdatop.domain.state.world import Spend
from lambdatop.engine.collecting.live_policy import LivePolicy

ORDERS, EMAILS = scene.key("function", "orders-worker"), scene.key("function", "email-sender")
BOTH = frozenset({ORDERS, EMAILS})


def burning(usd: float = 0.0, per_hour: float = 0.0, budget: float = 0.5, severity: Severity = "critical"):  # type: ignore[no-untyped-def]
    found = scene.snapshot()
    incident = replace(found.incidents[0], functions=(ORDERS,), severity=severity)
    return replace(found, incidents=(incident,), spend=Spend((), usd, per_hour, budget))


def test_the_log_on_screen_is_live_while_a_critical_incident_concerns_it() -> None:
    policy = LivePolicy(in_incidents=True)
    assert policy.keys(BOTH, burning()) == {ORDERS}
    assert policy.keys(frozenset({EMAILS}), burning()) == frozenset()
    assert policy.keys(BOTH, burning(severity="warning")) == frozenset()
    assert LivePolicy(in_incidents=False).keys(BOTH, burning()) == frozenset()


def test_what_a_person_says_goes_before_incidents_and_budget() -> None:
    policy = LivePolicy(in_incidents=True)
    policy.asked = True
    assert policy.keys(BOTH, burning(usd=9.0, per_hour=9.0)) == BOTH
    policy.asked = False
    assert policy.keys(BOTH, burning()) == frozenset()


def test_what_nobody_asked_for_stays_within_the_budget_and_does_not_flap() -> None:
    policy = LivePolicy(in_incidents=True)
    young = burning(usd=0.02, per_hour=0.6)  # a projection is no spending
    assert policy.keys(BOTH, young) == {ORDERS}
    assert policy.keys(BOTH, burning(usd=0.5, per_hour=0.5)) == frozenset()
    assert policy.keys(BOTH, burning(usd=0.9, per_hour=0.45)) == frozenset()
    assert policy.keys(BOTH, burning(usd=0.9, per_hour=0.24)) == {ORDERS}
    assert policy.keys(BOTH, burning(usd=0.9, per_hour=0.45)) == {ORDERS}
    assert policy.keys(BOTH, burning(usd=9.0, per_hour=9.0, budget=0.0)) == {ORDERS}  # 0: no budget
