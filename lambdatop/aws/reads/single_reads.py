"""Make the single reads that situations consist of: one answer each, cleaned."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lambdatop.aws.facts.resource_policy import NoPolicy, allowing
from lambdatop.aws.facts.resources import (
    account_facts,
    arn_text,
    mapping_facts,
    optional,
    reserved_of,
    seconds,
    whole,
)
from lambdatop.aws.reads.metric_queries import Query
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.errors import Missing, NotAnswered, SourceError
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import AccountFacts, Reserved
from lambdatop.domain.facts.function_state import Scaling
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import MoveTask
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.facts.triggers import AsyncConfig, principal_note
from lambdatop.domain.graph.nodes import node
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.mitigations.async_retries import settings_of
from lambdatop.domain.plans.situation import Consumer
from lambdatop.domain.sanitize import clean_line, clean_name


async def list_mappings(api: Api, scope: Scope) -> tuple[MappingFacts, ...]:
    """Read every mapping of the account and region (100 a page)."""
    found = [
        mapping_facts(scope, answer)
        async for page in api.pages(
            "lambda", "ListEventSourceMappings", token="Marker", next_token="NextMarker", MaxItems=100
        )
        for answer in page["EventSourceMappings"]
    ]
    return tuple(m for m in found if m.uuid)


POLICY_QUALIFIERS = 5
MOST_VERSIONS = 20
"""Versions on managed instances whose scaling is read, two calls each: a plan changes all or none."""
AGE_WINDOW_S = 600
BEHIND_S = 60.0
"""A record of at least this age, s, was not read at once: it may be one that is retried."""
STACK_TAG = "aws:cloudformation:stack-name"


class Parts:
    """Reads parts of one scope's resources; every method raises SourceError kinds.

    `name` is a function's name or ARN. What a change depends on is read by ARN: no other account answers it.
    """

    def __init__(self, api: Api, scope: Scope) -> None:
        self.api = api
        self.scope = scope

    async def function(self, operation: str, name: str) -> dict[str, Any]:
        """Call an operation of Lambda that takes nothing but the function."""
        return await self.api.read("lambda", operation, FunctionName=name)

    async def setting(self, operation: str, name: str, member: str) -> str:
        """Read one text of such an answer; raises SourceError for an answer without it."""
        found = clean_name(str((await self.function(operation, name)).get(member) or ""))
        if not found:
            raise NotAnswered(f"{operation} answered without {member}.")
        return found

    async def account(self) -> AccountFacts:
        """Read the limits of the account."""
        return account_facts(await self.api.read("lambda", "GetAccountSettings"))

    async def provisioned(self, name: str) -> tuple[tuple[str, int], ...]:
        """Read provisioned concurrency by alias or version, as requested; raises NotAnswered."""
        found = []
        async for page in self.api.pages(
            "lambda",
            "ListProvisionedConcurrencyConfigs",
            token="Marker",
            next_token="NextMarker",
            FunctionName=name,
        ):
            for item in page["ProvisionedConcurrencyConfigs"]:
                arn = parse_arn(arn_text(item.get("FunctionArn")))
                requested = optional(item.get("RequestedProvisionedConcurrentExecutions"))
                if arn is None or not arn.qualifier or not requested:
                    words = "answered without an alias or version, or its number"
                    raise NotAnswered(f"ListProvisionedConcurrencyConfigs {words}.")
                found.append((clean_name(arn.qualifier), requested))
        return tuple(found)

    async def scaling(self, name: str, qualifier: str) -> Scaling:
        """Read what was requested of a version on managed instances, and its state; raises NotAnswered."""
        address = {"FunctionName": name, "Qualifier": qualifier}
        answer, config = await asyncio.gather(
            self.api.read("lambda", "GetFunctionScalingConfig", **address),
            self.api.read("lambda", "GetFunctionConfiguration", **address),
        )
        asked, state = (
            answer.get("RequestedFunctionScalingConfig"),
            clean_name(str(config.get("State") or "")),
        )
        if asked is None or not state:
            raise NotAnswered(f"Of version {qualifier} its scaling or its state was not answered.")
        return Scaling(
            qualifier,
            optional(asked.get("MinExecutionEnvironments")),
            optional(asked.get("MaxExecutionEnvironments")),
            state,
        )

    async def scalings(self, name: str, provider: str) -> tuple[Scaling, ...]:
        """Read the scaling of each version of a function (its ARN) that runs on a capacity provider.

        Raises NotAnswered where there are more versions than are read.
        """
        pages = self.api.pages(
            "lambda",
            "ListFunctionVersionsByCapacityProvider",
            token="Marker",
            next_token="NextMarker",
            CapacityProviderName=provider,
        )
        found: list[str] = []
        async for page in pages:
            arns = [arn_text(v.get("FunctionArn")) for v in page.get("FunctionVersions") or ()]
            found += [arn.removeprefix(f"{name}:") for arn in arns if arn.startswith(f"{name}:")]
        if len(found) > MOST_VERSIONS:
            raise NotAnswered(f"{len(found)} versions run on managed instances; {MOST_VERSIONS} are read.")
        return tuple(await asyncio.gather(*(self.scaling(name, qualifier) for qualifier in sorted(found))))

    async def async_config(self, name: str) -> AsyncConfig:
        """Read the event-invoke config; an empty one when the function has none."""
        try:
            answer = await self.function("GetFunctionEventInvokeConfig", name)
        except Missing:
            return AsyncConfig()
        return _async_config(answer)

    async def alias_configs(self, name: str) -> tuple[tuple[str, AsyncConfig], ...]:
        """Read event-invoke configs of aliases and versions that have one of their own, by qualifier."""
        pages = self.api.pages(
            "lambda",
            "ListFunctionEventInvokeConfigs",
            token="Marker",
            next_token="NextMarker",
            FunctionName=name,
        )
        found = []
        async for page in pages:
            for item in page["FunctionEventInvokeConfigs"]:
                arn = parse_arn(arn_text(item.get("FunctionArn")))
                if arn is not None and arn.qualifier not in (None, "$LATEST"):
                    found.append((clean_name(str(arn.qualifier)), _async_config(item)))
        return tuple(sorted(found, key=lambda pair: pair[0]))

    async def async_settings(self, name: str) -> Any:
        """Read the event-invoke configuration as plans compare it, None when there is none."""
        return settings_of(await self.async_config(name))

    async def reserved(self, name: str) -> Reserved:
        """Read reserved concurrency: None, 0 or a number."""
        return reserved_of(await self.function("GetFunctionConcurrency", name))

    async def recursive_loop(self, name: str) -> str:
        """Read Terminate or Allow; raises SourceError for an answer that says neither."""
        return await self.setting("GetFunctionRecursionConfig", name, "RecursiveLoop")

    async def mappings_of(self, key: Key) -> tuple[MappingFacts, ...]:
        """Read a function's mappings, those of aliases and versions too (asked by name, AWS omits these)."""
        found = await list_mappings(self.api, self.scope)
        return tuple(m for m in found if m.function == key)

    async def aliases(self, name: str) -> tuple[str, ...]:
        """Read the names of its aliases."""
        pages = self.api.pages(
            "lambda", "ListAliases", token="Marker", next_token="NextMarker", FunctionName=name
        )
        found = [str(a.get("Name") or "") async for page in pages for a in page["Aliases"]]
        return tuple(clean_name(n) for n in found)

    async def url(self, name: str) -> str | None:
        """Read its function URLs (each alias may have one), None when there is none."""
        configs = (await self.function("ListFunctionUrlConfigs", name))["FunctionUrlConfigs"]
        return clean_line(", ".join(_url_words(c) for c in configs), 500) or None

    async def principals(self, name: str, aliases: Sequence[str]) -> tuple[str, ...]:
        """Read who may call by resource policy: of the function and of up to five aliases."""
        found: dict[str, None] = {}
        for qualifier in (None, *aliases[:POLICY_QUALIFIERS]):
            params = {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})
            try:
                answer = await self.api.read("lambda", "GetPolicy", **params)
            except Missing:
                continue
            try:
                found |= dict.fromkeys(map(_with_note, principals_of(answer["Policy"])))
            except NoPolicy as error:
                raise SourceError(f"its policy cannot be understood: {error}") from None
        return tuple(found)

    async def invoked(self, function: str) -> tuple[bool, int | NotKnown]:
        """Return whether a function, version or alias exists, and how long it may run, s."""
        try:
            answer = await self.function("GetFunctionConfiguration", function)
        except Missing:
            return False, NotKnown("not answered", "lambda:GetFunctionConfiguration")
        timeout = optional(answer.get("Timeout"))
        if timeout is None:
            return True, NotKnown("not answered", "lambda:GetFunctionConfiguration")
        return True, timeout

    async def stack(self, arns: Sequence[str]) -> str | None:
        """Return the CloudFormation stack that the first tagged one of these resources belongs to."""
        for arn in filter(None, arns):
            tags = (await self.api.read("lambda", "ListTags", Resource=unqualified(arn))).get("Tags") or {}
            if tags.get(STACK_TAG):
                return clean_name(str(tags[STACK_TAG]))
        return None

    async def kinesis_retention_s(self, arn: str) -> int:
        """Read how long a Kinesis stream keeps its records, s; raises NotAnswered."""
        # A mapping with enhanced fan-out names its consumer, which this operation does not accept.
        answer = await self.api.read("kinesis", "DescribeStreamSummary", StreamARN=node(arn))
        hours = optional((answer.get("StreamDescriptionSummary") or {}).get("RetentionPeriodHours"))
        if not hours:
            raise NotAnswered("DescribeStreamSummary answered without a retention.")
        return hours * 3600

    async def dead_letters_of(self, url: str) -> tuple[str, ...]:
        """Read the names of the queues whose redrive policy points at this one."""
        pages = self.api.pages(
            "sqs",
            "ListDeadLetterSourceQueues",
            token="NextToken",
            QueueUrl=url,
            MaxResults=1000,
        )
        urls = [str(u) async for page in pages for u in page.get("queueUrls") or ()]
        return tuple(clean_name(u.rstrip("/").rsplit("/", 1)[-1]) for u in urls)

    async def move_task(self, arn: str) -> MoveTask | None:
        """Read the newest redrive out of a dead-letter queue, None when there was none of late."""
        answer = await self.api.read("sqs", "ListMessageMoveTasks", SourceArn=arn, MaxResults=1)
        for task in answer.get("Results") or ():
            return MoveTask(
                started_ms=whole(task.get("StartedTimestamp")),
                status=clean_name(str(task.get("Status") or "")),
                handle=clean_line(str(task["TaskHandle"]), 1024) if task.get("TaskHandle") else None,
                moved=whole(task.get("ApproximateNumberOfMessagesMoved")),
                to_move=whole(task.get("ApproximateNumberOfMessagesToMove"), -1),
                failure=clean_line(str(task.get("FailureReason") or ""), 500),
            )
        return None

    async def recent_errors(self, mapping: MappingFacts) -> Consumer:
        """Read errors and throttles of a mapping's function in the newest ten minutes (two billed units)."""
        metrics = ("Invocations", "Errors")
        values = await self._sums(mapping.function, "AWS/Lambda", metrics, "FunctionName")
        return Consumer(mapping, *values)

    async def oldest_age_s(self, mapping: MappingFacts) -> float:
        """Read the age of the oldest event that waits in a mapping's source, s; raises NotAnswered."""
        queue = mapping.source_queue
        if queue is not None and queue.scope == self.scope:
            return await self.oldest_message_s(queue)
        if mapping.kind.ages:
            return await self._age(mapping.function, "AWS/Lambda", "IteratorAge", 0.001)
        raise NotAnswered(f"No metric shows how old the oldest event of {mapping.source_name} is.")

    async def greatest_age_s(self, mapping: MappingFacts) -> float:
        """Read the same, but of a stream no younger than any batch of the last ten minutes shows it.

        The shards of a stream share one metric: in a minute without a retry of the blocked shard it shows how
        young the records of the others are. Too old is the safe error where a deadline depends on it.
        """
        if not mapping.kind.ages:
            return await self.oldest_age_s(mapping)
        ages = await self._ages(mapping.function, "AWS/Lambda", "IteratorAge", 0.001)
        return max(age for at, told, age in ages if told >= BEHIND_S or at == ages[-1][0])

    async def oldest_message_s(self, queue: Key) -> float:
        """Read the age of a queue's oldest message by CloudWatch, s; raises NotAnswered without a point."""
        return await self._age(queue, "AWS/SQS", "ApproximateAgeOfOldestMessage", 1.0)

    async def _sums(
        self, key: Key, namespace: str, metrics: Sequence[str], dimension: str
    ) -> tuple[float | None, ...]:
        """Read sums over the last ten minutes, None for a metric without a point."""
        now = self.api.now()
        queries = [Query(SeriesKey(key, m, "Sum"), namespace, ((dimension, key.id),)) for m in metrics]
        answer = await self.api.read(
            "cloudwatch",
            "GetMetricData",
            MetricDataQueries=[q.request(f"m{i}") for i, q in enumerate(queries)],
            StartTime=datetime.fromtimestamp(now - AGE_WINDOW_S, UTC),
            EndTime=datetime.fromtimestamp(now, UTC),
        )
        found = {str(r.get("Id")): r.get("Values") or () for r in answer.get("MetricDataResults") or ()}
        values = (found.get(f"m{i}", ()) for i in range(len(queries)))
        return tuple(sum(map(float, v)) if v else None for v in values)

    async def _age(self, key: Key, namespace: str, metric: str, unit_s: float) -> float:
        """Read the age by the newest point of the last ten minutes, as it is now (one billed unit)."""
        return (await self._ages(key, namespace, metric, unit_s))[-1][2]

    async def _ages(
        self, key: Key, namespace: str, metric: str, unit_s: float
    ) -> list[tuple[float, float, float]]:
        """Read the points of the last ten minutes by time: when, the age then, and what it is now, all in s.

        The event has aged since its minute began, however late CloudWatch publishes the point. Raises
        NotAnswered without a point.
        """
        now = self.api.now()
        dimension = "QueueName" if key.kind == "queue" else "FunctionName"
        query = Query(SeriesKey(key, metric, "Maximum"), namespace, ((dimension, key.id),))
        answer = await self.api.read(
            "cloudwatch",
            "GetMetricData",
            MetricDataQueries=[query.request("age")],
            StartTime=datetime.fromtimestamp(now - AGE_WINDOW_S, UTC),
            EndTime=datetime.fromtimestamp(now, UTC),
        )
        found = [
            (seconds(stamp) or 0.0, float(value) * unit_s)
            for result in answer.get("MetricDataResults") or ()
            for stamp, value in zip(result.get("Timestamps") or (), result.get("Values") or (), strict=False)
        ]
        if not found:
            raise NotAnswered(f"{metric} of {key.id} has no point of the last ten minutes.")
        return [(at, age, max(0.0, now - at) + age) for at, age in sorted(found)]


def _async_config(answer: Mapping[str, Any]) -> AsyncConfig:
    ends = answer.get("DestinationConfig") or {}
    return AsyncConfig(
        optional(answer.get("MaximumRetryAttempts")),
        optional(answer.get("MaximumEventAgeInSeconds")),
        arn_text((ends.get("OnFailure") or {}).get("Destination")) or None,
        arn_text((ends.get("OnSuccess") or {}).get("Destination")) or None,
    )


def unasked(aliases: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence about the aliases whose policies were not read: each costs a call."""
    rest = aliases[POLICY_QUALIFIERS:]
    if not rest:
        return ()
    return (f"the policies of {len(rest)} more aliases were not read, so callers by these are unknown",)


def _url_words(config: Mapping[str, Any]) -> str:
    """Return a function URL with who may call it: AuthType NONE asks nobody for credentials.

    Lambda developer guide, "Control access to Lambda function URLs".
    """
    url, kind = str(config.get("FunctionUrl") or ""), str(config.get("AuthType") or "")
    who = {"NONE": "AuthType NONE: anybody, without credentials", "AWS_IAM": "AuthType AWS_IAM"}.get(kind)
    return f"{url} ({who or 'AuthType not known'})"


def _with_note(principal: str) -> str:
    note = principal_note(principal)
    return f"{principal} ({note})" if note else principal


def principals_of(policy: str) -> tuple[str, ...]:
    """Return services, accounts and ARNs that a resource policy allows to call, in its order.

    They are cleaned. Raises NoPolicy.
    """
    found: list[str] = []
    for statement in allowing(policy):
        principal = statement.get("Principal")
        for value in principal.values() if isinstance(principal, dict) else [principal]:
            found += [str(v) for v in (value if isinstance(value, list) else [value]) if v]
    return tuple(dict.fromkeys(clean_line(p, 512) for p in found))


def unqualified(arn: str) -> str:
    """Return a function ARN without its version or alias; any other ARN as it is."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.qualifier is None or not parsed.resource.startswith("function:"):
        return arn
    return arn.rsplit(":", 1)[0]
