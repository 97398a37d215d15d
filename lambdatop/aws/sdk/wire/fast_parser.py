"""Answers that hold thousands of log events or points, without a walk over each member of each of them.

The SDK copies every event and every series member by member, as its model tells, although nothing of it is
converted but the times of points, one object each: most of the time of reading went there. Where a list is
exactly what the model says, it is taken as the JSON parser made it; everything else about the answer (the
token, metadata, errors, and any answer that is odd) is still read by the SDK's own parser. The times of
points stay numbers, s since the epoch.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from math import isnan
from typing import Any

from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory, AioRestXMLParser
from botocore.parsers import ResponseParserError

from lambdatop.aws.sdk.wire._private import tolerate
from lambdatop.aws.sdk.wire.answer_checks import (
    BAD,
    LATEST_S,
    LEAST_FIGURE,
    MOST_FIGURE,
    POINTS,
    Sound,
    whole,
)
from lambdatop.aws.sdk.wire.json_chunks import split

_EVENT = {"logStreamName", "timestamp", "message", "ingestionTime", "eventId"}
_ROOT = re.compile(rb"\s*(?:<[?!][^>]*>\s*)*<(?:\w+:)?(\w+)")
"""The name of a document's first element."""
_KINDS = frozenset({str, int})
_SERIES = {"Id", "Label", "StatusCode", "Timestamps", "Values"}
_NUMBERS = frozenset({int, float})


class LeanFactory(AioResponseParserFactory):  # type: ignore[misc,unused-ignore]
    """The session's parsers: the SDK's, with the short way in the one for JSON.

    `give_way` is called about every millisecond of it.
    """

    def __init__(self, give_way: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._give_way = give_way

    def create_parser(self, protocol_name: str) -> Any:
        """A parser of the protocol's answers."""
        parser = super().create_parser(protocol_name)
        tolerate(parser, BAD)
        if isinstance(parser, AioRestXMLParser):
            return _RootedParser(parser)
        return _LeanParser(parser, self._give_way) if isinstance(parser, AioJSONParser) else parser


class _RootedParser:
    """A parser of the SDK for XML that takes no other document (a gateway's page) for an empty answer."""

    def __init__(self, full: Any) -> None:
        self._full = full

    async def parse(self, response: dict[str, Any], shape: Any) -> Any:
        """Return what the SDK's parser would.

        Raises:
            ResponseParserError: the document's root is not what the model says.
        """
        if shape is not None and shape.members and response["status_code"] == 200:
            root = _ROOT.match(response["body"])
            if root is None or root[1].decode() != shape.name:
                raise ResponseParserError(f"the answer is no {shape.name}")
        return await self._full.parse(response, shape)


class _LeanParser:
    """A parser of the SDK and a short way past it."""

    def __init__(self, full: Any, give_way: Callable[[], None]) -> None:
        self._full = full
        self._give_way = give_way

    async def parse(self, response: dict[str, Any], shape: Any) -> Any:
        """What the SDK's parser would return."""
        found, member = None, ""
        if shape is not None and shape.name in SHAPES and response["status_code"] == 200:
            member, plain = SHAPES[shape.name]
            found = await self._split(response["body"], member, plain)
        if found is None:
            return await self._full.parse(response, shape)
        entries, rest = found
        answer = await self._full.parse({**response, "body": rest}, shape)
        answer[member] = Sound(entries)
        return answer

    async def _rest(self) -> None:
        self._give_way()
        await asyncio.sleep(0)

    async def _split(
        self, body: Any, member: str, plain: Callable[[Any], bool]
    ) -> tuple[list[dict[str, Any]], bytes] | None:
        """What stands in `member`, and the answer without it; None where the SDK must look at everything."""
        if not isinstance(body, bytes):
            return None
        try:
            found = await split(body.decode(), member, plain, self._rest)
            return found and (found[0], json.dumps({**found[1], member: []}).encode())
        except (ValueError, RecursionError):
            return None


def _event(event: Any) -> bool:
    """Whether an event has only members that the model knows, and none of them null."""
    if type(event) is not dict or not event.keys() <= _EVENT:
        return False
    if not _KINDS.issuperset(map(type, event.values())):
        return False
    at = whole(event.get("timestamp", 0))
    return at is not None and at <= LATEST_S * 1000


def _series(result: Any) -> bool:
    """Whether a result is texts and two lists of numbers, as the model says, that can be metrics' values."""
    if type(result) is not dict or not result.keys() <= _SERIES:
        return False
    for name, value in result.items():
        if name in POINTS:
            sound = _are_figures if name == "Values" else _are_moments
            if type(value) is not list or not _NUMBERS.issuperset(map(type, value)) or not sound(value):
                return False
        elif type(value) is not str:
            return False
    return len(result.get("Timestamps", ())) == len(result.get("Values", ()))


def _are_figures(values: list[Any]) -> bool:
    """Whether each can be a metric's value (`is_figure`), in few steps for all of them."""
    least = min(filter(None, values), default=LEAST_FIGURE)
    return least >= LEAST_FIGURE and max(values, default=0) <= MOST_FIGURE and not isnan(sum(values))


def _are_moments(stamps: list[Any]) -> bool:
    return min(stamps, default=0) >= 0 and max(stamps, default=0) <= LATEST_S and not isnan(sum(stamps))


SHAPES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "FilterLogEventsResponse": ("events", _event),
    "GetMetricDataOutput": ("MetricDataResults", _series),
}
"""Outputs with the member that is read the short way, and what each of its entries must be."""
