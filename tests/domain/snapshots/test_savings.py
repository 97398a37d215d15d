"""What a plan says that stopping saves, from burn to words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from fakes.worlds import (
    DLQ,
    MAPPING,
    NOW,
    ORDERS,
    PROMPT,
    WORKER,
    function,
    incident,
    mapping,
    metrics,
    points,
)

from lambdatop.domain.cost.burn import Burn
from lambdatop.domain.facts.quota_limits import Provisioned
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.triggers import IAM
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Call, Plan, Saving
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.snapshots.savings import saving
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import World


def plan(name: str, target: Key, after: Mapping[str, Any] | None = None, **changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "id": "p",
        "mitigation": name,
        "target": Ref(target, "arn", target.id),
        "title": "t",
        "tier": "T1",
        "call": Call("lambda", "X", {}),
        "before": {},
        "after": after or {},
        "undo": None,
        "way_back": WayBack(""),
        "lost": "",
        "in_flight": "",
        "takes_effect": "",
        "confirm": "key",
        "command": (),
        "iam_actions": IAM,
        "planned_at": NOW,
    }
    return Plan(**(fields | changes))


def snap(world: World) -> Snapshot:
    return build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=NOW, version="t", mode="operator", settings=PROMPT
    )


def busy(running: float = 4.0) -> World:
    """Return the incident, with so many executions at once."""
    return fold(incident(), metrics(points(WORKER, "Duration", [running * 60_000.0] * 10)))


def burn(seen: Snapshot) -> Burn:
    found = next(r.burn for r in seen.functions if r.key == WORKER)
    assert found is not None
    return found


def test_throttling_saves_all_that_the_function_costs_because_it_runs() -> None:
    seen = snap(busy())
    found = saving(plan("throttle_to_zero", WORKER), seen)
    assert found == Saving(burn(seen).usage, burn(seen).wasted, "burn of orders-worker now")
    # 4 at once x 0.25 GB are 3,600 GB-s an hour.
    assert found.usd_per_hour == pytest.approx(0.06000012 + 20 * 60 * 0.0000002)


def test_provisioned_concurrency_is_not_saved_and_is_said_to_go_on() -> None:
    allocated = ((WORKER, (Provisioned("live", 10, 10, 10, "READY"),)),)
    seen = snap(fold(busy(), ev.ProvisionedObserved(ORDERS.scope, NOW, allocated)))
    found = saving(plan("throttle_to_zero", WORKER), seen)
    assert found is not None
    assert found.usd_per_hour == burn(seen).usage < burn(seen).total
    # 10 x 0.25 GB x 3,600 s x $0.0000050147
    assert found.why.endswith("$0.04513/h of provisioned concurrency goes on")


def test_a_trigger_among_others_saves_at_most_the_burn() -> None:
    alone = saving(plan("disable_trigger", MAPPING), snap(busy()))
    assert alone is not None
    assert not alone.at_most
    second = mapping(key=Key(MAPPING.scope, "mapping", "another"))
    shared = snap(fold(busy(), ev.MappingsListed(ORDERS.scope, NOW, (mapping(), second))))
    found = saving(plan("disable_trigger", MAPPING), shared)
    assert found is not None
    assert found.at_most
    assert found.why == "burn of orders-worker now; it has other triggers, which go on"
    pushed = snap(fold(busy(), metrics(points(WORKER, "AsyncEventsReceived", [1.0] * 10))))
    also = saving(plan("disable_trigger", MAPPING), pushed)
    assert also is not None
    assert also.at_most


def test_a_cap_saves_the_share_of_running_time_above_it() -> None:
    seen = snap(busy(4.0))
    found = saving(plan("cap_concurrency", WORKER, {"reserved_concurrency": 1}), seen)
    assert found is not None
    assert found.usd_per_hour == pytest.approx(0.75 * burn(seen).usage)
    assert found.wasted_usd_per_hour == pytest.approx(0.75 * (burn(seen).wasted or 0))
    assert found.why.startswith("4.0 run at once on average, 1 at the cap: 75% of the burn of orders-worker")
    wide = saving(plan("cap_concurrency", WORKER, {"reserved_concurrency": 4}), seen)
    assert wide == Saving(0.0, None, "4.0 run at once on average, the cap is 4: it cuts peaks only")


def test_a_queue_saves_its_repeated_receives() -> None:
    seen = snap(busy())
    storm = next(s for s in seen.storms if s.mapping == MAPPING)
    for name in ("purge_queue", "quarantine_queue"):
        found = saving(plan(name, ORDERS), seen)
        assert found == Saving(
            storm.wasted_usd_per_hour or 0, storm.wasted_usd_per_hour, "repeated receives from orders"
        )
        assert found.usd_per_hour > 0
        assert saving(plan(name, DLQ), seen) is None  # nobody works it off


def test_stopping_retries_saves_the_attempts_beyond_the_first() -> None:
    again = metrics(
        points(WORKER, "AsyncEventsReceived", [10.0] * 15),
        points(WORKER, "AsyncEventAge", [20.0] * 15, "SampleCount"),
    )
    seen = snap(fold(busy(), again))
    found = saving(plan("stop_async_retries", WORKER), seen)
    assert found is not None
    assert found.usd_per_hour == found.wasted_usd_per_hour == pytest.approx(burn(seen).usage / 2)
    assert saving(plan("stop_async_retries", WORKER), snap(busy())) is None


def test_a_loop_saves_at_most_the_burn() -> None:
    found = saving(plan("stop_recursion", WORKER), snap(busy()))
    assert found is not None
    assert found.at_most


def test_what_is_not_known_or_saves_nothing_is_left_out() -> None:
    seen = snap(busy())
    for name, target in (("tune_trigger", MAPPING), ("enable_trigger", MAPPING), ("disable_rule", WORKER)):
        assert saving(plan(name, target), seen) is None
    for name, target in (("throttle_to_zero", WORKER), ("disable_trigger", MAPPING), ("purge_queue", ORDERS)):
        assert saving(plan(name, target), EMPTY_SNAPSHOT) is None
    assert saving(plan("throttle_to_zero", WORKER, undoes="e"), seen) is None
    unread = snap(fold(busy(), ev.FunctionsListed(WORKER.scope, NOW, (function(), function("new")))))
    assert saving(plan("throttle_to_zero", Key(WORKER.scope, "function", "new")), unread) is None
