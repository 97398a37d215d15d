from __future__ import annotations

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

from lambdatop.domain.facts.event_source_mapping import risks
from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.figures.heat import heat
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.settings.settings import MetricSettings
from lambdatop.domain.settings.thresholds import DetectorSettings, ErrorRateSettings, ThrottledSettings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD, World


def snap(world: World, at: float = NOW, previous: Snapshot = EMPTY_SNAPSHOT) -> Snapshot:
    return build_snapshot(world, previous=previous, at=at, version="t", mode="operator", settings=PROMPT)


def test_the_failing_function_leads_both_panes() -> None:
    shot = snap(incident())
    assert shot.functions[0].facts.name == "orders-worker"
    assert shot.storms[0].function == WORKER
    assert shot.storms[0].score > 0
    row = shot.functions[0]
    assert row.invocations_per_min == 20
    assert row.error_rate == 0.4
    assert row.worst == "critical"


def test_the_finding_names_queue_ratio_and_dlq_growth() -> None:
    finding = next(f for f in snap(incident()).findings if f.detector == "sqs_redelivery")
    evidence = dict(finding.evidence)
    assert evidence["queue"] == "orders"
    assert evidence["redelivery_ratio"] == 3.0
    assert evidence["received"] == 300
    assert evidence["dlq"] == "orders-dlq"
    assert evidence["dlq_grown"] == 36
    assert evidence["dlq_growth_per_min"] == 4.0
    assert finding.suggests[0] == "disable_trigger"


def test_a_finding_keeps_its_since_and_loses_it_when_it_ends() -> None:
    first = snap(incident())
    again = snap(incident(), NOW + 30, first)
    assert {f.identity: f.since for f in again.findings} == {f.identity: f.since for f in first.findings}
    calm = snap(EMPTY_WORLD, NOW + 60, again)
    assert calm.findings == ()


def test_what_is_not_read_is_not_zero() -> None:
    row = snap(fold(EMPTY_WORLD, ev.FunctionsListed(SCOPE, NOW, (function(),)))).functions[0]
    assert row.invocations_per_min is None
    assert row.as_of is None
    assert not row.reserved_known


def test_an_idle_function_has_zero_rates_once_asked_about() -> None:
    world = fold(EMPTY_WORLD, ev.FunctionsListed(SCOPE, NOW, (function(),)))
    world = fold(world, metrics(points(WORKER, "Invocations", [])))
    row = snap(world).functions[0]
    assert row.invocations_per_min == 0
    assert row.error_rate is None


def test_minutes_that_are_not_final_do_not_count() -> None:
    world = fold(EMPTY_WORLD, ev.FunctionsListed(SCOPE, NOW, (function(),)))
    world = fold(world, metrics(points(WORKER, "Invocations", [60.0, 60.0, 60.0, 6.0], end=NOW)))
    late = replace(PROMPT, metrics=MetricSettings(publish_delay_s=60.0))
    shot = build_snapshot(world, previous=EMPTY_SNAPSHOT, at=NOW, version="t", mode="operator", settings=late)
    assert shot.functions[0].invocations_per_min == 60


def test_a_young_function_is_not_diluted_by_minutes_before_its_birth() -> None:
    world = fold(EMPTY_WORLD, ev.FunctionsListed(SCOPE, NOW, (function(),)))
    world = fold(world, metrics(points(WORKER, "Invocations", [30.0])))
    assert snap(world).functions[0].invocations_per_min == 30


def test_reserved_zero_is_neither_none_nor_unknown() -> None:
    world = fold(incident(), ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 0),)))
    shot = snap(world)
    row = next(r for r in shot.functions if r.key == WORKER)
    assert row.reserved_known
    assert row.reserved == 0
    throttled = next(f for f in shot.findings if f.detector == "throttled")
    assert throttled.severity == "info"
    assert throttled.suggests == ("restore_concurrency",)


def test_throttled_names_the_reservation_that_bites() -> None:
    world = fold_all(
        incident(),
        [
            ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 3),)),
            metrics(
                points(WORKER, "Throttles", [50.0] * 5),
                points(WORKER, "Invocations", [20.0] * 5),
                points(WORKER, "ConcurrentExecutions", [3.0] * 5, "Maximum"),
                at=NOW + 1,
            ),
        ],
    )
    finding = next(f for f in snap(world).findings if f.detector == "throttled")
    assert dict(finding.evidence)["limit"] == "reserved"
    assert finding.severity == "critical"


def test_redelivery_stays_silent_below_its_floor_and_ratio() -> None:
    def ratio(received: float, deleted: float) -> list[str]:
        world = fold_all(
            EMPTY_WORLD,
            [
                ev.MappingsListed(SCOPE, NOW, (mapping(),)),
                ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS),)),
                metrics(
                    points(ORDERS, "NumberOfMessagesReceived", [received / 4] * 4),
                    points(ORDERS, "NumberOfMessagesDeleted", [deleted / 4] * 4),
                ),
            ],
        )
        return [f.severity for f in snap(world).findings if f.detector == "sqs_redelivery"]

    assert ratio(19, 1) == []
    assert ratio(100, 99) == []
    assert ratio(150, 100) == ["warning"]
    assert ratio(300, 100) == ["critical"]
    assert ratio(25, 0) == ["critical"]


def test_dlq_growth_needs_growth_not_depth() -> None:
    flat = fold_all(
        EMPTY_WORLD,
        [
            ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS, dlq_arn=queue(DLQ).arn), queue(DLQ, visible=900))),
            metrics(points(DLQ, "ApproximateNumberOfMessagesVisible", [900.0] * 5, "Maximum")),
        ],
    )
    assert not [f for f in snap(flat).findings if f.detector == "dlq_growth"]
    growing = fold(
        flat,
        metrics(
            points(DLQ, "ApproximateNumberOfMessagesVisible", [10.0, 30.0, 50.0, 70.0, 90.0], "Maximum"),
            at=NOW + 1,
        ),
    )
    finding = next(f for f in snap(growing).findings if f.detector == "dlq_growth")
    assert finding.severity == "critical"
    assert dict(finding.evidence)["source_queues"] == "orders"


def test_dlq_growth_falls_back_on_polls_where_cloudwatch_is_silent() -> None:
    world = EMPTY_WORLD
    for i in range(4):
        seen = (queue(ORDERS, dlq_arn=queue(DLQ).arn), queue(DLQ, visible=3 * i, at=NOW - 90 + 30 * i))
        world = fold(world, ev.QueuesObserved(SCOPE, NOW - 90 + 30 * i, seen))
    finding = next(f for f in snap(world).findings if f.detector == "dlq_growth")
    assert dict(finding.evidence)["growth_per_min"] == 6.0


def test_a_disabled_mapping_does_not_lead() -> None:
    world = fold(incident(), ev.MappingsListed(SCOPE, NOW + 1, (mapping(state="Disabled"),)))
    row = snap(world).storms[0]
    assert row.score == 0
    assert "disabled" in row.why


def test_quota_prefers_claimed_over_executing() -> None:
    account = SCOPE.account
    key = WORKER._replace(kind="account", id=account)
    world = fold_all(
        EMPTY_WORLD,
        [
            ev.AccountObserved(SCOPE, NOW, AccountFacts(1000, 700, 300, 5, 2)),
            metrics(
                points(key, "ConcurrentExecutions", [12.0] * 3, "Maximum"),
                points(key, "ClaimedAccountConcurrency", [250.0 + 50 * i for i in range(6)], "Maximum"),
            ),
        ],
    )
    row = snap(world).quotas[0]
    assert (row.used, row.limit, row.headroom) == (500, 1000, 500)
    assert row.trend_per_min == 50
    assert row.exhausted_in_s == 600


def test_cold_start_rate_counts_reports_with_init() -> None:
    report = "REPORT RequestId: r\tDuration: 3.00 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\t"
    texts = [report + "Init Duration: 99.00 ms", report, report, report]
    lines = tuple(parse(NOW, str(i), "s", text) for i, text in enumerate(texts))
    world = fold(incident(), ev.LogsObserved(SCOPE, NOW, WORKER, "g", lines))
    assert next(r for r in snap(world).functions if r.key == WORKER).cold_start_rate == 0.25


def test_a_source_that_stopped_reporting_is_stale() -> None:
    ok = ev.SourceReported(SCOPE, NOW, "queues", "ok", pace_s=15.0)
    assert snap(fold(EMPTY_WORLD, ok), NOW + 20).sources[0].state == "ok"
    assert snap(fold(EMPTY_WORLD, ok), NOW + 120).sources[0].state == "stale"


def test_heat_orders_by_harm_and_stays_within_bounds() -> None:
    def h(**changes: object) -> float:
        base: dict[str, object] = {
            "invocations_per_min": 100.0,
            "error_rate": 0.0,
            "throttles_per_min": 0.0,
            "duration_max_ms": 100.0,
            "timeout_s": 10,
            "concurrency_max": 1.0,
            "reserved": None,
            "account_limit": 1000,
            "limits": DetectorSettings(),
        }
        return heat(**(base | changes))  # type: ignore[arg-type]

    idle, busy, slow = h(invocations_per_min=0.0), h(), h(duration_max_ms=9900.0)
    failing = h(error_rate=0.5)
    assert idle < busy < slow < failing <= 100
    assert h(error_rate=1.0, throttles_per_min=1e9, duration_max_ms=1e9, concurrency_max=1e9) <= 100
    assert h(throttles_per_min=50.0, reserved=0) == busy
    assert h(error_rate=1.0, invocations_per_min=0.1) < failing
    late = DetectorSettings(error_rate=ErrorRateSettings(critical=1.0))
    assert busy < h(error_rate=0.5, limits=late) < failing
    at_once = DetectorSettings(throttled=ThrottledSettings(critical_share=0.0))
    assert h(throttles_per_min=1.0) < h(throttles_per_min=1.0, limits=at_once) <= 100


def test_risks_say_what_turns_a_failure_into_a_storm() -> None:
    stream = mapping(
        source_kind="kinesis", max_retry_attempts=-1, max_record_age_s=-1, partial_responses=True
    )
    assert "infinite retry" in risks(stream, function(), None, None)[0]
    found = risks(mapping(max_concurrency=50), function(), queue(ORDERS, visibility_timeout_s=30), 10)
    text = " | ".join(found)
    assert "no redrive policy" in text
    assert "visibility 30 s < 6 x timeout 10 s" in text
    assert "no ReportBatchItemFailures" in text
    assert "MaximumConcurrency 50 > reserved 10" in text
    assert MAPPING.id == mapping().uuid
