from __future__ import annotations

import pytest
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

from lambdatop.domain.detectors.rules import queue_backlog as it
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

FILLS = [1000.0 * n for n in range(1, 16)]
OLDER = [60.0 * n for n in range(1, 16)]
"""One value a minute, fifteen minutes."""


def backlog(
    depth: list[float],
    done: float | None = 350.0,
    ages: list[float] | None = None,
    running: float | None = None,
    reserved: int | None = None,
    errors: float = 0.0,
    throttles: float = 0.0,
    fed_by: dict[str, object] | None = None,
    **facts: object,
) -> World:
    waiting = int(depth[-1])
    data = [
        points(ORDERS, "ApproximateNumberOfMessagesVisible", depth, "Maximum"),
        points(WORKER, "Invocations", [100.0] * 15),
        points(WORKER, "Errors", [100.0 * errors] * 15),
        points(WORKER, "Throttles", [throttles] * 15),
    ]
    if done is not None:
        data.append(points(ORDERS, "NumberOfMessagesDeleted", [done] * 15))
    if ages is not None:
        data.append(points(ORDERS, "ApproximateAgeOfOldestMessage", ages, "Maximum"))
    if running is not None:
        data.append(points(WORKER, "ConcurrentExecutions", [running] * 15, "Maximum"))
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            ev.MappingsListed(SCOPE, NOW, (mapping(**(fed_by or {})),)),
            ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS, visible=waiting, **facts),)),
            ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, reserved),)),
            metrics(*data),
        ],
    )


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


def test_a_queue_fills_because_its_mapping_may_run_two_at_once() -> None:
    seen = backlog(FILLS, ages=OLDER, running=2.0, fed_by={"max_concurrency": 2})
    (finding,) = found(seen)
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key, finding.about) == ("warning", ORDERS, (WORKER, MAPPING))
    assert finding.title == (
        "orders fills: 15000 messages wait, +1000 a minute; "
        "orders-worker runs 2 at once: MaximumConcurrency is 2"
    )
    assert (evidence["waiting"], evidence["growth_per_min"], evidence["done_per_min"]) == (15_000, 1000, 350)
    assert (evidence["drain_s"], evidence["held_by"]) == (2580, "MaximumConcurrency")
    assert (evidence["expires_in_s"], evidence["retention_s"]) == (344_700, 345_600)
    assert str(evidence["expiry"]).startswith("the oldest expires in 3 d 23 h at the latest (retention 4 d")
    assert finding.formula == ("350 done a minute: 42 min for 15000 messages, 1000 at the start of 15 min")
    assert finding.suggests == ("tune_trigger",)


@pytest.mark.parametrize(
    ("seen", "held_by", "suggests"),
    [
        (backlog(FILLS, done=0.0, reserved=0), "reserved concurrency", ("restore_concurrency",)),
        (
            backlog(FILLS, running=5.0, reserved=5),
            "reserved concurrency",
            ("restore_concurrency", "cap_concurrency"),
        ),
        (backlog(FILLS, errors=0.6), "errors", ()),
        (backlog(FILLS, running=20.0, fed_by={"pollers_max": 2}), "2 pollers x 10", ()),
        (backlog(FILLS, throttles=3.0), "throttles", ()),
        (backlog(FILLS, fifo=True), "message groups", ()),
        (backlog(FILLS), "not known", ()),
        (backlog(FILLS, fed_by={"max_concurrency": 2}), "not known", ()),  # nobody read what runs
        (backlog(FILLS, running=1.0, fed_by={"max_concurrency": 2}), "not known", ()),
    ],
)
def test_what_holds_the_consumer(seen: World, held_by: str, suggests: tuple[str, ...]) -> None:
    (finding,) = found(seen)
    assert (dict(finding.evidence)["held_by"], finding.suggests) == (held_by, suggests)


def test_what_will_expire_before_its_turn_is_critical() -> None:
    (finding,) = found(backlog(FILLS, done=350.0, retention_s=5000))
    assert finding.severity == "critical"
    assert [f.severity for f in found(backlog(FILLS, done=0.0))] == ["critical"]
    assert [f.severity for f in found(backlog(FILLS, done=350.0, retention_s=5400))] == ["warning"]
    assert [f.severity for f in found(backlog(FILLS, 350.0, retention_s=5400), (finding,))] == ["critical"]
    (old,) = found(backlog(FILLS, ages=[200_000.0] * 15))
    assert old.severity == "critical"


def test_a_queue_that_stands_full_and_takes_an_hour_or_more() -> None:
    assert [f.severity for f in found(backlog([90_000.0] * 15))] == ["warning"]
    assert found(backlog([20_900.0] * 15)) == []
    assert found(backlog([90_000.0 - 1000 * n for n in range(15)])) == []  # it falls
    assert found(backlog([90_000.0] * 15, done=None)) == []  # nobody knows what is done


def test_a_blocked_group_shows_by_the_age_alone() -> None:
    (finding,) = found(backlog([3.0] * 15, ages=OLDER, fifo=True))
    assert finding.title.startswith("orders is blocked: 3 messages wait and the oldest grows older; a FIFO")
    assert found(backlog([3.0] * 15, ages=[a / 3 for a in OLDER], fifo=True)) == []
    assert found(backlog([3.0] * 15, ages=OLDER)) == []  # a standard queue goes on with others
    assert found(backlog([0.0] * 15, ages=OLDER, fifo=True)) == []


def test_what_drains_in_minutes_and_what_is_unfed_is_silent() -> None:
    assert found(backlog(FILLS, done=3001.0)) == []
    assert found(backlog([5.0 * n for n in range(15)])) == []  # few
    assert found(backlog(FILLS, fed_by={"state": "Disabled"})) == []
    assert found(backlog([1000.0, *[9000.0] * 14])) == []  # one step
    assert found(fold_all(backlog(FILLS), [ev.QueuesObserved(SCOPE, NOW, (queue(DLQ),))])) != []


def test_a_producer_that_sends_in_portions_is_silent() -> None:
    portions = points(ORDERS, "NumberOfMessagesSent", [4000.0, 0.0, 0.0] * 5)
    steady = points(ORDERS, "NumberOfMessagesSent", [1350.0] * 15)
    assert found(fold_all(backlog(FILLS), [metrics(portions)])) == []
    assert len(found(fold_all(backlog(FILLS), [metrics(steady)]))) == 1


def test_what_came_while_the_trigger_was_paused_does_not_count() -> None:
    assert found(backlog(FILLS, fed_by={"last_modified": NOW - 120})) == []
    (finding,) = found(backlog(FILLS, fed_by={"last_modified": NOW - 600}))
    assert dict(finding.evidence)["window_min"] == 9


def test_it_stands_until_it_drains_in_well_under_the_threshold() -> None:
    (stood,) = found(backlog(FILLS))
    assert found(backlog(FILLS, done=3300.0), (stood,)) != []
    assert found(backlog(FILLS, done=6000.0), (stood,)) == []


def test_not_known_what_is_done_is_said() -> None:
    (finding,) = found(backlog(FILLS, done=None))
    assert finding.formula.startswith("how many are done a minute is not known for 15000 messages")
    assert dict(finding.evidence)["drain_s"] is None


def _with_groups(seen: World, metric: str, values: list[float]) -> World:
    return fold_all(seen, [metrics(points(ORDERS, metric, values, "Maximum"))])


def test_how_many_groups_of_a_fifo_queue_are_worked_off_at_once() -> None:
    seen = _with_groups(
        backlog(FILLS, fifo=True), "ApproximateNumberOfGroupsWithInflightMessages", [2.0, 3.0]
    )
    (finding,) = found(seen)
    assert finding.title.endswith("group by group, one batch of each at a time, 3 at once")
    assert dict(finding.evidence)["groups_in_flight"] == 3
    (finding,) = found(backlog(FILLS, fifo=True))
    assert finding.title.endswith("one batch of each at a time")
    assert dict(finding.evidence)["groups_in_flight"] is None


def test_noisy_groups_of_a_standard_queue() -> None:
    seen = _with_groups(backlog(FILLS), "ApproximateNumberOfNoisyGroups", [0.0, 2.0])
    (finding,) = found(seen)
    assert finding.title.endswith("is not known; 2 of its message groups take most of it")
    (finding,) = found(_with_groups(backlog(FILLS), "ApproximateNumberOfNoisyGroups", [0.0, 0.0]))
    assert finding.title.endswith("what holds its consumer is not known")
    assert dict(finding.evidence)["noisy_groups"] == 0
