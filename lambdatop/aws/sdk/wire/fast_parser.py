"""Decode answers that hold thousands of log events or points by their types, in C.

The SDK copies every event and every series member by member, as its model says, although it converts only the
times of points, one object each: most of the reading time was spent there. Where a list is exactly what the
model says, it is taken as msgspec decodes it; the SDK's own parser still reads everything else of the answer
(the token, metadata, errors, and any answer that does not fit). The times of points stay
numbers, s since the epoch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import Annotated, Any, NamedTuple, TypedDict

import msgspec
from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory, AioRestXMLParser
from botocore.parsers import ResponseParserError

from lambdatop.aws.sdk.wire._private import tolerate
from lambdatop.aws.sdk.wire.answer_checks import BAD, LATEST_S, LEAST_FIGURE, MOST_FIGURE, Sound

_ROOT = re.compile(rb"\s*(?:<[?!][^>]*>\s*)*<(?:\w+:)?(\w+)")
"""The name of a document's first element."""


_Moment = Annotated[int, msgspec.Meta(ge=0, le=LATEST_S * 1000)]
"""ms since the epoch. Without limits msgspec takes numbers that no float holds."""


class _Event(TypedDict, total=False):
    logStreamName: str
    timestamp: _Moment
    message: str
    ingestionTime: _Moment
    eventId: str


class _Series(TypedDict, total=False):
    Id: str
    Label: str
    StatusCode: str
    Timestamps: list[int | float]
    Values: list[int | float]
    Messages: list[dict[str, str]]


class TypedFactory(AioResponseParserFactory):  # type: ignore[misc,unused-ignore]
    """The session's parsers: the SDK's, with a faster way in the one for JSON."""

    def create_parser(self, protocol_name: str) -> Any:
        """Return a parser of the protocol's answers."""
        parser = super().create_parser(protocol_name)
        tolerate(parser, BAD)
        if isinstance(parser, AioRestXMLParser):
            return _RootedParser(parser)
        return _TypedParser(parser) if isinstance(parser, AioJSONParser) else parser


class _RootedParser:
    """A parser of the SDK for XML that refuses any other document (a gateway's page) as an answer."""

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
                raise ResponseParserError(f"the answer is not a {shape.name}")
        return await self._full.parse(response, shape)


class _TypedParser:
    """A parser of the SDK and a faster way for long lists."""

    def __init__(self, full: Any) -> None:
        self._full = full

    async def parse(self, response: dict[str, Any], shape: Any) -> Any:
        """Return what the SDK's parser would."""
        long = LISTS.get(shape.name) if shape is not None and response["status_code"] == 200 else None
        found = _split(response["body"], long) if long is not None else None
        if long is None or found is None:
            return await self._full.parse(response, shape)
        entries, rest = found
        answer = await self._full.parse({**response, "body": rest}, shape)
        answer[long.member] = Sound(entries)
        return answer


class _Long(NamedTuple):
    """A list of an answer that is decoded by its type; `sound` says more than the type can."""

    member: str
    decoder: msgspec.json.Decoder[list[Any]]
    sound: Callable[[Any], bool] = lambda entry: True


_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _split(body: Any, long: _Long) -> tuple[list[Any], bytes] | None:
    """Return the list and the answer without it; None where the SDK must read everything."""
    try:
        members = _members.decode(body)
        entries = long.decoder.decode(members[long.member])
    except (msgspec.MsgspecError, ValueError, TypeError, KeyError, RecursionError):
        return None
    if not all(map(long.sound, entries)):
        return None
    members[long.member] = msgspec.Raw(b"[]")
    return entries, msgspec.json.encode(members)


def _is_sound(series: _Series) -> bool:
    times, values = series.get("Timestamps", ()), series.get("Values", ())
    return len(times) == len(values) and _are_moments(times) and _are_figures(values)


def _are_figures(values: Sequence[float]) -> bool:
    """Return whether each can be a metric's value (`is_figure`), in few steps for all of them."""
    least = min(filter(None, values), default=LEAST_FIGURE)
    return least >= LEAST_FIGURE and max(values, default=0) <= MOST_FIGURE and not isnan(sum(values))


def _are_moments(stamps: Sequence[float]) -> bool:
    return min(stamps, default=0) >= 0 and max(stamps, default=0) <= LATEST_S and not isnan(sum(stamps))


LISTS: Mapping[str, _Long] = {
    "FilterLogEventsResponse": _Long("events", msgspec.json.Decoder(list[_Event])),
    "GetMetricDataOutput": _Long("MetricDataResults", msgspec.json.Decoder(list[_Series]), _is_sound),
}
"""Outputs with the list that is read the faster way."""
