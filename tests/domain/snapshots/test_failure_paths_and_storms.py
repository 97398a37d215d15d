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
    incident,
    mapping,
    metrics,
    points,
    queue,
)
from msgspec.structs import replace

from lambdatop.domain.facts.failure_path import (
    async_end,
    async_failure_path,
    queue_failure_path,
    stream_failure_path,
)
from lambdatop.domain.facts.function import Reserved
from lambdatop.domain.facts.not_read import NOT_ASKED, NotKnown
from lambdatop.domain.facts.triggers import AsyncConfig, FunctionTriggers, PushTrigger
from lambdatop.domain.keys import Key
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot, StormRow
from lambdatop.domain.state.world import EMPTY_WORLD, World

PARENT = Key(SCOPE, "function", "order-splitter")
DENIED = NotKnown("denied", "lambda:GetFunctionEventInvokeConfig")
LOST = "arn:aws:sqs:eu-central-1:111122223333:lost"
STREAM = "arn:aws:kinesis:eu-central-1:111122223333:stream/clicks"


def snap(world: World) -> Snapshot:
    return build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=NOW, version="0", mode="operator", settings=PROMPT
    )


def row(world: World, function_key: Key, invocation: str) -> StormRow:
    (found,) = [r for r in snap(world).storms if r.function == function_key and r.invocation == invocation]
    return found


@pytest.mark.parametrize(
    ("config", "reserved", "words"),
    [
        (AsyncConfig(), None, "2 retries (throttled: up to 6 h), then dropped"),
        (DENIED, None, f"retries and on-failure destination {DENIED.words}"),
        (DENIED, 0, f"not tried, straight to an end that is {DENIED.words}"),
        (
            AsyncConfig(1, 600, LOST),
            NOT_ASKED,
            "1 retry (throttled: up to 10 min), then queue lost; untried if throttled to zero, which is "
            "not known (not asked yet)",
        ),
        (AsyncConfig(0, 60, LOST), None, "no retry (throttled: up to 60 s), then queue lost"),
        (AsyncConfig(1), 5, "1 retry (throttled: up to 6 h), then dropped"),
        (AsyncConfig(None, None, LOST), 0, "not tried, straight to queue lost"),
        (AsyncConfig(), 0, "not tried, dropped at once"),
    ],
)
def test_what_becomes_of_an_asynchronous_event(
    config: AsyncConfig | NotKnown, reserved: Reserved | NotKnown, words: str
) -> None:
    assert async_failure_path(function(), config, reserved) == words


def test_a_dead_letter_queue_is_known_where_the_rest_is_not() -> None:
    facts = function(dlq_arn=LOST)
    assert (
        async_failure_path(facts, DENIED)
        == f"retries and on-failure destination {DENIED.words}; DLQ queue lost"
    )
    assert async_end(facts, DENIED).words == f"queue lost (on-failure destination {DENIED.words})"
    assert not async_end(facts, DENIED).lost
    assert not async_end(function(), DENIED).lost
    assert async_end(function(), AsyncConfig()).lost


def test_a_function_that_was_not_read_yet_says_so_until_it_is() -> None:
    listed = [
        ev.FunctionsListed(SCOPE, NOW, (function("order-splitter"),)),
        ev.ConcurrencyObserved(SCOPE, NOW, ((PARENT, None),)),
        metrics(points(PARENT, "AsyncEventsReceived", [4.0] * 12)),
    ]
    before = fold_all(EMPTY_WORLD, listed)
    first = snap(before)
    assert [r.failure_path for r in first.storms] == [
        "retries and on-failure destination not known (not asked yet)"
    ]
    read = ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(PARENT, AsyncConfig(1, 600, LOST)),))
    for least in (0, 200):  # the short way of a large account keeps rows that have not changed
        after = build_snapshot(
            fold_all(before, [read]),
            previous=first,
            at=NOW,
            version="0",
            mode="operator",
            settings=PROMPT,
            worth_comparing=least,
        )
        assert [r.failure_path for r in after.storms] == [
            "1 retry (throttled: up to 10 min), then queue lost"
        ]
    denied = ev.SourceReported(SCOPE, NOW, "triggers", "denied", "no", "lambda:GetPolicy")
    (failure_path,) = (r.failure_path for r in snap(fold_all(before, [denied])).storms)
    assert failure_path == "retries and on-failure destination not known (lambda:GetPolicy denied)"


def test_what_becomes_of_a_message() -> None:
    with_dlq = queue(ORDERS, dlq_arn=queue(DLQ).arn, max_receive_count=3, visibility_timeout_s=30)
    assert queue_failure_path(with_dlq) == "again after 30 s, after 3 failed receives to orders-dlq"
    assert queue_failure_path(queue(ORDERS)) == "again after 30 s, until it expires 4 d after it was sent"
    denied = NotKnown("denied", "sqs:GetQueueAttributes")
    assert queue_failure_path(denied).endswith(f"how often and where it ends is {denied.words}")


def test_what_becomes_of_a_stream_record() -> None:
    endless = mapping(source_kind="kinesis", source_arn=STREAM)
    assert (
        stream_failure_path(endless, 86_400, 3_600.0)
        == "repeated until the record expires in 23 h at the latest"
    )
    assert (
        stream_failure_path(endless, 86_400, NOT_ASKED)
        == "repeated until the record expires, 24 h after it came"
    )
    unread = NotKnown("denied", "kinesis:DescribeStreamSummary")
    assert stream_failure_path(endless, unread, 3_600.0).endswith(f"; when is {unread.words}")
    old = replace(endless, max_retry_attempts=10_000, max_record_age_s=604_800)
    assert stream_failure_path(old, 86_400, 0.0) == "until 10000 retries, then dropped"
    bounded = mapping(source_kind="kinesis", source_arn=STREAM, max_retry_attempts=2, on_failure_arn=LOST)
    assert stream_failure_path(bounded, 86_400, 0.0) == "until 2 retries, then queue lost"
    told = "until 10000 retries or records older than 7 d, then dropped; sooner if the record expires"
    assert stream_failure_path(old, unread, 0.0) == f"{told}, when is {unread.words}"


def test_the_row_of_a_queue_tells_what_is_wasted() -> None:
    storm = row(incident(), WORKER, "queue poll")
    assert storm.amplification == 3.0
    assert storm.trend == "flat"
    share = 1 - (100 + 7) / 300
    assert storm.wasted_per_min == pytest.approx(20 * share)
    burn = snap(incident()).functions[0].burn_usd_per_hour
    assert burn is not None
    assert storm.wasted_usd_per_hour == pytest.approx(burn * share)
    assert storm.failure_path == "again after 30 s, after 3 failed receives to orders-dlq"
    assert storm.mapping == MAPPING


def pushed(*push: PushTrigger, errors: float = 6.0) -> World:
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function("order-splitter"),)),
            ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(PARENT, AsyncConfig(), push),)),
            ev.ConcurrencyObserved(SCOPE, NOW, ((PARENT, None),)),
            metrics(
                points(PARENT, "Invocations", [10.0] * 12),
                points(PARENT, "Errors", [errors] * 12),
                points(PARENT, "AsyncEventsReceived", [4.0] * 12),
                points(PARENT, "AsyncEventAge", [10.0] * 12, "SampleCount"),
            ),
        ],
    )


def test_asynchronous_callers_have_a_row_of_their_own() -> None:
    rule = PushTrigger(
        "eventbridge", "push async", "arn:aws:events:eu-central-1:1:rule/new-orders", "events.amazonaws.com"
    )
    storm = row(pushed(rule), PARENT, "push async")
    assert (storm.source_name, storm.mapping) == ("eventbridge new-orders", None)
    assert storm.amplification == 2.5
    assert storm.wasted_per_min == pytest.approx(6.0)
    assert storm.failure_path.endswith("then dropped")
    assert "60% of attempts are repeats" in storm.why
    assert row(pushed(), PARENT, "push async").source_name == "async callers"
    bucket = PushTrigger("s3", "push async", "arn:aws:s3:::uploads", "s3.amazonaws.com")
    several = row(pushed(rule, rule, bucket), PARENT, "push async")
    assert several.source_name == "2 triggers"
    assert several.sources == ("eventbridge new-orders", "s3 uploads")
    assert several.key == storm.key


def test_synchronous_callers_are_listed_with_their_rule() -> None:
    api = PushTrigger("apigateway", "push sync", "", "apigateway.amazonaws.com")
    storm = row(pushed(api), PARENT, "push sync")
    assert "caller decides" in storm.failure_path
    assert storm.amplification is None
    assert (storm.source_name, storm.score > 0) == ("apigateway", True)
    assert row(pushed(api, errors=0.0), PARENT, "push sync").score == 0


def test_a_disabled_mapping_says_that_its_events_wait() -> None:
    off = ev.MappingsListed(SCOPE, NOW + 1, (mapping(state="Disabled"),))
    storm = row(fold_all(incident(), [off]), WORKER, "queue poll")
    assert (storm.failure_path, storm.score) == ("disabled: waits in its source", 0.0)


@pytest.mark.parametrize(
    ("facts", "path"),
    [
        ({}, "replayed until it succeeds, fails, or its execution timeout is over, then dropped"),
        ({"durable_timeout_s": 604_800}, "replayed until it succeeds, fails, or 7 d is over, then dropped"),
        (
            {"dlq_arn": LOST},
            "replayed until it succeeds, fails, or its execution timeout is over, then queue lost",
        ),
    ],
)
def test_a_durable_execution_is_replayed_whatever_the_asynchronous_settings_are(
    facts: dict[str, object], path: str
) -> None:
    durable = replace(function(durable=True), **facts)
    for config in (AsyncConfig(0, 60, LOST), DENIED):
        assert async_failure_path(durable, config) == path
        assert async_end(durable, config).lost is ("dlq_arn" not in facts)


def test_rows_of_equal_weight_come_by_source_and_name_the_alias() -> None:
    """UUIDs are random: ordered by them, the same account looks different each time it is made."""
    made = [
        mapping(
            key=Key(SCOPE, "mapping", f"uuid-{9 - i}"),
            source_arn=f"arn:aws:sqs:{SCOPE.region}:{SCOPE.account}:{name}",
            function_arn=f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:{qualified}",
            state="Disabled",
        )
        for i, (name, qualified) in enumerate(
            [("a", "orders-worker"), ("b", "orders-worker:7"), ("b", "orders-worker:live")]
        )
    ]
    seen = snap(
        fold_all(
            EMPTY_WORLD,
            [
                ev.FunctionsListed(SCOPE, NOW, (function(),)),
                ev.MappingsListed(SCOPE, NOW, (made[2], made[0], made[1])),
            ],
        )
    )
    labels = ["a → orders-worker", "b → orders-worker:7", "b → orders-worker:live"]
    assert [f"{r.source_name} → {r.function_name}" for r in seen.storms] == labels
    assert [m.facts.label for m in seen.mappings] == labels
    assert len({r.function for r in seen.storms}) == 1


def test_the_row_of_a_deleted_function_promises_nothing() -> None:
    gone = mapping(state="Disabled", last_modified=NOW - 500)
    events = [ev.FunctionsListed(SCOPE, NOW, ()), ev.MappingsListed(SCOPE, NOW, (gone,))]
    (seen,) = snap(fold_all(EMPTY_WORLD, events)).storms
    assert seen.failure_path == "its function was deleted: nothing is delivered"


def test_triggers_of_several_kinds_are_not_named_after_the_first() -> None:
    arn = "arn:aws:{}:eu-central-1:111122223333:news"
    push = tuple(PushTrigger(k, "push async", arn.format(k), f"{k}.amazonaws.com") for k in ("sns", "events"))
    told = ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(WORKER, push=push),))
    world = fold_all(EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, (function(),)), told])
    found = row(world, WORKER, "push async")
    assert (found.source_kind, found.source_name) == ("several", "2 triggers")
