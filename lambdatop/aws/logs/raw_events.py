"""Handle raw log events: when and by which function they were written, their identity, and their lines."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from lambdatop.aws.sdk.event_stream import Raw
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.sanitize import clean_line, clean_name

PARSE_SLICE = 500
"""Lines that are parsed before other tasks of the loop run."""

ORDER_SLICE = 2_000


_SHARED_STREAM = re.compile(r"^\d{4}/\d{2}/\d{2}/([A-Za-z0-9_-]{1,64})\[(?:\$LATEST|\d+)\]")


def stamp(event: Raw) -> int:
    """Return the event's timestamp, ms since the epoch."""
    return int(event.get("timestamp") or 0)


def owner(stream: str) -> str | None:
    """Return the function that a stream of a shared log group belongs to; None when its name does not say."""
    match = _SHARED_STREAM.match(stream)
    return match.group(1) if match else None


def identity(event: Raw) -> str:
    """Return the event's id; where the server sends none, one that is made of the line."""
    id_ = event.get("eventId")
    if id_:
        return clean_name(str(id_))
    text = f"{event.get('logStreamName')}|{event.get('message')}"
    return f"{event.get('timestamp')}-{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"


def owned(events: Iterable[Raw], keys: Mapping[str, Key], shared: bool) -> tuple[list[tuple[Key, Raw]], int]:
    """Return each line with its function, and how many have none; drops other functions' lines."""
    if not shared and len(keys) == 1:
        (key,) = keys.values()
        return [(key, event) for event in events], 0
    own, unknown = [], 0
    for event in events:
        name = owner(str(event.get("logStreamName") or ""))
        if name is None:
            unknown += 1
        elif name in keys:
            own.append((keys[name], event))
    return own, unknown


def in_order(events: Sequence[Raw], give_way: Callable[[], None]) -> list[Raw]:
    """Return events oldest first; those of one millisecond stay in their order."""
    stamps: list[int] = []
    for i in range(0, len(events), ORDER_SLICE):
        give_way()
        stamps += map(stamp, events[i : i + ORDER_SLICE])
    order = sorted(range(len(events)), key=stamps.__getitem__)
    give_way()
    return [events[i] for i in order]


def shared_groups(functions: Sequence[FunctionFacts]) -> set[str]:
    """Log groups that more than one function writes to."""
    seen: set[str] = set()
    shared: set[str] = set()
    for facts in functions:
        if facts.log_group in seen:
            shared.add(facts.log_group)
        seen.add(facts.log_group)
    return shared


async def parsed(
    events: Sequence[Raw],
    slice_: int = PARSE_SLICE,
    pause_s: float = 0.0,
    give_way: Callable[[], None] = lambda: None,
    first: int = 0,
    keep_raw: bool = False,
) -> list[LogLine]:
    """Parse events into lines, in the same order; after each slice it pauses for `pause_s` at least.

    The lines are numbered from `first` on.
    """
    lines: list[LogLine] = []
    for i, event in enumerate(events):
        if i and i % slice_ == 0:
            await asyncio.sleep(pause_s)
            give_way()
        stream = clean_line(str(event.get("logStreamName") or ""), 512)
        text = str(event.get("message") or "")
        lines.append(parse(stamp(event) / 1000, identity(event), stream, text, first + i, keep_raw=keep_raw))
    return lines
