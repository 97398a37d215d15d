"""Published incidents of DynamoDB streams and Kinesis."""

from __future__ import annotations

from scenes.curves import SCOPE, arn, flat, ramp, step
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.event_source_mapping import StreamFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev


def removed_key() -> Scene:
    """A changed sort key makes a REMOVE record without a new image; the function fails at it for 24 hours.

    The report: one record blocked all that followed. Assumed: an article every three minutes before, two
    attempts a minute after it.
    https://blog.matejpokorny.cz/page/2023-09-10_how_to_block_your_dynamodb_stream
    """
    stage = Stage("removed-key", "One REMOVE record blocks the stream of a small table")
    articles = stage.function("process-article", timeout_s=60)
    stage.mapping("articles", articles, "dynamodb", partial_responses=False)
    stage.traffic(articles, step(64, 0.3, 2), errors=step(64, 0.0, 1.0), duration_ms=flat(90))
    stage.series(
        articles,
        "IteratorAge",
        "Maximum",
        lambda m: 60_000.0 * (m - 63) if m >= 64 else 900.0 if m % 3 == 0 else None,
    )
    stage.must("blocked_shard", "articles", minute=64)
    stage.must("risky_config", "articles → process-article", "info", at_most="info")
    stage.may("error_rate", "process-article")
    stage.may("error_burst", "process-article")
    stage.may("batch_amplification", "articles → process-article")
    return stage.scene()


def fixed_and_behind() -> Scene:
    """A code issue stops a consumer; a release mends it, and it takes long to catch up.

    The report: the age spiked, was fixed, and fell slowly. Assumed: 14 minutes, 60 batches a minute.
    https://github.com/awslabs/amazon-kinesis-scaling-utils/issues/63
    """
    stage = Stage("fixed-and-behind", "A consumer fails for a quarter of an hour, then catches up slowly")
    reader = stage.function("stream-reader", timeout_s=60)
    stage.mapping("readings", reader, "kinesis", partial_responses=False)
    facts = StreamFacts(
        Key(SCOPE, "stream", "readings"), arn("kinesis", "stream/readings"), "kinesis", 86_400, 2
    )
    stage.post(59.9, ev.StreamsObserved(SCOPE, 0.0, (facts,)))
    stage.change(reader, 76, code_sha256="b")
    stage.traffic(reader, step(76, 60, 80), errors=step(62, 0.0, 1.0, 76), duration_ms=flat(700))

    def age_ms(minute: int) -> float:
        if minute < 62:
            return 800.0
        return 60_000.0 * (minute - 61) if minute < 76 else max(800.0, 840_000.0 - 20_000.0 * (minute - 76))

    stage.series(reader, "IteratorAge", "Maximum", age_ms)
    stage.must("blocked_shard", "readings", minute=62, clears=True)
    stage.must("error_rate", "stream-reader", "critical", minute=62, clears=True)
    stage.must("risky_config", "readings → stream-reader", "info", at_most="info")
    stage.may("error_burst", "stream-reader")
    stage.may("batch_amplification", "readings → stream-reader")
    return stage.scene()


def obsolete_records() -> Scene:
    """A consumer from TRIM_HORIZON tries again and again what is no longer valid in its search index.

    The report: endless retries of records that are no longer valid. Assumed: 13 hours behind, six
    attempts a minute.
    https://github.com/awslabs/fhir-works-on-aws-deployment/pull/38
    """
    stage = Stage("obsolete-records", "A search index is 13 hours behind its table and gets no further")
    sync = stage.function("ddb-to-es", timeout_s=300)
    stage.mapping("resource-db", sync, "dynamodb", partial_responses=False, starting_position="TRIM_HORIZON")
    stage.traffic(sync, flat(6), errors=flat(1.0), duration_ms=flat(2500))
    stage.series(sync, "IteratorAge", "Maximum", lambda m: 13 * 3_600_000.0 + 60_000.0 * m)
    stage.must("blocked_shard", "resource-db", "critical", minute=60)
    stage.must("error_rate", "ddb-to-es", "critical", minute=60)
    stage.must("risky_config", "resource-db → ddb-to-es", "info", at_most="info")
    stage.may("batch_amplification", "resource-db → ddb-to-es")
    return stage.scene()


def one_busy_user() -> Scene:
    """One user's writes go to one partition, whose shard is processed one batch after another.

    The report: notifications down for 3 hours, one busy partition. Assumed: 40 s more behind each minute,
    nothing fails.
    https://toolstac.com/integration/aws-lambda-dynamodb/serverless-architecture-guide
    """
    stage = Stage("one-busy-user", "A hot partition: its consumer falls behind, nothing fails")
    notify = stage.function("notify-users", timeout_s=60)
    stage.mapping("activity", notify, "dynamodb", max_retry_attempts=3, bisect_on_error=True)
    stage.traffic(notify, ramp(63, 66, 60, 68), duration_ms=step(63, 400, 4200))
    stage.series(notify, "IteratorAge", "Maximum", lambda m: 700.0 + 40_000.0 * max(0, m - 63))
    stage.must("stream_lag", "activity → notify-users", minute=63)
    return stage.scene()


SCENES = (removed_key, fixed_and_behind, obsolete_records, one_busy_user)
