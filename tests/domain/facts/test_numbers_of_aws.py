"""Every number that AWS sets and the code relies on, with the page that says so: an audit reads this file.

`READ` is when the pages were read last. What is in no API and changes with AWS is here; figures of our own
choice (windows, thresholds, bounds of what is kept) are not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

READ = "2026-11"
KB, MB, GB = 1024, 1024**2, 1024**3

DG = "https://docs.aws.amazon.com/lambda/latest/dg/"
QUOTAS = f"{DG}gettingstarted-limits.html"
SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
PRICES = "https://aws.amazon.com/lambda/pricing/"
CLOUDWATCH_PRICES = "https://aws.amazon.com/cloudwatch/pricing/"
POLLERS = "https://docs.aws.amazon.com/lambda/latest/api/API_ProvisionedPollerConfig.html"
ESM = "https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html"


class Number(NamedTuple):
    """One constant below `lambdatop`: the module, its name (with a key in brackets), the value, the page."""

    module: str
    name: str
    value: float
    page: str


PIPES_API = "https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_PipeSourceKinesisStreamParameters.html"

NUMBERS = (
    Number("domain.facts.callers", "ENDLESS", -1, PIPES_API),
    Number("domain.facts.function_state", "DEFAULT_LEAST", 3, f"{DG}lambda-managed-instances-scaling.html"),
    Number("domain.facts.quota_limits", "DOCUMENTED[CONCURRENCY]", 1000, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[SCALING_RATE]", 1000, f"{DG}scaling-behavior.html"),
    Number("domain.facts.quota_limits", "DOCUMENTED[CODE_STORAGE]", 300 * GB, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[TIMEOUT]", 900, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[ENVIRONMENT]", 4 * KB, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[LAYERS]", 5, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[RESOURCE_POLICY]", 20 * KB, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[PACKAGE_DIRECT]", 50 * MB, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[PACKAGE_UNZIPPED]", 250 * MB, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[DESCRIPTORS]", 1024, QUOTAS),
    Number("domain.facts.quota_limits", "MANAGED_TIMEOUT_S", 5400, f"{DG}configuration-timeout.html"),
    Number("domain.facts.quota_limits", "MANAGED_DESCRIPTORS", 4096, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[CONTROL_PLANE]", 15, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[PAYLOAD_SYNC]", 6 * MB, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[PAYLOAD_ASYNC]", 1 * MB, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[INTERFACES_PER_VPC]", 500, QUOTAS),
    Number("domain.facts.quota_limits", "DOCUMENTED[RUNNING_DURABLE]", 5_000_000, QUOTAS),
    Number("domain.facts.quota_limits", "RUNNING_EXECUTIONS_LARGE", 10_000_000, QUOTAS),
    Number("domain.facts.quota_limits", "TENANT_ENVIRONMENTS", 2.5, f"{DG}tenant-isolation.html"),
    Number("domain.facts.quota_limits", "SQS_IN_FLIGHT", 120_000, f"{SQS}quotas-messages.html"),
    Number("domain.facts.quota_limits", "SQS_IN_FLIGHT_FIFO", 120_000, f"{SQS}quotas-messages.html"),
    Number(
        "domain.facts.quota_limits",
        "SHARD_READS_PER_S",
        5,
        "https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html",
    ),
    Number("domain.facts.quota_limits", "SHARD_POLLS_PER_S['kinesis']", 1, f"{DG}with-kinesis.html"),
    Number("domain.facts.quota_limits", "SHARD_POLLS_PER_S['dynamodb']", 4, f"{DG}with-ddb.html"),
    Number("domain.facts.quota_limits", "REQUESTS_PER_ENVIRONMENT", 10, f"{DG}lambda-concurrency.html"),
    Number("domain.facts.quota_limits", "REFILL_PER_MIN", 6, f"{DG}scaling-behavior.html"),
    Number("domain.detectors.rules.throttled", "SCALING_PER_10_S", 1000, f"{DG}scaling-behavior.html"),
    Number("domain.facts.event_source_mapping", "LEAST_CONCURRENCY", 2, ESM),
    Number("domain.facts.event_source_mapping", "SQS_CONCURRENCY", 1250, f"{DG}services-sqs-scaling.html"),
    Number("domain.facts.event_source_mapping", "SQS_FIRST", 5, f"{DG}services-sqs-scaling.html"),
    Number("domain.facts.event_source_mapping", "SQS_MORE_PER_MIN", 300, f"{DG}services-sqs-scaling.html"),
    Number(
        "domain.facts.event_source_mapping", "POLLERS_MORE_PER_MIN", 1000, f"{DG}services-sqs-scaling.html"
    ),
    Number(
        "domain.facts.source_kinds", "SOURCE_KINDS['sqs'].per_poller", 10, f"{DG}services-sqs-scaling.html"
    ),
    Number("domain.facts.source_kinds", "SOURCE_KINDS['sqs'].least_pollers", 2, POLLERS),
    Number("domain.facts.source_kinds", "SOURCE_KINDS['sqs'].fewest_most", 200, POLLERS),
    Number("domain.facts.source_kinds", "SOURCE_KINDS['sqs'].most_pollers", 10_000, POLLERS),
    Number(
        "domain.facts.source_kinds", "SOURCE_KINDS['kafka'].per_poller", 5, f"{DG}kafka-scaling-modes.html"
    ),
    Number(
        "domain.facts.source_kinds", "SOURCE_KINDS['kafka'].least_pollers", 1, f"{DG}kafka-scaling-modes.html"
    ),
    Number(
        "domain.facts.source_kinds", "SOURCE_KINDS['kafka'].fewest_most", 200, f"{DG}kafka-scaling-modes.html"
    ),
    Number(
        "domain.facts.source_kinds",
        "SOURCE_KINDS['kafka'].most_pollers",
        2000,
        f"{DG}kafka-scaling-modes.html",
    ),
    Number("domain.mitigations.tune", "GUIDE_MOST_POLLERS", 2000, f"{DG}services-sqs-configure.html"),
    Number("domain.facts.event_source_mapping", "ENDLESS", -1, ESM),
    Number("domain.facts.event_source_mapping", "MOST_RETRIES", 10_000, ESM),
    Number("domain.facts.event_source_mapping", "MOST_AGE_S", 604_800, ESM),
    Number("domain.facts.event_source_mapping", "KAFKA_RETRIES", 10, f"{DG}kafka-retry-configurations.html"),
    Number(
        "domain.facts.event_source_mapping",
        "MAX_RECEIVES",
        10,
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
    ),
    Number(
        "domain.facts.event_source_mapping",
        "DYNAMODB_RETENTION_S",
        86_400,
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html",
    ),
    Number(
        "domain.facts.deadline",
        "KINESIS_LEAST_RETENTION_S",
        86_400,
        "https://docs.aws.amazon.com/streams/latest/dev/kinesis-extended-retention.html",
    ),
    Number("domain.facts.deadline", "HIDDEN_FROM", 3, f"{SQS}sqs-available-cloudwatch-metrics.html"),
    Number(
        "domain.facts.principal",
        "SHOWN_AFTER_S",
        300,
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html",
    ),
    Number("domain.facts.triggers", "MAX_RETRIES", 2, f"{DG}invocation-async-error-handling.html"),
    Number("domain.facts.triggers", "MAX_EVENT_AGE_S", 21_600, f"{DG}invocation-async-error-handling.html"),
    Number(
        "domain.mitigations.async_retries", "SHORTEST_AGE_S", 60, f"{DG}invocation-async-error-handling.html"
    ),
    Number("domain.mitigations.recursion", "HOPS", 16, f"{DG}invocation-recursion.html"),
    Number("domain.mitigations.cap", "SAFE_RECEIVES", 5, f"{DG}services-sqs-configure.html"),
    Number(
        "domain.mitigations.purge",
        "AGAIN_AFTER_S",
        60,
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html",
    ),
    Number(
        "domain.mitigations.redrive",
        "FASTEST",
        500,
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html",
    ),
    Number("domain.facts.function", "LEAST_UNRESERVED", 100, f"{DG}configuration-concurrency.html"),
    Number("domain.mitigations.tune", "LARGE_BATCH", 10, f"{DG}services-sqs-configure.html"),
    Number(
        "domain.detectors.rules.proactive_init", "INIT_LIMIT_S", 10, f"{DG}lambda-runtime-environment.html"
    ),
    Number("domain.log_analysis.figures", "INIT_LIMIT_S", 10, f"{DG}lambda-runtime-environment.html"),
    Number(
        "domain.log_analysis.insights",
        "MOST_GROUPS",
        50,
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html",
    ),
    Number("domain.log_analysis.insights", "USD_PER_GIB", 0.005, CLOUDWATCH_PRICES),
    Number("domain.cost.pricing", "EPHEMERAL_FREE_MB", 512, PRICES),
    Number("domain.cost.pricing", "DURABLE_OPERATION_USD", 8.0 / 1_000_000, PRICES),
    Number("domain.cost.pricing", "DURABLE_WRITTEN_GB_USD", 0.25, PRICES),
    Number("domain.cost.pricing", "METRIC_USD", 0.01 / 1000, CLOUDWATCH_PRICES),
    Number("domain.cost.pricing", "CLOUDWATCH_USD", 0.01 / 1000, CLOUDWATCH_PRICES),
    Number("domain.cost.pricing", "LOG_INGEST_GB_USD", 0.50, CLOUDWATCH_PRICES),
    Number("domain.cost.pricing", "LOG_GB", 1e9, CLOUDWATCH_PRICES),
    Number("domain.cost.pricing", "SQS_USD", 0.40 / 1_000_000, "https://aws.amazon.com/sqs/pricing/"),
    Number("domain.cost.pricing", "SNS_USD", 0.50 / 1_000_000, "https://aws.amazon.com/sns/pricing/"),
    Number("domain.cost.pricing", "S3_READ_USD", 0.0004 / 1000, "https://aws.amazon.com/s3/pricing/"),
    Number(
        "domain.cost.pricing",
        "DYNAMODB_WRITE_USD",
        0.625 / 1_000_000,
        "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    ),
)

OF_AWS = ("domain/facts", "domain/cost")
"""Where every number is AWS's: a new one needs its page here."""
NOT_AWS = {
    ("domain.facts.callers", "NAMED"): "how many a plan names",
    ("domain.facts.quota_limits", "KB"): "a unit",
    ("domain.facts.quota_limits", "MB"): "a unit",
    ("domain.facts.quota_limits", "GB"): "a unit",
    ("domain.facts.series", "MINUTE"): "a unit",
    ("domain.cost.burn", "HOUR_S"): "a unit",
    ("domain.cost.burn", "DAY_S"): "a unit",
    ("domain.cost.prices.table", "MILLION"): "a unit",
}


def _found(number: Number) -> Any:
    module = import_module(f"lambdatop.{number.module}")
    name, bracket, key = number.name.partition("[")
    value = getattr(module, name)
    if not bracket:
        return value
    key, _, attribute = key.partition("]")
    found = value[key.strip("'") if key.startswith("'") else getattr(module, key)]
    return getattr(found, attribute[1:]) if attribute else found


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: f"{n.module.rpartition('.')[2]}.{n.name}")
def test_a_number_is_what_its_page_says(number: Number) -> None:
    assert _found(number) == pytest.approx(number.value, rel=1e-12)
    assert number.page.startswith(("https://docs.aws.amazon.com/", "https://aws.amazon.com/"))


def _constants(root: Path, folder: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of each constant below `folder` that is a number."""
    for file in sorted((root / "lambdatop" / folder).rglob("*.py")):
        module = ".".join(file.relative_to(root / "lambdatop").with_suffix("").parts)
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            for name in (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)):
                if _is_number(getattr(import_module(f"lambdatop.{module}"), name, None)):
                    yield module, name


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def test_every_number_of_the_facts_and_prices_has_its_page() -> None:
    root = Path(__file__).resolve().parents[3]
    listed = {(n.module, n.name.partition("[")[0]) for n in NUMBERS} | set(NOT_AWS)
    assert [c for folder in OF_AWS for c in _constants(root, folder) if c not in listed] == []


def test_the_pages_are_those_of_the_document() -> None:
    document = (Path(__file__).resolve().parents[3] / "docs/facts.md").read_text(encoding="utf-8")
    assert sorted({n.page for n in NUMBERS if n.page not in document}) == []
    assert READ in document
