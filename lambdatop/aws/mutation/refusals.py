"""Say what to do where AWS refused a change: its own words name settings, and leave the next step open.

The words are matched as AWS writes them; what is not known here stays AWS's sentence alone. Sources:

- https://github.com/winglang/wing/issues/1507: "Queue visibility timeout: 30 seconds is less than Function
  timeout: 60 seconds" (Lambda developer guide, "Creating and configuring an Amazon SQS event source
  mapping").
- https://github.com/aws-samples/s3-to-lambda-patterns/issues/36: "Specified ReservedConcurrentExecutions for
  function decreases account's UnreservedConcurrentExecution below its minimum value of [50]".
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NUMBER = r"(\d{1,9})"
_VISIBILITY = re.compile(
    rf"visibility timeout: {_NUMBER} seconds? is less than function timeout: {_NUMBER} seconds?",
    re.IGNORECASE,
)
_UNRESERVED = re.compile(rf"UnreservedConcurrentExecution below its minimum value of \[{_NUMBER}\]")


def _raise_visibility(found: re.Match[str]) -> str:
    visibility, timeout = int(found[1]), int(found[2])
    return (
        f"set the queue's visibility timeout, {visibility} s, to at least the function's timeout, {timeout} "
        f"s (AWS advises {6 * timeout} s and the batching window), and try again, or throttle the function "
        "instead"
    )


def _reserve_less(found: re.Match[str]) -> str:
    return (
        f"AWS keeps {int(found[1]):,} of the account's concurrency unreserved: ask for less, or release "
        "another reservation first"
    )


_ADVICE: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_VISIBILITY, _raise_visibility),
    (_UNRESERVED, _reserve_less),
)


def with_advice(words: str) -> str:
    """Return AWS's cleaned words of a refusal, with what to do then where that is known."""
    for pattern, advice in _ADVICE:
        found = pattern.search(words)
        if found:
            return f"{words.rstrip('. ')}. What to do: {advice(found)}."
    return words
