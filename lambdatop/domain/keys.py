"""Define keys: account, region, kind and name of each thing."""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import Literal, NamedTuple

Kind = Literal[
    "function",
    "mapping",
    "queue",
    "alias",
    "rule",
    "schedule",
    "pipe",
    "state machine",
    "stream",
    "table",
    "log group",
    "account",
    "alarm",
    "quota",
    "capacity provider",
]


class Scope(NamedTuple):
    """One account in one region: the first half of every key."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


class Key(NamedTuple):
    """The identity of one thing, stable over sorting, filtering and refreshing.

    `id` is the function name, the mapping UUID, `function:alias`, `bus/rule`, `group/schedule`, or the name
    of the pipe, state machine, queue, stream, table, log group, alarm, quota or capacity provider.
    """

    scope: Scope
    kind: Kind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}@{self.scope}"


class Arn(NamedTuple):
    """The parts of an Amazon Resource Name."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def name(self) -> str:
        """The last part of the resource, without its type (`function:f:live` gives `f`)."""
        if self.service == "lambda" and self.resource.startswith("function:"):
            return self.resource.split(":")[1]
        if self.resource.startswith(("table/", "stream/")) and self.service in ("dynamodb", "kinesis"):
            # Behind it may stand a stream's label, or a consumer's name and time.
            return self.resource.split("/")[1]
        if self.service == "kafka":
            return self.resource.split("/")[1] if "/" in self.resource else self.resource
        if self.service == "mq" and self.resource.startswith("broker:"):
            # Behind it stands the broker's id.
            return self.resource.split(":")[1]
        return self.resource.rsplit("/", 1)[-1].rsplit(":", 1)[-1]

    @property
    def qualifier(self) -> str | None:
        """Version or alias of a function ARN, None when it is unqualified."""
        parts = self.resource.split(":")
        return parts[2] if self.service == "lambda" and len(parts) > 2 else None


def qualified_name(function: Key, qualifier: str) -> str:
    """Return `web-api`, or `web-api:live` for one of its aliases or versions."""
    return f"{function.id}:{qualifier}" if qualifier else function.id


@lru_cache(maxsize=65_536)
def parse_arn(text: str) -> Arn | None:
    """Split an ARN; None when `text` is not one."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    # All but the resource is the same for a whole account: once in memory instead of ten thousand times.
    partition, service, region, account = map(intern, parts[1:5])
    return Arn(partition, service, region, account, parts[5])


@lru_cache(maxsize=65_536)
def key_of(kind: Kind, arn: str) -> Key | None:
    """Return the key of what an ARN names, in its own account and region; None when `arn` is not one."""
    parsed = parse_arn(arn)
    return Key(Scope(parsed.account, parsed.region), kind, parsed.name) if parsed else None
