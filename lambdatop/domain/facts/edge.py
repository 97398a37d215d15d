"""Describe who sends events to whom: functions, queues, topics, streams, tables, buses, buckets."""

from __future__ import annotations

from msgspec import Struct


class Edge(Struct, frozen=True):
    """Events go from `source` to `target` (ARNs without a function's qualifier).

    `via` says how: "event source mapping", "redrive policy", "on-failure destination", "on-success
    destination", "dead-letter queue", "subscription", "notification", "rule NAME", "environment variable
    NAME" … `certain` is False where it is only likely: an environment variable that names a queue says
    that the function knows it, not that it writes there.
    """

    source: str
    target: str
    via: str
    certain: bool = True


class Reference(Struct, frozen=True):
    """A resource that one of a function's environment variables names; the value itself is not kept."""

    variable: str
    arn: str
