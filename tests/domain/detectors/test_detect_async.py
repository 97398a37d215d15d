from __future__ import annotations

import pytest
from fakes.queuescene import found, runs, scene
from fakes.worlds import NOW, SCOPE, WORKER, points
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import async_amplification, async_backlog, async_loss
from lambdatop.domain.facts.function_state import FunctionState
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.triggers import AsyncConfig, FunctionTriggers
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.events import MetricPoints

END = NOW - 60
FREE = ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, None),))
LOST = "arn:aws:sqs:eu-central-1:111122223333:lost"


def triggers(config: AsyncConfig | NotKnown) -> ev.TriggersObserved:
    return ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(WORKER, config),))


def events(
    received: list[float], attempts: list[float], age_ms: list[float], errors: list[float] | None = None
) -> list[MetricPoints]:
    return [
        *runs(AsyncEventsReceived=received, Errors=errors or [1.0] * len(received)),
        points(WORKER, "AsyncEventAge", attempts, "SampleCount", END),
        points(WORKER, "AsyncEventAge", age_ms, "Maximum", END),
    ]


def test_more_attempts_than_events_are_a_storm() -> None:
    world = scene(events([4.0] * 15, [10.0] * 15, [180_000.0] * 15), triggers(AsyncConfig(None, None, LOST)))
    (finding,) = found(async_amplification.detect, world)
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("critical", WORKER)
    assert finding.title == "orders-worker runs each async event 2.5 times"
    assert (evidence["events_received"], evidence["attempts"], evidence["attempts_ratio"]) == (60, 150, 2.5)
    assert (evidence["retries"], evidence["then"]) == (2, "queue lost")
    assert finding.formula == "150 attempts / 60 events received = 2.50 >= 2 over 15 min"
    assert finding.since == END - 15 * 60
    assert finding.suggests[0] == "stop_async_retries"


def test_giving_up_retries_of_a_storm_is_suggested_only_where_somebody_takes_the_events() -> None:
    storm = events([4.0] * 15, [10.0] * 15, [180_000.0] * 15)
    taken = AsyncConfig(None, None, LOST)
    for known, suggests in (
        ((triggers(taken),), ("stop_async_retries", "throttle_to_zero")),
        ((triggers(AsyncConfig()),), ("throttle_to_zero",)),  # neither DLQ nor destination
        ((), ("throttle_to_zero",)),  # not read
        ((triggers(replace(taken, max_retries=0)),), ("throttle_to_zero",)),  # nothing to give up
    ):
        (finding,) = found(async_amplification.detect, scene(storm, *known))
        assert finding.suggests == suggests


def test_throttled_attempts_are_not_called_runs() -> None:
    data = [*events([4.0] * 15, [16.0] * 15, [180_000.0] * 15), *runs(Throttles=[12.0] * 15)]
    (finding,) = found(async_amplification.detect, scene(data))
    assert finding.title == "orders-worker: each async event takes 4.0 attempts, most of them throttled"


@pytest.mark.parametrize(
    "data",
    [
        events([1.0] * 15, [3.0] * 15, [180_000.0] * 15),  # below the floor of 20 events
        events([4.0] * 15, [5.0] * 15, [180_000.0] * 15),  # 1.25 attempts
        events([4.0] * 15, [10.0] * 15, [900.0] * 15),  # young: nothing was retried
        events([4.0] * 15, [10.0] * 15, [180_000.0] * 15, [0.0] * 15),  # no failure: a backlog drains
        runs(AsyncEventsReceived=[4.0] * 15),  # attempts are not known
        [],
    ],
)
def test_amplification_is_silent_where_nothing_repeats(data: list[MetricPoints]) -> None:
    assert found(async_amplification.detect, scene(data)) == []


def test_a_standing_amplification_does_not_flicker() -> None:
    hovering = scene(events([4.0] * 15, [4.8] * 15, [180_000.0] * 15))
    assert found(async_amplification.detect, hovering) == []
    storm = found(async_amplification.detect, scene(events([4.0] * 15, [6.0] * 15, [180_000.0] * 15)))
    assert [f.severity for f in storm] == ["warning"]
    assert [f.severity for f in found(async_amplification.detect, hovering, storm)] == ["warning"]


def test_minutes_that_are_not_final_neither_raise_nor_clear() -> None:
    world = scene(
        [
            points(WORKER, "AsyncEventsReceived", [40.0], end=NOW),
            points(WORKER, "Errors", [40.0], end=NOW),
            points(WORKER, "AsyncEventAge", [120.0], "SampleCount", NOW),
            points(WORKER, "AsyncEventAge", [180_000.0], "Maximum", NOW),
        ]
    )
    assert found(async_amplification.detect, world) == []


def test_events_without_a_destination_are_lost() -> None:
    dropped = runs(AsyncEventsDropped=[0.0, 2.0, 3.0])
    (finding,) = found(async_loss.detect, scene(dropped, triggers(AsyncConfig()), FREE))
    assert (finding.severity, finding.title) == ("critical", "orders-worker lost 5 async events")
    (unread,) = found(async_loss.detect, scene(dropped, triggers(AsyncConfig())))
    assert (unread.severity, unread.title) == ("info", finding.title), "it may be throttled to zero"
    assert finding.since == END - 120
    assert dict(finding.evidence)["went_to"] == "dropped"


def test_events_that_a_destination_took_are_handed_over_not_lost() -> None:
    dropped = runs(AsyncEventsDropped=[5.0])
    (finding,) = found(async_loss.detect, scene(dropped, triggers(AsyncConfig(None, None, LOST)), FREE))
    assert (finding.severity, finding.title) == (
        "warning",
        "orders-worker sent 5 failed async events to queue lost",
    )
    failed = [*dropped, *runs(DestinationDeliveryFailures=[1.0])]
    (finding,) = found(async_loss.detect, scene(failed, triggers(AsyncConfig(None, None, LOST)), FREE))
    assert (finding.severity, dict(finding.evidence)["lost"]) == ("critical", 1)


def test_loss_says_when_the_destination_was_not_read() -> None:
    (finding,) = found(async_loss.detect, scene(runs(AsyncEventsDropped=[5.0]), FREE))
    assert (finding.severity, dict(finding.evidence)["lost"]) == ("warning", None)
    assert finding.title.endswith("where they go is not known (not asked yet)")


def test_loss_says_when_the_destination_is_denied() -> None:
    denied = triggers(NotKnown("denied", "lambda:GetFunctionEventInvokeConfig"))
    (finding,) = found(async_loss.detect, scene(runs(AsyncEventsDropped=[60.0]), denied, FREE))
    words = "not known (lambda:GetFunctionEventInvokeConfig denied)"
    assert (finding.severity, dict(finding.evidence)["lost"]) == ("warning", None)
    assert finding.title == f"orders-worker dropped 60 async events; where they go is {words}"
    assert dict(finding.evidence)["went_to"] == words
    failed = [*runs(AsyncEventsDropped=[60.0]), *runs(DestinationDeliveryFailures=[2.0])]
    (finding,) = found(async_loss.detect, scene(failed, denied, FREE))
    assert finding.title == "orders-worker lost 2 async events", "what could not be delivered is lost"


def test_a_backlog_promises_no_age_that_was_not_read() -> None:
    ages = [60.0 * i for i in range(1, 11)]
    (finding,) = found(async_backlog.detect, scene(waiting(ages, Throttles=[9.0] * 10)))
    evidence = dict(finding.evidence)
    assert finding.title.endswith("when they are discarded is not known (not asked yet)")
    assert (evidence["maximum_event_age_s"], evidence["age_share"], evidence["given_up_in_s"]) == (None,) * 3


def test_retries_that_were_not_read_are_no_number() -> None:
    world = scene(events([4.0] * 15, [10.0] * 15, [180_000.0] * 15))
    (finding,) = found(async_amplification.detect, world)
    evidence = dict(finding.evidence)
    assert evidence["retries"] is None
    assert "not known (not asked yet)" in str(evidence["then"])


def test_loss_at_reserved_zero_is_somebodys_will() -> None:
    world = scene(
        runs(AsyncEventsDropped=[5.0]),
        ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 0),)),
        triggers(AsyncConfig()),
    )
    (finding,) = found(async_loss.detect, world)
    assert (finding.severity, finding.suggests) == ("info", ("restore_concurrency",))
    assert found(async_loss.detect, scene(runs(AsyncEventsDropped=[0.0] * 5))) == []


def waiting(ages_s: list[float], **counts: list[float]) -> list[MetricPoints]:
    age = points(WORKER, "AsyncEventAge", [1000 * a for a in ages_s], "Maximum", END)
    return [age, *runs(**counts)]


def test_events_that_wait_longer_and_longer_are_a_backlog() -> None:
    ages = [60.0 * i for i in range(1, 11)]
    (finding,) = found(
        async_backlog.detect, scene(waiting(ages, Throttles=[9.0] * 10), triggers(AsyncConfig()))
    )
    evidence = dict(finding.evidence)
    assert (finding.severity, evidence["oldest_attempt_s"], evidence["growth_s_per_min"]) == (
        "warning",
        600,
        60,
    )
    assert evidence["given_up_in_s"] == 21_000
    assert finding.suggests == (), "a cap keeps them waiting, no retry and no run discard them"
    short = scene(waiting(ages, Throttles=[9.0] * 10), triggers(AsyncConfig(None, 900)))
    assert [f.severity for f in found(async_backlog.detect, short)] == ["critical"]


@pytest.mark.parametrize(
    "data",
    [
        waiting([600.0 - 50 * i for i in range(10)], Throttles=[9.0] * 10),  # it drains
        waiting([5.0 * i for i in range(1, 11)], Throttles=[9.0] * 10),  # young
        waiting([20.0 * i for i in range(1, 11)], Errors=[9.0] * 10),  # retries alone
        waiting([400.0], Throttles=[9.0]),  # one point has no direction
        [],
    ],
)
def test_backlog_is_silent_where_nothing_piles_up(data: list[MetricPoints]) -> None:
    assert found(async_backlog.detect, scene(data)) == []


def test_a_backlog_behind_reserved_concurrency_is_freed_by_restoring_it() -> None:
    ages = [60.0 * i for i in range(1, 11)]
    held = ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 5),))
    data = waiting(ages, Throttles=[9.0] * 10)
    (finding,) = found(async_backlog.detect, scene(data, triggers(AsyncConfig()), held))
    assert finding.suggests == ("restore_concurrency",)


def test_retries_are_given_up_for_a_backlog_only_where_a_destination_takes_the_events() -> None:
    data = waiting([60.0 * i for i in range(1, 11)], Errors=[9.0] * 10)
    kept = scene(data, triggers(AsyncConfig(None, None, LOST)))
    assert [f.suggests for f in found(async_backlog.detect, kept)] == [("stop_async_retries",)]
    assert [f.suggests for f in found(async_backlog.detect, scene(data, triggers(AsyncConfig())))] == [()]
    state = FunctionState("Inactive", "DisabledKMSKey", "The key is disabled")
    stopped = scene(
        data, triggers(AsyncConfig(None, None, LOST)), ev.StatesObserved(SCOPE, NOW, ((WORKER, state),))
    )
    assert [f.suggests for f in found(async_backlog.detect, stopped)] == [()]


def test_no_retries_are_suggested_only_where_that_loses_nothing() -> None:
    dropped = runs(AsyncEventsDropped=[5.0])
    taken = triggers(AsyncConfig(None, None, LOST))
    for seen, suggests in (
        (scene(dropped, triggers(AsyncConfig()), FREE), ("rollback_alias",)),
        (scene(dropped, FREE), ("rollback_alias",)),
        (scene([*dropped, *runs(DestinationDeliveryFailures=[1.0])], taken, FREE), ("rollback_alias",)),
        (scene(dropped, taken, FREE), ("stop_async_retries", "rollback_alias")),
    ):
        assert [f.suggests for f in found(async_loss.detect, seen)] == [suggests]


def test_what_was_dropped_is_known_before_long_runs_of_that_minute_have_ended() -> None:
    newest = points(WORKER, "AsyncEventsDropped", [1.0], end=NOW)
    (finding,) = found(async_loss.detect, scene([newest], triggers(AsyncConfig()), FREE))
    assert dict(finding.evidence)["dropped"] == 1
