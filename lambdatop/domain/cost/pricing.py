"""Compute prices: an estimate at list price, not an invoice.

Priced is what CloudWatch tells: requests, duration, /tmp, provisioned concurrency, logs. Free tiers, savings
plans and volume tiers are left out, which makes it too high; initialisation, streamed responses beyond 6 MB,
asynchronous events beyond 256 KB and what `FunctionFacts.billed_besides` and `Burn.besides` name are left
out, too, which makes it too low. The figures stand in `prices/`; the constants here are us-east-1's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from lambdatop.domain.cost.prices import FIGURES, Prices, table_prices
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import NotKnown

if TYPE_CHECKING:
    from lambdatop.domain.settings.settings import PriceSettings
EPHEMERAL_FREE_MB = 512
METRIC_USD = 0.01 / 1000
"""One metric asked for through GetMetricData; never free."""
LOG_INGEST_GB_USD = 0.50
"""A GB (10^9 bytes) taken in by CloudWatch Logs, Standard class, first tier of Lambda logs."""
LOG_GB = 1e9


DURABLE_OPERATION_USD = 8.0 / 1_000_000
DURABLE_WRITTEN_GB_USD = 0.25
"""A durable operation, and a GB that durable executions write (aws.amazon.com/lambda/pricing, "Durable
functions"): us-east-1's, because no price list of another region is known here."""


def durable_usd(operations: float, written_bytes: float) -> float:
    """Return the USD for what durable executions did; what they keep stored is billed by the month, too."""
    return operations * DURABLE_OPERATION_USD + written_bytes / LOG_GB * DURABLE_WRITTEN_GB_USD


def burn_usd(
    facts: FunctionFacts, duration_ms: float, invocations: float, prices: Prices | None = None
) -> float:
    """Return the USD for `invocations` that ran `duration_ms` in total.

    Without `prices`, at the region's table prices. Formula: GB-s x price of the architecture + requests +
    extra /tmp. Init time is billed too but not in CloudWatch's Duration, so cold functions cost somewhat
    more.
    """
    own = prices or table_prices(facts.key.scope.region)
    return (
        duration_usd(facts, duration_ms, own)
        + invocations * own.request
        + ephemeral_usd(facts, duration_ms, own)
    )


def memory_mb(facts: FunctionFacts) -> int:
    """Return the memory that is billed, in MB; raises ValueError where it is not known."""
    if isinstance(facts.memory_mb, NotKnown):
        raise ValueError(f"The memory of {facts.name} is {facts.memory_mb.words}.")
    return facts.memory_mb


def duration_usd(
    facts: FunctionFacts, duration_ms: float, prices: Prices, on_provisioned: float = 0.0
) -> float:
    """Return the USD for an execution time.

    `on_provisioned` is the share (0..1) that ran on provisioned concurrency.
    """
    if facts.managed_instances:
        return 0.0  # EC2 bills the instances; Lambda has no price for the duration
    gb_s = duration_ms / 1000 * memory_mb(facts) / 1024
    asked = prices.gb_second(facts.architecture)
    if on_provisioned:
        asked += on_provisioned * (prices.provisioned_run(facts.architecture) - asked)
    return gb_s * asked


def ephemeral_usd(facts: FunctionFacts, duration_ms: float, prices: Prices) -> float:
    """Return the USD for ephemeral storage (/tmp) above the free amount while the function runs."""
    extra_gb = max(0, facts.ephemeral_mb - EPHEMERAL_FREE_MB) / 1024
    return duration_ms / 1000 * extra_gb * prices.ephemeral_gb_second


def provisioned_usd_per_hour(facts: FunctionFacts, environments: float, prices: Prices) -> float:
    """Return the USD per hour for configured provisioned concurrency, used or not."""
    return environments * memory_mb(facts) / 1024 * 3600 * prices.provisioned(facts.architecture)


def log_usd(ingested_bytes: float, prices: Prices) -> float:
    """Return the USD for ingested log data; a GB is 10^9 bytes here (AWS does not say which it means)."""
    return ingested_bytes / LOG_GB * prices.log_gb


@lru_cache(maxsize=32)
def prices_for(
    region: str, own: PriceSettings, read: tuple[tuple[str, float], ...] = (), read_as_of: str = ""
) -> Prices:
    """Return prices of a region: the table's, overridden by the Price List API's, then by those the user set.

    `read` are figures by their names in `prices.FIGURES`, `read_as_of` the day on which they were read.
    """
    found = table_prices(region)
    if read:
        found = _with(found, dict(read), "Price List API")
        found = replace(found, as_of=read_as_of or found.as_of)
    chosen = {
        "gb_second_x86": own.gb_second_x86,
        "gb_second_arm64": own.gb_second_arm64,
        "request": None if own.request_million is None else own.request_million / 1_000_000,
        "ephemeral_gb_second": own.ephemeral_gb_second,
        "provisioned_x86": own.provisioned_gb_second_x86,
        "provisioned_arm64": own.provisioned_gb_second_arm64,
        "provisioned_run_x86": own.provisioned_run_gb_second_x86,
        "provisioned_run_arm64": own.provisioned_run_gb_second_arm64,
        "log_gb": own.log_gb,
    }
    set_ = {name: value for name, value in chosen.items() if value is not None}
    return _with(found, set_, "configuration") if set_ else found


def _with(prices: Prices, figures: Mapping[str, float], source: str) -> Prices:
    known = {name: value for name, value in figures.items() if name in FIGURES}
    borrowed = prices.borrowed - known.keys()
    return replace(prices, **known, borrowed=borrowed, set_by=(*prices.set_by, source))


CLOUDWATCH_USD = 0.01 / 1000
SQS_USD = 0.40 / 1_000_000
DYNAMODB_WRITE_USD = 0.625 / 1_000_000
S3_READ_USD = 0.0004 / 1000
SNS_USD = 0.50 / 1_000_000

_EACH = {
    "cloudwatch": CLOUDWATCH_USD,
    "sqs": SQS_USD,
    "dynamodb": DYNAMODB_WRITE_USD,
    "s3": S3_READ_USD,
    "sns": SNS_USD,
}
_FREE = {("dynamodb", "DescribeTable"), ("dynamodb", "ListTables")}


def call_usd(service: str, operation: str, params: Mapping[str, Any]) -> float:
    """Return the USD for one request (botocore's names).

    What is billed by minutes or bytes is counted elsewhere.
    """
    if operation == "GetMetricData":
        return METRIC_USD * len(params.get("MetricDataQueries") or ())
    return 0.0 if (service, operation) in _FREE else _EACH.get(service, 0.0)
