"""Read the valid parts of an event stream; an invalid part ends the stream.

The SDK parses frames as they come and raises what its parsing happens to raise (`struct.error`, `KeyError`,
`UnicodeDecodeError`, `RecursionError` …), and members of the payload have whatever type the server gave them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdatop.aws.sdk.errors import translate
from lambdatop.aws.sdk.wire.answer_checks import LATEST_S
from lambdatop.domain.errors import SourceError, Unreachable

SILENCE_S = 30.0
"""A stream without a complete part for so long, s, is broken: Live Tail sends an update every second. (The
SDK limits a frame to 24 MB.)"""
Raw = Mapping[str, Any]
"""One event as FilterLogEvents or Live Tail returns it."""
TEXTS = ("message", "logStreamName", "eventId", "logGroupIdentifier")


def broken(what: str, error: BaseException) -> Unreachable:
    """Return the error for a stream that broke off; nothing of what was sent stands in it."""
    return Unreachable(f"{what}: the stream broke off ({type(error).__name__}).", code="dropped")


async def whole_parts(
    stream: AsyncIterable[Any], service: str, operation: str
) -> AsyncIterator[dict[str, Any]]:
    """Yield each part in turn.

    Raises:
        SourceError: AWS ended the stream with an exception, or it broke off (code "dropped").
    """
    parts = aiter(stream)
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                part = await anext(parts)
            if not isinstance(part, dict):
                raise TypeError("a part that is not a structure")
        except StopAsyncIteration:
            return
        except ClientError as error:  # the SDK's EventStreamError: an exception that the stream carries
            raise _carried(error, service, operation) from None
        except Exception as error:
            raise broken(f"{service}:{operation}", error) from None
        yield part


def _carried(error: ClientError, service: str, operation: str) -> SourceError:
    try:
        found = translate(error, service, operation)
    except Exception as odd:  # its members may be anything, too
        return broken(f"{service}:{operation}", odd)
    return found if isinstance(found, SourceError) else broken(f"{service}:{operation}", error)


def live_update(part: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], bool, int] | None:
    """Return a part's events, whether it was sampled, and how many events are not valid.

    None where it is not an update. Raises ValueError for an update that is not valid.
    """
    update = part.get("sessionUpdate")
    if update is None:
        return None
    if not isinstance(update, Mapping):
        raise ValueError("an update that is not a structure")
    if not update.keys() & {"sessionResults", "sessionMetadata"}:
        raise ValueError("an update of which nothing could be read")  # the SDK's result for what is not JSON
    events, about = update.get("sessionResults") or (), update.get("sessionMetadata") or {}
    if not isinstance(events, (list, tuple)) or not isinstance(about, Mapping):
        raise ValueError("an update without a list of events")
    found, odd = sound(events)
    return found, bool(about.get("sampled")), odd


def sound(events: Sequence[Any]) -> tuple[list[Raw], int]:
    """Return events whose members are valid, and how many were left out as not valid."""
    found = [event for event in events if _is_sound(event)]
    return found, len(events) - len(found)


def _is_sound(event: Any) -> bool:
    if not isinstance(event, dict):
        return False
    at = event.get("timestamp")
    if type(at) is not int or not 0 <= at <= LATEST_S * 1000:
        return False
    texts = (event.get(name) for name in TEXTS)
    return all(text is None or isinstance(text, str) for text in texts)
