"""Turn API answers into the domain's facts: clean every foreign string, and keep what is absent as absent."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import AccountFacts, FunctionFacts
from lambdatop.domain.facts.function_state import FunctionState
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.source_kinds import source_kind
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.sanitize import clean_line, clean_name

LARGEST = 2**63 - 1
"""The largest value of the models' integer and long."""
DIGITS = 19
"""As many digits as `LARGEST` has; Python's own limit for a text is 4,300, more than a float can hold."""


def reason(text: Any, limit: int) -> str:
    """Return why something is as it is, as one cleaned line without secrets, "" where nothing was told.

    A reason may hold what somebody else said: an address with a password, say.
    """
    return redact(clean_line(str(text or ""), limit))[0]


def finite(value: Any) -> bool:
    """Return whether it is a number that figures can be made of."""
    if type(value) is int:
        return -LARGEST <= value <= LARGEST
    return type(value) is float and math.isfinite(value)


Answer = Mapping[str, Any]
_ARN_MAX = 2048
_PART_MAX = 255
SETTINGS = "lambda:GetAccountSettings"
SIZE = "SizeBytes"
"""Where `response_hooks.py` stores the size of all environment variables, whose values it drops."""


def arn_text(value: Any) -> str:
    """Return a cleaned ARN, "" when there is none."""
    return clean_line(str(value), _ARN_MAX) if value else ""


def seconds(value: Any) -> float | None:
    """Return a timestamp (datetime, number, Lambda's ISO text) in s since the epoch; None when unreadable."""
    if isinstance(value, (float, int)):
        return float(value) if finite(value) else None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def whole(value: Any, default: int = 0) -> int:
    """Return an integer, also from text as SQS sends it; `default` when it is not one."""
    try:
        number = int(value) if not isinstance(value, str) or len(value) <= DIGITS else None
    except (TypeError, ValueError, OverflowError):
        number = None
    return number if number is not None and finite(number) else default


def optional(value: Any) -> int | None:
    """Return an integer setting that may be absent."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def function_facts(scope: Scope, answer: Answer, action: str = "lambda:ListFunctions") -> FunctionFacts:
    """Return the facts of one function configuration of ListFunctions or GetFunctionConfiguration.

    `action` is the IAM action of the read.
    """
    name = clean_name(str(answer.get("FunctionName") or ""))
    logging: Answer = answer.get("LoggingConfig") or {}
    architectures = answer.get("Architectures") or ["x86_64"]
    dead_letter: Answer = answer.get("DeadLetterConfig") or {}
    storage: Answer = answer.get("EphemeralStorage") or {}
    layers: list[Answer] = answer.get("Layers") or []
    vpc: Answer = answer.get("VpcConfig") or {}
    return FunctionFacts(
        key=Key(scope, "function", name),
        arn=_unqualified(arn_text(answer.get("FunctionArn"))),
        runtime=clean_name(str(answer.get("Runtime") or "")),
        memory_mb=_told(answer.get("MemorySize"), action),
        timeout_s=_told(answer.get("Timeout"), action),
        ephemeral_mb=whole(storage.get("Size"), 512),
        architecture=clean_name(str(architectures[0])),
        log_group=clean_line(str(logging.get("LogGroup") or f"/aws/lambda/{name}"), 512),
        log_format=clean_name(str(logging.get("LogFormat") or "Text")),
        last_modified=seconds(answer.get("LastModified")),
        code_size_bytes=whole(answer.get("CodeSize")),
        code_sha256=clean_name(str(answer.get("CodeSha256") or "")),
        package_type=clean_name(str(answer.get("PackageType") or "Zip")),
        version=clean_name(str(answer.get("Version") or "$LATEST")),
        dlq_arn=arn_text(dead_letter.get("TargetArn")) or None,
        managed_instances=bool(answer.get("CapacityProviderConfig")),
        capacity_provider=provider_of(answer).rpartition(":")[2],
        snap_start=(answer.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions",
        durable=bool(answer.get("DurableConfig")),
        durable_timeout_s=optional((answer.get("DurableConfig") or {}).get("ExecutionTimeout")),
        per_tenant=bool(answer.get("TenancyConfig")),
        replica_of=_replica_of(name, answer),
        environment_bytes=optional((answer.get("Environment") or {}).get(SIZE)),
        layers=len(layers),
        layers_size_bytes=sum(whole(layer.get("CodeSize")) for layer in layers),
        vpc_id=clean_name(str(vpc.get("VpcId") or "")),
        interfaces=_interfaces(vpc),
    )


def _replica_of(name: str, answer: Answer) -> str:
    """Return of which function Lambda@Edge keeps this replica, "" for a function that is none.

    MasterArn marks one (model of FunctionConfiguration), and so does its name, `us-east-1.NAME`: names that
    somebody gives hold no dot.
    """
    region, _, master = name.partition(".")
    named = f"{master} in {region}" if master and _REGION.fullmatch(region) else ""
    return arn_text(answer.get("MasterArn")) or named


_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]")


def provider_of(answer: Answer) -> str:
    """Return the ARN of the capacity provider of a function configuration, "" where it has none."""
    config: Answer = answer.get("CapacityProviderConfig") or {}
    managed: Answer = config.get("LambdaManagedInstancesCapacityProviderConfig") or {}
    return arn_text(managed.get("CapacityProviderArn"))


def _interfaces(vpc: Answer) -> tuple[str, ...]:
    """Return each subnet with the function's security groups: Lambda keeps a network interface for each."""
    groups = ",".join(sorted(clean_name(str(g)) for g in vpc.get("SecurityGroupIds") or ()))
    return tuple(sorted(f"{clean_name(str(subnet))} {groups}" for subnet in vpc.get("SubnetIds") or ()))


def _unqualified(arn: str) -> str:
    parts = arn.split(":")
    return ":".join(parts[:7]) if len(parts) > 7 and parts[2] == "lambda" else arn


def account_facts(answer: Answer) -> AccountFacts:
    """Return the facts of a GetAccountSettings answer."""
    limit: Answer = answer.get("AccountLimit") or {}
    usage: Answer = answer.get("AccountUsage") or {}
    return AccountFacts(
        concurrency_limit=_told(limit.get("ConcurrentExecutions"), SETTINGS),
        unreserved=_told(limit.get("UnreservedConcurrentExecutions"), SETTINGS),
        code_size_limit_bytes=_told(limit.get("TotalCodeSize"), SETTINGS),
        code_size_bytes=_told(usage.get("TotalCodeSize"), SETTINGS),
        function_count=_told(usage.get("FunctionCount"), SETTINGS),
    )


def _told(value: Any, action: str) -> int | NotKnown:
    """Return a figure of an answer; one that is not there is not known, neither 0 nor AWS's default."""
    found = optional(value)
    return NotKnown("not answered", action) if found is None or not finite(found) else found


def mapping_facts(scope: Scope, answer: Answer) -> MappingFacts:
    """Return the facts of one event source mapping of ListEventSourceMappings or GetEventSourceMapping."""
    function_arn = arn_text(answer.get("FunctionArn"))
    parsed = parse_arn(function_arn)
    source = arn_text(answer.get("EventSourceArn")) or _self_managed(answer)
    destinations: Answer = (answer.get("DestinationConfig") or {}).get("OnFailure") or {}
    filters = (answer.get("FilterCriteria") or {}).get("Filters") or ()
    pollers: Answer = answer.get("ProvisionedPollerConfig") or {}
    return MappingFacts(
        key=Key(scope, "mapping", clean_name(str(answer.get("UUID") or ""))),
        function=Key(scope, "function", clean_name(parsed.name) if parsed else ""),
        function_arn=function_arn,
        source_arn=source,
        source_kind=source_kind(source),
        part_of_source=_part(answer),
        state=clean_name(str(answer.get("State") or "")),
        state_reason=reason(answer.get("StateTransitionReason"), 1024),
        last_result=reason(answer.get("LastProcessingResult"), 1024),
        batch_size=optional(answer.get("BatchSize")),
        batching_window_s=optional(answer.get("MaximumBatchingWindowInSeconds")),
        parallelization_factor=optional(answer.get("ParallelizationFactor")),
        max_concurrency=optional((answer.get("ScalingConfig") or {}).get("MaximumConcurrency")),
        max_retry_attempts=optional(answer.get("MaximumRetryAttempts")),
        max_record_age_s=optional(answer.get("MaximumRecordAgeInSeconds")),
        bisect_on_error=answer.get("BisectBatchOnFunctionError"),
        partial_responses="ReportBatchItemFailures" in (answer.get("FunctionResponseTypes") or ()),
        on_failure_arn=arn_text(destinations.get("Destination")) or None,
        filters=len(filters),
        starting_position=clean_name(str(answer["StartingPosition"]))
        if answer.get("StartingPosition")
        else None,
        last_modified=seconds(answer.get("LastModified")),
        pollers_max=optional(pollers.get("MaximumPollers")),
        pollers_min=optional(pollers.get("MinimumPollers")),
        poller_group=clean_name(str(pollers.get("PollerGroupName") or "")),
        metrics=tuple(clean_name(str(m)) for m in (answer.get("MetricsConfig") or {}).get("Metrics") or ()),
    )


def _part(answer: Answer) -> str:
    """Return what of the source is read: Kafka topics, a broker's queues, or database and collection."""
    document: Answer = answer.get("DocumentDBEventSourceConfig") or {}
    database = (document.get("DatabaseName"), document.get("CollectionName"))
    names = [".".join(str(n) for n in database if n)]
    names += [str(n) for field in ("Topics", "Queues") for n in answer.get(field) or ()]
    return clean_line(", ".join(n for n in names if n), _PART_MAX)


def _self_managed(answer: Answer) -> str:
    """Return the brokers of a self-managed Kafka cluster, which has no ARN."""
    endpoints: Answer = (answer.get("SelfManagedEventSource") or {}).get("Endpoints") or {}
    brokers = [str(b) for hosts in endpoints.values() for b in hosts]
    return clean_line(",".join(brokers), _ARN_MAX)


def queue_facts(scope: Scope, url: str, at: float, attributes: Answer) -> QueueFacts:
    """Return the facts of a GetQueueAttributes answer; `scope` is used where the answer names no ARN."""
    arn = arn_text(attributes.get("QueueArn"))
    parsed = parse_arn(arn)
    name = parsed.name if parsed else url.rstrip("/").rsplit("/", 1)[-1]
    where = Scope(clean_name(parsed.account), clean_name(parsed.region)) if parsed else scope
    redrive = json_object(attributes.get("RedrivePolicy"))
    receives = redrive.get("maxReceiveCount")
    return QueueFacts(
        key=Key(where, "queue", clean_name(name)),
        arn=arn,
        url=clean_line(url, _ARN_MAX),
        at=at,
        visible=whole(attributes.get("ApproximateNumberOfMessages")),
        in_flight=whole(attributes.get("ApproximateNumberOfMessagesNotVisible")),
        delayed=whole(attributes.get("ApproximateNumberOfMessagesDelayed")),
        visibility_timeout_s=whole(attributes.get("VisibilityTimeout"), 30),
        retention_s=whole(attributes.get("MessageRetentionPeriod"), 345_600),
        dlq_arn=arn_text(redrive.get("deadLetterTargetArn")) or None,
        max_receive_count=whole(receives) if receives is not None else None,
        fifo=str(attributes.get("FifoQueue") or "").lower() == "true",
        kms_key=_customer_key(attributes.get("KmsMasterKeyId")),
    )


def _customer_key(value: Any) -> str | None:
    """Return a customer managed key, else None: SQS's own key needs no permission of its users."""
    key = arn_text(value)
    return None if not key or key.rpartition(":")[2] == "alias/aws/sqs" else key


def json_object(text: Any) -> dict[str, Any]:
    """Return the object that a text of an answer holds as JSON, {} for anything else, however deep it is."""
    try:
        data = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def state_of(answer: Answer) -> FunctionState:
    """Return the state that GetFunctionConfiguration tells; "" for what it leaves out."""
    update = (f"LastUpdateStatus{part}" for part in ("", "ReasonCode", "Reason"))
    names = ("State", "StateReasonCode", "StateReason", *update)
    return FunctionState(*(reason(answer.get(name), 512) for name in names))


def reserved_of(answer: Answer) -> int | None:
    """Return what GetFunctionConcurrency says: an absent key means nothing is reserved, which is not zero."""
    return optional(answer.get("ReservedConcurrentExecutions"))
