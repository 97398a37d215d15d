"""Situations of event source mappings for the words of plans: off, on, tuned, a bad record skipped."""

from __future__ import annotations

from collections.abc import Mapping

from fakes.plan_situations import (
    BROKER,
    DOCUMENTS,
    KAFKA,
    LOST,
    TABLE,
    TOPIC,
    Asked,
    Cases,
    by_stream,
    denied,
    fed,
    on_mapping,
    orders,
)
from fakes.worlds import NOW
from msgspec.structs import replace

from lambdatop.domain.facts.not_read import NEVER_ASKED, NOT_ASKED
from lambdatop.domain.mitigations.triggers import CHANGING

ALIAS_ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders-worker:live"
ATTRIBUTES = denied("sqs:GetQueueAttributes")
AGE = denied("cloudwatch:GetMetricData")
SUMMARY = denied("kinesis:DescribeStreamSummary")
GAP = "cloudformation:DescribeStackResources is denied, so its owner is unknown"
WAITING = on_mapping(
    queue=orders(visible=9), retention_s=345_600, oldest_age_s=3600.0, dead_letters=False, stack="shop"
)
STREAM = on_mapping(by_stream(), retention_s=86_400, oldest_age_s=1800.0)
AGEING = replace(STREAM, facts=by_stream(max_record_age_s=3600))
TOLD = replace(STREAM, facts=by_stream(max_record_age_s=3600, on_failure_arn=TOPIC))
DYNAMO = on_mapping(by_stream(source_arn=TABLE, source_kind="dynamodb"), oldest_age_s=1800.0)
BY_KAFKA = on_mapping(
    fed(source_arn=KAFKA, source_kind="kafka"), retention_s=NEVER_ASKED, oldest_age_s=NEVER_ASKED
)
POLLED_KAFKA = on_mapping(
    fed(source_arn=KAFKA, source_kind="kafka", part_of_source="clicks", pollers_min=1, pollers_max=2),
    retention_s=NEVER_ASKED,
    oldest_age_s=NEVER_ASKED,
)
AGEING_KAFKA = replace(POLLED_KAFKA, facts=replace(POLLED_KAFKA.facts, max_record_age_s=3600))
BY_MQ = on_mapping(fed(source_arn=BROKER, source_kind="mq", part_of_source="orders"), retention_s=NEVER_ASKED)
BY_DOCUMENTS = on_mapping(
    fed(source_arn=DOCUMENTS, source_kind="documentdb", part_of_source="shop.carts"), retention_s=NEVER_ASKED
)

DISABLE: Cases = {
    "a queue with some messages": Asked(WAITING),
    "the queue is empty": Asked(on_mapping(queue=orders(retention_s=3600), gaps=(GAP,))),
    "messages are in flight only": Asked(replace(WAITING, queue=orders(in_flight=1))),
    "messages are delayed only": Asked(replace(WAITING, queue=orders(delayed=1))),
    "messages leave before their third receive": Asked(
        replace(WAITING, queue=orders(visible=9, max_receive_count=2))
    ),
    "a FIFO queue": Asked(replace(WAITING, queue=orders(visible=9, fifo=True))),
    "a dead-letter queue": Asked(replace(WAITING, dead_letters=True)),
    "whether it is a dead-letter queue is not known": Asked(replace(WAITING, dead_letters=NOT_ASKED)),
    "the age is denied": Asked(replace(WAITING, oldest_age_s=AGE)),
    "the queue is denied": Asked(replace(WAITING, queue=ATTRIBUTES)),
    "the queue was not read": Asked(replace(WAITING, queue=None)),
    "a stream": Asked(STREAM),
    "a stream that discards old records": Asked(AGEING),
    "a stream that discards old records and says where": Asked(TOLD),
    "a stream that discards what it has lost already": Asked(
        replace(STREAM, facts=by_stream(max_record_age_s=604_800))
    ),
    "a stream of unknown retention": Asked(replace(STREAM, retention_s=SUMMARY)),
    "a stream of unknown retention that discards old records": Asked(replace(AGEING, retention_s=SUMMARY)),
    "a stream whose oldest record is not known": Asked(replace(STREAM, oldest_age_s=AGE)),
    "a table": Asked(DYNAMO),
    "a table whose retention is no matter of reading": Asked(replace(DYNAMO, retention_s=SUMMARY)),
    "Kafka": Asked(BY_KAFKA),
    "Kafka that discards old records": Asked(AGEING_KAFKA),
    "MQ": Asked(BY_MQ),
    "DocumentDB": Asked(BY_DOCUMENTS),
    "its function was deleted": Asked(replace(WAITING, function_there=False)),
    "hidden for less than its function may run": Asked(replace(WAITING, timeout_s=31)),
    "hidden for as long as its function may run": Asked(replace(WAITING, timeout_s=30)),
    "by an alias": Asked(replace(WAITING, facts=fed(function_arn=ALIAS_ARN))),
    "off already": Asked(on_mapping(fed(state="Disabled"))),
    **{f"it is {state}": Asked(on_mapping(fed(state=state))) for state in CHANGING},
    "a state that nobody knows": Asked(on_mapping(fed(state="Resting"))),
}

OFF = on_mapping(fed(state="Disabled"), queue=orders(visible=4000), stack="shop")
OFF_AGEING = replace(
    AGEING, facts=by_stream(state="Disabled", max_record_age_s=3600, last_modified=NOW - 600)
)
ENABLE: Cases = {
    "a backlog and no limit": Asked(OFF),
    "a backlog and a limit": Asked(replace(OFF, facts=fed(state="Disabled", max_concurrency=5))),
    "a backlog and provisioned pollers": Asked(
        replace(OFF, facts=fed(state="Disabled", pollers_min=5, pollers_max=500))
    ),
    "a backlog and the fewest pollers": Asked(
        replace(OFF, facts=fed(state="Disabled", pollers_min=2, pollers_max=2))
    ),
    "a backlog of a FIFO queue": Asked(
        replace(
            OFF, facts=fed(state="Disabled", source_arn=f"{LOST}.fifo"), queue=orders(visible=40, fifo=True)
        )
    ),
    "hidden for less than its function may run": Asked(replace(OFF, timeout_s=31)),
    "Kafka by pollers": Asked(replace(POLLED_KAFKA, facts=replace(POLLED_KAFKA.facts, state="Disabled"))),
    "a stream, two batches of a shard": Asked(
        replace(STREAM, facts=by_stream(state="Disabled", parallelization_factor=2))
    ),
    "the queue is empty": Asked(on_mapping(fed(state="Disabled"), queue=orders(), gaps=(GAP,))),
    "the queue is denied": Asked(on_mapping(fed(state="Disabled"), queue=ATTRIBUTES)),
    "the queue was not read": Asked(on_mapping(fed(state="Disabled"))),
    "a stream": Asked(replace(STREAM, facts=by_stream(state="Disabled"))),
    "a stream that discards old records": Asked(OFF_AGEING),
    "a stream that discards old records, since when is not known": Asked(
        replace(TOLD, facts=replace(TOLD.facts, state="Disabled"))
    ),
    "MQ": Asked(replace(BY_MQ, facts=replace(BY_MQ.facts, state="Disabled"))),
    "DocumentDB": Asked(replace(BY_DOCUMENTS, facts=replace(BY_DOCUMENTS.facts, state="Disabled"))),
    "its function was deleted": Asked(replace(OFF, function_there=False)),
    "by an alias": Asked(replace(OFF, facts=fed(state="Disabled", function_arn=ALIAS_ARN))),
    "on already": Asked(on_mapping()),
    **{f"it is {state}": Asked(on_mapping(fed(state=state))) for state in CHANGING},
    "a state that nobody knows": Asked(on_mapping(fed(state="Resting"))),
}

SKIP = {"skip_poison": "yes"}
PROVISIONED = fed(pollers_min=5, pollers_max=500, poller_group="night")
BUCKET = "arn:aws:s3:::lost-records"
TUNE: Cases = {
    "a limit where there was none": Asked(on_mapping(stack="shop"), {"max_concurrency": 2}),
    "no limit where there was one": Asked(
        on_mapping(fed(max_concurrency=2), gaps=(GAP,)), {"max_concurrency": "none"}
    ),
    "fewer pollers": Asked(on_mapping(PROVISIONED), {"pollers": 2}),
    "a range of pollers": Asked(on_mapping(PROVISIONED), {"pollers": " 3-9 "}),
    "pollers where there were none": Asked(on_mapping(), {"pollers": 2}),
    "no pollers": Asked(on_mapping(PROVISIONED), {"pollers": "none"}),
    "no pollers, and a limit": Asked(on_mapping(PROVISIONED), {"pollers": "none", "max_concurrency": 2}),
    "a limit beside pollers": Asked(on_mapping(PROVISIONED), {"max_concurrency": 2}),
    "pollers and a limit": Asked(on_mapping(), {"pollers": 2, "max_concurrency": 3}),
    "pollers beside a limit": Asked(on_mapping(fed(max_concurrency=2)), {"pollers": 2}),
    "pollers instead of a limit": Asked(
        on_mapping(fed(max_concurrency=2)), {"pollers": 2, "max_concurrency": "none"}
    ),
    "too many pollers": Asked(on_mapping(), {"pollers": 10_001}),
    "too many pollers of a range": Asked(on_mapping(), {"pollers": "10001-10002"}),
    "the most pollers": Asked(on_mapping(), {"pollers": "2-10000"}),
    "too many pollers at least": Asked(on_mapping(), {"pollers": "201-300"}),
    "one number of pollers above the least that AWS takes": Asked(on_mapping(), {"pollers": 300}),
    "more pollers than AWS's guide names": Asked(on_mapping(), {"pollers": "2-2001"}),
    "too many pollers of Kafka": Asked(BY_KAFKA, {"pollers": "1-2001"}),
    "the most pollers of Kafka": Asked(BY_KAFKA, {"pollers": "1-2000"}),
    "too many pollers of Kafka at least": Asked(BY_KAFKA, {"pollers": "201-300"}),
    "hidden for less than its function may run": Asked(
        on_mapping(queue=orders(), timeout_s=31), {"max_concurrency": 2}
    ),
    "a window, and the queue's messages are hidden for less than AWS advises": Asked(
        on_mapping(queue=orders(visibility_timeout_s=34), timeout_s=5), {"batching_window_s": 5}
    ),
    "a window, and the queue's messages are hidden for long": Asked(
        on_mapping(queue=orders(visibility_timeout_s=35), timeout_s=5), {"batching_window_s": 5}
    ),
    "a window of Kafka that was never set": Asked(BY_KAFKA, {"batching_window_s": 5}),
    "a window of Kafka that was set": Asked(
        replace(BY_KAFKA, facts=replace(BY_KAFKA.facts, batching_window_s=2)), {"batching_window_s": 5}
    ),
    "a window of MQ": Asked(BY_MQ, {"batching_window_s": 5}),
    "a window of DocumentDB": Asked(BY_DOCUMENTS, {"batching_window_s": 5, "batch_size": 50}),
    "a window of a FIFO queue": Asked(on_mapping(fed(source_arn=f"{LOST}.fifo")), {"batching_window_s": 5}),
    "fewer pollers than a queue has": Asked(on_mapping(), {"pollers": 1}),
    "pollers the wrong way round": Asked(on_mapping(), {"pollers": "9-3"}),
    "pollers of a stream": Asked(STREAM, {"pollers": 2}),
    "several at once": Asked(on_mapping(), {"batch_size": "100", "batching_window_s": "5"}),
    "a large batch, and a window is there": Asked(on_mapping(fed(batching_window_s=5)), {"batch_size": 11}),
    "a batch that needs no window": Asked(on_mapping(fed(batch_size=1)), {"batch_size": 10}),
    "a FIFO queue": Asked(on_mapping(fed(source_arn=f"{LOST}.fifo")), {"batch_size": 9}),
    "retries of a stream": Asked(STREAM, {"max_retry_attempts": 2}),
    "retries of a stream that says where": Asked(TOLD, {"max_retry_attempts": 0}),
    "retries of a stream whose records a bucket keeps": Asked(
        replace(STREAM, facts=by_stream(on_failure_arn=BUCKET)), {"max_retry_attempts": 0}
    ),
    "retries of a stream that bisects": Asked(
        replace(STREAM, facts=by_stream(bisect_on_error=True)), {"max_retry_attempts": 2}
    ),
    "retries and bisecting": Asked(STREAM, {"max_retry_attempts": 10_000, "bisect_on_error": "yes"}),
    "retries without end": Asked(
        replace(STREAM, facts=by_stream(max_retry_attempts=2)), {"max_retry_attempts": -1}
    ),
    "no bisecting": Asked(replace(STREAM, facts=by_stream(bisect_on_error=True)), {"bisect_on_error": "off"}),
    "a destination": Asked(STREAM, {"on_failure": TOPIC}),
    "no destination": Asked(TOLD, {"on_failure": "None"}),
    "Kafka takes a large batch without a window": Asked(BY_KAFKA, {"batch_size": 10_000}),
    "Kafka without pollers": Asked(BY_KAFKA, {"max_retry_attempts": 3, "on_failure": f" {LOST} "}),
    "Kafka without pollers, a destination": Asked(BY_KAFKA, {"on_failure": LOST}),
    "Kafka without pollers, a topic": Asked(BY_KAFKA, {"on_failure": "kafka://lost"}),
    "Kafka, pollers with it": Asked(BY_KAFKA, {"pollers": "1-2", "bisect_on_error": "yes"}),
    "Kafka": Asked(POLLED_KAFKA, {"max_retry_attempts": 3, "on_failure": f" {LOST} "}),
    "Kafka, a topic": Asked(POLLED_KAFKA, {"max_retry_attempts": 3, "on_failure": "kafka://lost"}),
    "Kafka, no topic's name": Asked(POLLED_KAFKA, {"on_failure": "kafka://lost topic"}),
    "Kafka, pollers given up with its limits": Asked(AGEING_KAFKA, {"pollers": "none"}),
    "Kafka without pollers, bisecting": Asked(BY_KAFKA, {"bisect_on_error": "yes"}),
    **{
        f"Kafka, pollers given up with {name} of {value}": Asked(
            replace(POLLED_KAFKA, facts=replace(POLLED_KAFKA.facts, **{name: value})), {"pollers": "none"}
        )
        for name, value in (
            ("bisect_on_error", True),
            ("max_retry_attempts", 3),
            ("max_retry_attempts", -1),
            ("max_record_age_s", -1),
        )
    },
    "Kafka, a destination beside retries": Asked(
        replace(POLLED_KAFKA, facts=replace(POLLED_KAFKA.facts, max_retry_attempts=3)), {"on_failure": LOST}
    ),
    "a queue, pollers given up with bisecting": Asked(
        on_mapping(replace(PROVISIONED, bisect_on_error=True)), {"pollers": "none"}
    ),
    "Kafka, pollers given up": Asked(POLLED_KAFKA, {"pollers": "none"}),
    "Kafka, pollers given up with new limits": Asked(
        POLLED_KAFKA, {"pollers": "none", "bisect_on_error": "yes"}
    ),
    "MQ": Asked(BY_MQ, {"batch_size": 5}),
    "MQ has no retries": Asked(BY_MQ, {"max_retry_attempts": 3}),
    "DocumentDB": Asked(BY_DOCUMENTS, {"batch_size": 5}),
    "DocumentDB has no destination": Asked(BY_DOCUMENTS, {"on_failure": LOST}),
    "not on": Asked(on_mapping(fed(state="Disabled")), {"batch_size": 5}),
    "nothing to set, a queue": Asked(on_mapping()),
    "nothing to set, a stream": Asked(STREAM),
    "nothing to set, Kafka": Asked(BY_KAFKA),
    "nothing to set, MQ": Asked(BY_MQ),
    "the same": Asked(on_mapping(fed(batch_size=5)), {"batch_size": 5, "max_concurrency": None}),
    "one is the same": Asked(on_mapping(fed(batch_size=5)), {"batch_size": 5, "max_concurrency": 3}),
    "it is changing": Asked(on_mapping(fed(state="Updating")), {"batch_size": 5}),
    "a limit below what AWS takes": Asked(on_mapping(), {"max_concurrency": 1}),
    "a limit above what AWS takes": Asked(on_mapping(), {"max_concurrency": 1001}),
    "the greatest limit": Asked(on_mapping(), {"max_concurrency": 1000}),
    "a batch of nothing": Asked(on_mapping(), {"batch_size": 0}),
    "a batch of one": Asked(on_mapping(), {"batch_size": 1}),
    "a batch that is too large": Asked(on_mapping(), {"batch_size": 10_001}),
    "a negative window": Asked(on_mapping(), {"batching_window_s": -1}),
    "no window": Asked(on_mapping(fed(batching_window_s=5)), {"batching_window_s": 0}),
    "the longest window": Asked(on_mapping(), {"batching_window_s": 300}),
    "too long a window": Asked(on_mapping(), {"batching_window_s": 301}),
    "fewer retries than any": Asked(STREAM, {"max_retry_attempts": -2}),
    "too many retries": Asked(STREAM, {"max_retry_attempts": 10_001}),
    "a large batch without a window": Asked(on_mapping(), {"batch_size": 11}),
    "a large batch whose window is taken away": Asked(
        on_mapping(fed(batching_window_s=5)), {"batch_size": 11, "batching_window_s": 0}
    ),
    "a large batch of a stream without a window": Asked(STREAM, {"batch_size": 11}),
    "a large batch of a FIFO queue": Asked(
        on_mapping(fed(source_arn=f"{LOST}.fifo", batching_window_s=5)), {"batch_size": 11}
    ),
    "retries of a queue": Asked(on_mapping(), {"max_retry_attempts": 2}),
    "a limit of a stream": Asked(STREAM, {"max_concurrency": 2}),
    "a window of Kafka": Asked(BY_KAFKA, {"batching_window_s": 2}),
    "perhaps": Asked(STREAM, {"bisect_on_error": "perhaps"}),
    "a destination that is no ARN": Asked(STREAM, {"on_failure": "lost"}),
    "skip a bad record, reported": Asked(STREAM, {**SKIP, "on_failure": LOST}),
    "skip a bad record, kept in a bucket": Asked(STREAM, {**SKIP, "on_failure": BUCKET}),
    "skip a bad record of Kafka": Asked(POLLED_KAFKA, {**SKIP, "on_failure": LOST}),
    "skip a bad record of Kafka, kept in a topic": Asked(
        POLLED_KAFKA, {**SKIP, "on_failure": "kafka://lost"}
    ),
    "skip a bad record of Kafka without pollers": Asked(BY_KAFKA, {**SKIP, "on_failure": LOST}),
    "skip a bad record of DocumentDB": Asked(BY_DOCUMENTS, SKIP),
    "skip a bad record, reported where it was": Asked(TOLD, SKIP),
    "skip a bad record, reported elsewhere": Asked(TOLD, {**SKIP, "on_failure": LOST}),
    "skip a bad record, reported where it was, said again": Asked(TOLD, {**SKIP, "on_failure": TOPIC}),
    "skip a bad record, reported nowhere": Asked(STREAM, {**SKIP, "on_failure": "None"}),
    "skip a bad record, no longer reported": Asked(TOLD, {**SKIP, "on_failure": "none"}),
    "skip a bad record, retries are few but it does not bisect": Asked(
        on_mapping(by_stream(max_retry_attempts=3, on_failure_arn=LOST)), SKIP
    ),
    "skip a bad record, it bisects for ever": Asked(
        on_mapping(by_stream(max_retry_attempts=None, bisect_on_error=True, on_failure_arn=LOST)), SKIP
    ),
    "skip a bad record of a table": Asked(DYNAMO, {**SKIP, "on_failure": "none"}),
    "skip nothing": Asked(on_mapping(), {"skip_poison": "no", "batch_size": 5}),
    "skip a bad record of a queue": Asked(on_mapping(), SKIP),
    "skip a bad record, off": Asked(on_mapping(by_stream(state="Disabled")), SKIP),
    "skip a bad record, reported where": Asked(STREAM, SKIP),
    "skip a bad record, it does so already": Asked(
        on_mapping(by_stream(max_retry_attempts=3, bisect_on_error=True, on_failure_arn=LOST)), SKIP
    ),
    "skip a bad record, and set more": Asked(STREAM, {**SKIP, "batch_size": 5}),
    "skip perhaps": Asked(STREAM, {"skip_poison": "perhaps"}),
    "skip a bad record, reported to no ARN": Asked(STREAM, {**SKIP, "on_failure": "lost"}),
}

CASES: Mapping[str, Cases] = {"disable_trigger": DISABLE, "enable_trigger": ENABLE, "tune_trigger": TUNE}
