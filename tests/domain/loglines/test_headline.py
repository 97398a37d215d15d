"""What a list of errors calls an error: the message, whole, without stamp, level and request id."""

from __future__ import annotations

import pytest

from lambdatop.domain.loglines.headline import headline
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.records import join

R = "79b5e81f-9a3c-4c1b-8f37-0a6c1f3f9d10"
STAMP = "2026-11-21T04:11:00.123Z"


def of(*events: str) -> str:
    """Return the headline of events that one statement wrote."""
    lines = [parse(1000 + n / 1000, f"e{n}", "s", text, n + 1) for n, text in enumerate(events)]
    (record,) = join(lines)
    return headline(record)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A word like a level is the message's own where the runtime wrote its level already.
        (f"[ERROR]\t{STAMP}\t{R}\terror rate is 7 %", "error rate is 7 %"),
        (f"[WARNING]\t{STAMP}\t{R}\tinfo service unreachable", "info service unreachable"),
        (f"[ERROR]\t{STAMP}\t{R}\tERROR topic is gone", "ERROR topic is gone"),
        (f"{STAMP}\t{R}\tERROR\tERROR-topic is gone", "ERROR-topic is gone"),
        (f"{STAMP} {R} ERROR Handler:41 - no stock", "Handler:41 - no stock"),
        # Ruby's logger, within a request and outside of one.
        (f"E, [2026-11-21T04:11:00.123456 #8] ERROR {R} -- : order 71 is not open", "order 71 is not open"),
        (f"E, [2026-11-21T04:11:00.123456 #8] ERROR {R} -- shop: no order", "no order"),
        ("E, [2026-11-21T04:11:00.123456 #8] ERROR -- : order 71 is not open", "order 71 is not open"),
    ],
)
def test_the_message_of_a_line(text: str, expected: str) -> None:
    assert of(text) == expected
