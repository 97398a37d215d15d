"""Answers that hold thousands of log events, without a walk over each member of each of them.

The SDK copies every event member by member, as its model tells, although none of these members is converted:
most of the time of reading a log went there. Where every event is exactly what the model says, it is taken as
the JSON parser made it; everything else about the answer (the token, metadata, errors, and any answer that is
odd) is still read by the SDK's own parser.
"""

from __future__ import annotations

import json
from typing import Any

from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory

SHAPES = frozenset({"FilterLogEventsResponse"})
"""Outputs whose `events` are read the short way."""

_NAMES = {"logStreamName", "timestamp", "message", "ingestionTime", "eventId"}
_KINDS = frozenset({str, int})


class LeanFactory(AioResponseParserFactory):  # type: ignore[misc,unused-ignore]
    """The session's parsers: the SDK's, with the short way in the one for JSON."""

    def create_parser(self, protocol_name: str) -> Any:
        """A parser of the protocol's answers."""
        parser = super().create_parser(protocol_name)
        return _LeanParser(parser) if isinstance(parser, AioJSONParser) else parser


class _LeanParser:
    """A parser of the SDK and a short way past it."""

    def __init__(self, full: Any) -> None:
        self._full = full

    async def parse(self, response: dict[str, Any], shape: Any) -> Any:
        """What the SDK's parser would return."""
        split = None
        if shape is not None and shape.name in SHAPES and response["status_code"] == 200:
            split = _split(response["body"])
        if split is None:
            return await self._full.parse(response, shape)
        events, rest = split
        answer = await self._full.parse({**response, "body": rest}, shape)
        answer["events"] = events
        return answer


def _split(body: Any) -> tuple[list[dict[str, Any]], bytes] | None:
    """The events, and the answer without them; None where the SDK must look at every member."""
    if not isinstance(body, bytes):
        return None
    try:
        answer = json.loads(body.decode())
        if type(answer) is not dict:
            return None
        events = answer.pop("events", None)
        if type(events) is not list or not all(map(_plain, events)):
            return None
        return events, json.dumps({**answer, "events": []}).encode()
    except (ValueError, RecursionError):
        return None


def _plain(event: Any) -> bool:
    """Whether an event has only members that the model knows, and none of them null."""
    return type(event) is dict and event.keys() <= _NAMES and _KINDS.issuperset(map(type, event.values()))
