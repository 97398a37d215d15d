"""Read queues' attributes, and make their keys."""

from __future__ import annotations

from lambdatop.aws.facts.resources import queue_facts, whole
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.errors import Missing, NotAnswered
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.keys import Key, Scope, parse_arn

ALWAYS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "MessageRetentionPeriod",
    "VisibilityTimeout",
)
"""Attributes that SQS returns for every queue: one that is missing, or no number, means neither 0 nor the
default."""


class QueueReader:
    """GetQueueAttributes by ARN; remembers the URL of each queue."""

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._urls: dict[str, str] = {}

    async def url(self, arn: str) -> str:
        """Return the queue's URL as SQS gives it (an endpoint of our own has other hosts than AWS)."""
        if arn not in self._urls:
            parsed = parse_arn(arn)
            name, owner = (parsed.name, parsed.account) if parsed else (arn, self._scope.account)
            answer = await self._api.read("sqs", "GetQueueUrl", QueueName=name, QueueOwnerAWSAccountId=owner)
            self._urls[arn] = str(answer["QueueUrl"])
        return self._urls[arn]

    async def read(self, arn: str) -> QueueFacts:
        """Read attributes; raises Missing when the queue is gone, NotAnswered when some are left out."""
        try:
            url = await self.url(arn)
            answer = await self._api.read("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
        except Missing:
            self._urls.pop(arn, None)
            raise
        attributes = answer.get("Attributes") or {}
        missing = [name for name in ALWAYS if whole(attributes.get(name), -1) < 0]
        if missing:
            raise NotAnswered(f"GetQueueAttributes of {arn} answered without {', '.join(missing)}.")
        return queue_facts(self._scope, url, self._api.now(), attributes)


def queue_key(arn: str, scope: Scope) -> Key:
    """Return the key of a queue ARN; a queue of another account keeps that account."""
    parsed = parse_arn(arn)
    if parsed is None:
        return Key(scope, "queue", arn)
    return Key(Scope(parsed.account, parsed.region), "queue", parsed.name)
