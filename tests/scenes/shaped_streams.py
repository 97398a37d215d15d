"""Streams and Kafka: shards that stand still, consumers that fall behind, and replays that do neither."""

from __future__ import annotations

from scenes.curves import MINUTES, SCOPE, Curve, arn, flat, ramp, step, when
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.event_source_mapping import StreamFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev

WEEK_S = 604_800


def _kinesis(stage: Stage, name: str, retention_s: int = WEEK_S) -> Key:
    key = Key(SCOPE, "stream", name)
    facts = StreamFacts(key, arn("kinesis", f"stream/{name}"), "kinesis", retention_s, 4)
    stage.post(59.9, ev.StreamsObserved(SCOPE, 0.0, (facts,)))
    return key


def _ages(stage: Stage, function: Key, start_ms: float, since: int) -> None:
    """Add an iterator age that grows as fast as time passes from a minute on."""
    stage.series(function, "IteratorAge", "Maximum", lambda m: start_ms + 60_000.0 * max(0, m - since))


def kafka_lag() -> Scene:
    """The producer doubles, the consumers do not keep up: the lag rises for half an hour."""
    stage = Stage("kafka-lag", "Kafka: offset lag rises while invocations stay flat")
    settle = stage.function("settlement", timeout_s=60)
    mapping = stage.mapping(
        "payments", settle, "kafka", batch_size=100, metrics=("EventCount", "KafkaMetrics")
    )
    stage.traffic(settle, flat(60), duration_ms=flat(900))
    stage.series(settle, "OffsetLag", "Maximum", ramp(64, 90, 40, 52_000))
    stage.series(mapping, "MaxOffsetLag", "Maximum", ramp(64, 90, 40, 52_000))
    fraud = stage.function("fraud-score", timeout_s=60)
    stage.mapping("logins", fraud, "kafka", batch_size=100)
    stage.traffic(fraud, flat(90), duration_ms=flat(300))
    stage.series(fraud, "OffsetLag", "Maximum", lambda m: 60.0 + 25 * (m % 3))
    stage.must("stream_lag", "payments → settlement", minute=64)
    return stage.scene()


def kafka_blocked() -> Scene:
    """A record that cannot be parsed holds up its partition; another consumer only fails at times."""
    stage = Stage("kafka-blocked", "Kafka: one record fails again and again, its partition waits")
    settle = stage.function("settlement", timeout_s=60)
    stage.mapping("payments", settle, "kafka", batch_size=100, last_result="PROBLEM: Function call failed")
    stage.traffic(settle, flat(6), errors=step(64, 0.0, 1.0))
    stage.series(settle, "OffsetLag", "Maximum", ramp(64, 90, 40, 31_000))
    fraud = stage.function("fraud-score", timeout_s=60)
    stage.mapping("logins", fraud, "kafka", batch_size=100)
    stage.traffic(fraud, flat(90), errors=lambda m: 0.3 if m % 4 == 0 else 0.0)
    stage.series(fraud, "OffsetLag", "Maximum", lambda m: 60.0 + 25 * (m % 3))
    stage.must("blocked_partition", "payments → settlement", minute=64)
    stage.must("error_rate", "settlement", minute=64)
    stage.may("error_burst")
    stage.may("error_rate")
    return stage.scene()


def documentdb_blocked() -> Scene:
    """A change that the function cannot process: Lambda tries it again until it has expired."""
    stage = Stage("documentdb-blocked", "DocumentDB: one change fails again and again")
    index = stage.function("search-index", timeout_s=60)
    stage.mapping("catalog", index, "documentdb", last_result="PROBLEM: Function call failed")
    stage.traffic(index, flat(6), errors=step(64, 0.0, 1.0))
    _ages(stage, index, 900.0, 64)
    stage.must("blocked_shard", "catalog", minute=64)
    stage.must("error_rate", "search-index", minute=64)
    stage.may("error_burst")
    return stage.scene()


def kafka_rebalance() -> Scene:
    """A rebalance of three minutes, then a burst of the producer that more invocations catch up with."""
    stage = Stage("kafka-rebalance", "Kafka: a rebalance, later a burst that is caught up with")
    settle = stage.function("settlement", timeout_s=60)
    stage.mapping("payments", settle, "kafka", batch_size=100)
    busy = (*range(69, 72), *range(79, 85))
    stage.traffic(settle, lambda m: 5.0 if m in (66, 67, 68) else 150.0 if m in busy else 60.0)

    def lag(minute: int) -> float:
        if minute in (66, 67, 68):
            return 3000.0 * (minute - 65)
        if minute in (69, 70, 71):
            return 9000.0 - 3000 * (minute - 68)
        return 1500.0 * (minute - 77) if 78 <= minute <= 81 else 40.0 + minute % 5

    stage.series(settle, "OffsetLag", "Maximum", lag)
    stage.never("stream_lag")
    return stage.scene()


def dynamodb_blocked() -> Scene:
    """A record that always fails, eleven hours and a half ago; a DynamoDB stream forgets after 24 hours."""
    stage = Stage("dynamodb-blocked", "A DynamoDB shard blocked for half of its 24 hours")
    audit = stage.function("audit-writer", timeout_s=30)
    stage.mapping("orders", audit, "dynamodb", partial_responses=False, bisect_on_error=False)
    stage.traffic(audit, flat(12), errors=flat(1.0), duration_ms=flat(200))
    _ages(stage, audit, 11.75 * 3_600_000 - 60 * 60_000, 0)
    stage.must("blocked_shard", "orders", "warning", minute=FIRST_SEEN, stays=True)
    stage.must("blocked_shard", "orders", "critical", minute=75)
    stage.must("error_rate", "audit-writer", "critical", minute=FIRST_SEEN)
    stage.must("risky_config", "orders → audit-writer", "info", at_most="info")
    stage.may("batch_amplification", "orders → audit-writer")
    return stage.scene()


FIRST_SEEN = 60


def kinesis_blocked() -> Scene:
    """A record that always fails arrives at minute 64; one shard of four stands still."""
    stage = Stage("kinesis-blocked", "One Kinesis shard of four is blocked by a record that always fails")
    fold = stage.function("clickstream", timeout_s=60)
    _kinesis(stage, "clicks")
    stage.mapping("clicks", fold, "kinesis", partial_responses=False)
    stage.traffic(fold, step(64, 40, 90), errors=step(64, 0.0, 0.95), duration_ms=flat(150))
    _ages(stage, fold, 900, 64)
    stage.must("blocked_shard", "clicks", minute=64, stays=True)
    stage.must("error_rate", "clickstream", "critical", minute=64)
    stage.must("error_burst", "clickstream", minute=64)
    stage.must("risky_config", "clicks → clickstream", "info", at_most="info")
    stage.may("batch_amplification", "clicks → clickstream")
    return stage.scene()


def replay() -> Scene:
    """A new consumer reads the stream from its beginning: old records, no errors, and it catches up."""
    stage = Stage("stream-replay", "A replay from TRIM_HORIZON: the iterator starts old and grows younger")
    report = stage.function("backfill", timeout_s=60)
    _kinesis(stage, "clicks")
    stage.mapping("clicks", report, "kinesis", starting_position="TRIM_HORIZON", max_retry_attempts=5)
    stage.traffic(report, step(64, 0, 600), duration_ms=flat(400))

    def age_ms(minute: int) -> float | None:
        return max(500.0, 20 * 3_600_000.0 - 2_700_000.0 * (minute - 64)) if minute >= 64 else None

    stage.series(report, "IteratorAge", "Maximum", age_ms)
    stage.never("blocked_shard")
    stage.never("stream_lag")
    return stage.scene()


def slow_consumer() -> Scene:
    """Nothing fails, but each batch takes longer than the next one takes to come in."""
    stage = Stage("slow-consumer", "A Kinesis consumer that is too slow for its stream")
    fold = stage.function("clickstream", timeout_s=60)
    _kinesis(stage, "clicks")
    stage.mapping("clicks", fold, "kinesis", max_retry_attempts=5)
    stage.traffic(fold, flat(40), duration_ms=step(64, 900, 5800))
    stage.series(fold, "IteratorAge", "Maximum", lambda m: 800.0 + 40_000.0 * max(0, m - 64))
    stage.must("stream_lag", "clicks → clickstream", minute=64)
    return stage.scene()


def stream_loss() -> Scene:
    """Two retries, then the batch goes to the on-failure queue; at another consumer it is simply dropped."""
    stage = Stage("stream-loss", "Stream records given up: to a destination, and to nowhere")
    _kinesis(stage, "clicks")
    _kinesis(stage, "views")
    kept = stage.function("click-counter")
    lost = stage.function("view-counter")
    failures = stage.queue("click-failures")
    some = {"max_retry_attempts": 2, "metrics": ("EventCount",), "bisect_on_error": True}
    to_queue = stage.mapping("clicks", kept, "kinesis", on_failure_arn=arn("sqs", failures.id), **some)
    to_nowhere = stage.mapping("views", lost, "kinesis", **some)
    for function in (kept, lost):
        stage.traffic(function, flat(50), errors=step(66, 0.0, 0.08))
        stage.series(function, "IteratorAge", "Maximum", lambda m: 900.0 + 40 * (m % 7))
    stage.sums(to_queue, OnFailureDestinationDeliveredEventCount=step(66, 0, 4))
    stage.sums(to_nowhere, DroppedEventCount=step(66, 0, 4))
    stage.depth(failures, ramp(66, 90, 0, 96))
    stage.must("stream_loss", "clicks → click-counter", minute=66)
    stage.must("stream_loss", "views → view-counter", minute=66)
    stage.must("error_rate", "click-counter", minute=66)
    stage.must("error_rate", "view-counter", minute=66)
    stage.must("dlq_growth", "click-failures", minute=66)
    stage.may("error_burst")
    return stage.scene()


def paused() -> Scene:
    """A mapping that a person disabled for a migration: no points, and the age after it falls again."""
    stage = Stage("stream-paused", "A stream mapping paused by a person for ten minutes")
    fold = stage.function("clickstream", timeout_s=60)
    _kinesis(stage, "clicks")
    mapping = stage.mapping("clicks", fold, "kinesis", max_retry_attempts=5)
    stage.remap(mapping, 65, state="Disabled", state_reason="User action", last_modified=when(65))
    stage.remap(mapping, 75, state="Enabled", state_reason="User action", last_modified=when(75))
    stage.traffic(fold, lambda m: 0.0 if 65 <= m < 75 else 120.0 if 75 <= m < 79 else 40.0)
    ages = {75: 610_000.0, 76: 430_000.0, 77: 220_000.0, 78: 60_000.0}
    stage.series(fold, "IteratorAge", "Maximum", lambda m: None if 65 <= m < 75 else ages.get(m, 900.0))
    stage.never("blocked_shard")
    stage.never("stream_lag")
    return stage.scene()


def windows_and_a_bulk() -> Scene:
    """Records wait up to five minutes for their batch; a nightly bulk is worked off within minutes."""
    stage = Stage("windows-and-a-bulk", "A batching window of 5 minutes, and a bulk that is soon worked off")
    for name in ("meters", "bulk"):
        _kinesis(stage, name, 86_400)
    sums, load = stage.function("meter-sums"), stage.function("bulk-load")
    stage.mapping("meters", sums, "kinesis", max_retry_attempts=3, batching_window_s=300)
    stage.mapping("bulk", load, "kinesis", max_retry_attempts=3)
    stage.traffic(sums, flat(2))
    stage.series(sums, "IteratorAge", "Maximum", lambda m: 60_000.0 * (m % 5) + 20_000)
    stage.traffic(load, step(64, 40, 240, 76), duration_ms=flat(900))
    rise: Curve = lambda m: 500.0 + 40_000.0 * max(0, m - 63)  # noqa: E731
    stage.series(
        load, "IteratorAge", "Maximum", lambda m: rise(m) if m < 70 else max(500.0, 480_500 - rise(m))
    )
    stage.never("stream_lag")
    return stage.scene()


SCENES = (
    windows_and_a_bulk,
    kafka_lag,
    kafka_blocked,
    documentdb_blocked,
    kafka_rebalance,
    dynamodb_blocked,
    kinesis_blocked,
    replay,
    slow_consumer,
    stream_loss,
    paused,
)
assert MINUTES == 90, "the ages above are made for it"
