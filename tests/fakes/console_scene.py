"""The poison-queue incident as one Snapshot, built by hand: what the console's tests look at.

Fixed clock, fixed numbers: `NOW` is the moment of the snapshot (s since the epoch).
"""

from __future__ import annotations

from math import sin
from types import MappingProxyType
from typing import Any

from fakes.console_burn import billed
from fakes.console_findings import findings, incidents, storms
from fakes.console_names import ARN as ARN
from fakes.console_names import NOW as NOW
from fakes.console_names import SCOPE as SCOPE
from fakes.console_names import SQS as SQS
from fakes.console_names import UUID as UUID
from fakes.console_names import key as key
from msgspec.structs import replace

from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import AlarmFacts, FunctionFacts
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Call
from lambdatop.domain.state.snapshot import (
    FunctionRow,
    MappingRow,
    QueueRow,
    QuotaRow,
    Snapshot,
    SourceRow,
    Target,
)
from lambdatop.domain.state.world import Spend


def wave(size: float, phase: float, minutes: int = 60) -> tuple[float | None, ...]:
    """Return a quiet, repeatable series with one missing minute."""
    values: list[float | None] = [round(size * (1 + 0.4 * sin(phase + i / 5))) for i in range(minutes)]
    values[7] = None
    return tuple(values)


def function(name: str, per_min: float, heat: float, **fields: Any) -> FunctionRow:
    facts = FunctionFacts(
        key("function", name),
        ARN + name,
        runtime=fields.pop("runtime", "python3.13"),
        memory_mb=fields.pop("memory_mb", 256),
        timeout_s=fields.pop("timeout_s", 3),
        architecture="arm64",
        log_group=f"/aws/lambda/{name}",
        last_modified=NOW - 86_400 * 3,
        code_size_bytes=48_213,
        dlq_arn=fields.pop("dlq_arn", None),
    )
    row = FunctionRow(
        facts,
        reserved_known=True,
        invocations_per_min=per_min,
        errors_per_min=0.0,
        error_rate=0.0,
        throttles_per_min=0.0,
        duration_max_ms=180.0,
        duration_p99_ms=92.0,
        concurrency_max=max(1.0, per_min // 60),
        burn_usd_per_hour=per_min * 0.000004,
        heat=heat,
        as_of=NOW - 12.0,
        spark=wave(per_min, heat),
        errors_spark=(0.0,) * 60,
        invocations_trend="flat",
    )
    return replace(row, **fields)


def functions() -> tuple[FunctionRow, ...]:
    errors = (*(0.0,) * 40, *(260.0,) * 20)
    growing = (*wave(120, 1, 40), *(float(380 + 18 * i) for i in range(20)))
    hot = function(
        "orders-worker",
        714,
        81,
        reserved=50,
        errors_per_min=262.0,
        error_rate=0.367,
        duration_max_ms=2998.0,
        duration_p99_ms=2410.0,
        concurrency_max=38.0,
        invocations_trend="up",
        errors_trend="up",
        duration_trend="up",
        spark=growing,
        errors_spark=errors,
        findings=2,
        worst="critical",
        cold_start_rate=0.012,
    )
    rest = (
        function("checkout-api", 5_214, 34, reserved=400, throttles_per_min=3.0, duration_max_ms=880.0,
                 concurrency_max=361.0, memory_mb=1024, findings=1, worst="warning"),
        function("clickstream-fold", 2_960, 22, runtime="nodejs22.x", iterator_age_ms=4_200.0, timeout_s=60),
        function("image-resize", 184, 19, duration_p99_ms=11_402.0, duration_max_ms=14_118.0, timeout_s=15,
                 memory_mb=2048, burn_usd_per_hour=0.412, worst="warning"),
        function("invoice-pdf", 31, 12, errors_per_min=0.3, error_rate=0.0097, async_amplification=1.03,
                 dlq_arn=SQS + "invoice-dlq", timeout_s=30),
        function("payments-webhook", 412, 11, runtime="java21", duration_p99_ms=640.0),
        function("search-indexer", 96, 9, runtime="nodejs22.x", iterator_age_ms=900.0, timeout_s=120),
        function("session-gc", 2, 4, timeout_s=900, duration_max_ms=412_000.0, duration_p99_ms=401_120.0),
        function("email-sender", 61, 4, reserved=10),
        function("legacy-export", 0, 3, reserved=0, concurrency_max=0.0),
        function("tenant-sync", 18, 2),
        function("audit-writer", 702, 2),
        function("geo-lookup", 1_204, 1, duration_p99_ms=8.0, duration_max_ms=21.0),
        function("nightly-report", 0, 0, invocations_per_min=None, errors_per_min=None, error_rate=None,
                 throttles_per_min=None, duration_max_ms=None, duration_p99_ms=None, concurrency_max=None,
                 burn_usd_per_hour=None, reserved_known=False, as_of=None, spark=()),
    )  # fmt: skip
    return (hot, *rest)


def mapping(number: int, function_name: str, source: str, kind: str = "sqs", **fields: Any) -> MappingFacts:
    arn = (
        SQS + source
        if kind == "sqs"
        else f"arn:aws:kinesis:{SCOPE.region}:{SCOPE.account}:stream/{source}"
        if kind == "kinesis"
        else f"arn:aws:dynamodb:{SCOPE.region}:{SCOPE.account}:table/{source}/stream/2026"
    )
    return MappingFacts(
        key("mapping", UUID.format(number)),
        key("function", function_name),
        ARN + function_name,
        arn,
        kind,
        fields.pop("state", "Enabled"),
        last_result=fields.pop("last_result", "OK"),
        batch_size=fields.pop("batch_size", 10),
        **fields,
    )


def queue(name: str, visible: int, in_flight: int = 0, dlq: str = "", **fields: Any) -> QueueRow:
    url = f"https://sqs.{SCOPE.region}.amazonaws.com/{SCOPE.account}/{name}"
    receive = 3 if dlq else None
    facts = QueueFacts(
        key("queue", name), SQS + name, url, NOW - 4, visible, in_flight, 0,
        dlq_arn=SQS + dlq if dlq else None, max_receive_count=receive,
    )  # fmt: skip
    return QueueRow(facts, **fields)


def queues() -> tuple[QueueRow, ...]:
    return (
        queue("orders", 1_284, 212, "orders-dlq", received=7_140.0, deleted=4_522.0, redelivery_ratio=3.4,
              trend_per_min=41.0, oldest_age_s=1_920.0),
        queue("orders-dlq", 341, 0, dlq_of=("orders",), trend_per_min=17.0, grown=170),
        queue("emails", 12, 3, "emails-dlq", received=610.0, deleted=608.0, redelivery_ratio=1.0,
              trend_per_min=0.0),
        queue("emails-dlq", 0, 0, dlq_of=("emails",), trend_per_min=0.0),
    )  # fmt: skip


def mappings() -> tuple[MappingRow, ...]:
    risky = ("maxReceiveCount 3 < 5: throttling sends good messages away",
             "no ReportBatchItemFailures: one bad message repeats its whole batch")  # fmt: skip
    orders = mapping(1, "orders-worker", "orders", last_result="PROBLEM: Function call failed")
    return (
        MappingRow(orders, risky, NOW - 9),
        MappingRow(mapping(2, "email-sender", "emails", partial_responses=True), (), NOW - 9),
        MappingRow(mapping(3, "clickstream-fold", "clicks", "kinesis"),
                   ("infinite retry: a bad record blocks its shard until it expires",), NOW - 9),
        MappingRow(mapping(4, "search-indexer", "products", "dynamodb", max_retry_attempts=5), (), NOW - 9),
        MappingRow(mapping(5, "legacy-export", "exports", state="Disabled", last_result=""), (), NOW - 9),
    )  # fmt: skip


def quotas() -> tuple[QuotaRow, ...]:
    return (
        QuotaRow("concurrent executions", "L-B99A9384", "account", 762, 1000, "environments",
                 "GetAccountSettings, ClaimedAccountConcurrency", 238, 9.5, 1503.0, NOW - 20, "", False,
                 (1190.0, 2210.0), "medium",
                 (("checkout-api", 400.0), ("orders-worker", 212.0), ("search", 88.0)),
                 (("reserved", 460.0), ("executing", 302.0)),
                 "38 functions without a reservation, orders-worker, search first: synchronous callers get "
                 "429, asynchronous events are tried again for up to 6 h; the 2 with one keep it"),
        QuotaRow("reserved of checkout-api", "", "function", 361, 400, "environments", "ConcurrentExecutions",
                 39, 0.0, None, NOW - 12, confidence="low", own=True),
        QuotaRow("code storage", "L-2ACBD22F", "account", 71_200_000_000, 80_530_636_800, "bytes",
                 "GetAccountSettings", 9_330_636_800, None, None, NOW - 20, fixed=True),
        QuotaRow("environment of billing-export", "L-6581F036", "function", 3550, 4096, "bytes",
                 "ListFunctions; limit: assumed", 546, None, None, NOW - 140, assumed=True, fixed=True,
                 note="limit assumed (Service Quotas does not answer here)"),
        QuotaRow("reserved by functions", "", "account", 460, 1000, "environments", "GetAccountSettings",
                 540, None, None, NOW - 20, "540 left for functions without a reservation", own=True),
        QuotaRow("Lambda API rate", "L-B2AA0F47", "account", 3.2, 15, "requests/s",
                 "our own calls; limit: assumed", 11.8, None, None, None, assumed=True),
        QuotaRow("in flight in orders", "", "queue", 1204, 120_000, "messages", "GetQueueAttributes",
                 118_796, 14.0, 509_000.0, NOW - 9, "", True, (400_000.0, float("inf")), "low"),
    )  # fmt: skip


def sources(**states: SourceRow) -> tuple[SourceRow, ...]:
    ages = {"functions": 140.0, "concurrency": 31.0, "account": 20.0, "mappings": 9.0, "queues": 4.0,
            "metrics": 12.0, "alarms": 40.0, "logs": 2.0}  # fmt: skip
    return tuple(states.get(name, SourceRow(name, "ok", age)) for name, age in ages.items())


RID = "3f0e2c1a-5b7d-4c1e-9a60-0d8f2f4f1b01"
LOG = (
    ("INIT_START Runtime Version: python:3.13.v41\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:1"),
    ("START RequestId: " + RID + " Version: $LATEST"),
    ("[INFO]\t2026-07-01T14:03:18.120Z\t" + RID + "\tbatch of 10 from orders"),
    ("[WARNING]\t2026-07-01T14:03:18.300Z\t" + RID + "\torder 81223 has no customer"),
    (
        "[ERROR] KeyError: 'customer'\nTraceback (most recent call last):\n"
        '  File "/var/task/worker.py", line 41, in handler\n    total += price(order)\n'
        "  File \"/var/task/worker.py\", line 18, in price\n    return TARIFF[order['customer']]"
    ),
    ("END RequestId: " + RID),
    (
        "REPORT RequestId: " + RID + "\tDuration: 2410.11 ms\tBilled Duration: 2411 ms"
        "\tMemory Size: 256 MB\tMax Memory Used: 96 MB\tStatus: error\tError Type: KeyError"
    ),
)


def tail(repeat: int = 6, start: float = NOW - 30) -> LogTail:
    lines = []
    for i in range(repeat * len(LOG)):
        line = parse(start + i * 0.7, f"e{i}", "2026/07/01/[$LATEST]0123456789abcdef0123456789abcdef",
                     LOG[i % len(LOG)])  # fmt: skip
        lines.append(replace(line, seq=i + 1))
    return LogTail("/aws/lambda/orders-worker", tuple(lines), len(lines) + 1, True, "", NOW - 2)


def entry(id: str, outcome: str, **fields: Any) -> Entry:
    given: dict[str, Any] = {
        "at": NOW - 3_600,
        "mitigation": "throttle_to_zero",
        "target": key("function", "email-sender"),
        "arn": ARN + "email-sender",
        "actor": f"arn:aws:sts::{SCOPE.account}:assumed-role/Operator/alice",
        "host": "bastion-1",
        "pid": 4211,
        "call": Call(
            "lambda",
            "PutFunctionConcurrency",
            {"FunctionName": "email-sender", "ReservedConcurrentExecutions": 0},
        ),
        "before": {"reserved_concurrency": 10},
        "after": {"reserved_concurrency": 0},
        "undo": Call("lambda", "PutFunctionConcurrency",
                     {"FunctionName": "email-sender", "ReservedConcurrentExecutions": 10}),
        "undoes": None,
        "plan_digest": "0" * 64,
        "outcome": outcome,
        "outcome_at": NOW - 3_599 if outcome != "open" else None,
    }  # fmt: skip
    return Entry(id, **(given | fields))


def snapshot(**fields: Any) -> Snapshot:
    """Return the incident; `fields` replace parts of it."""
    target = Target(
        SCOPE,
        alias="shop-prod",
        identity=f"arn:aws:sts::{SCOPE.account}:assumed-role/Operator/alice",
        credentials_expire_at=NOW + 3_240,
    )
    alarm = AlarmFacts(
        key("alarm", "orders-dlq-not-empty"),
        "Threshold Crossed: 341 > 0",
        "ApproximateNumberOfMessagesVisible",
        "AWS/SQS",
        NOW - 620,
        None,
    )
    given: dict[str, Any] = {
        "seq": 41,
        "at": NOW,
        "version": "0.1.0",
        "targets": (target,),
        **billed(functions()),
        "mappings": mappings(),
        "queues": queues(),
        "storms": storms(mappings(), queues()),
        "findings": findings(),
        "incidents": incidents(findings()),
        "quotas": quotas(),
        "sources": sources(),
        "alarms": (alarm,),
        "spend": Spend((("cloudwatch.GetMetricData", 31),), 0.0147, 0.041, 0.5),
        "logs": MappingProxyType({key("function", "orders-worker"): tail()}),
    }
    return Snapshot(**(given | fields))
