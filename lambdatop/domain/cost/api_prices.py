"""Price our own API calls at list price (us-east-1); free tiers and volume tiers are left out.

Sources: price pages of CloudWatch ($0.01 per 1,000 metrics requested through GetMetricData, $0.01 per 1,000
other API requests), SQS ($0.40 per million requests), DynamoDB (on demand, $0.625 per million writes), S3
($0.0004 per 1,000 reads) and SNS ($0.50 per million), as collected in 2026-11. The control plane of Lambda,
log reading, Kinesis descriptions, EventBridge, CloudTrail's LookupEvents, STS and IAM cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdatop.domain.cost.pricing import METRIC_USD

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
