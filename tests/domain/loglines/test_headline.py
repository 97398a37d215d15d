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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Pairs: message and error, not their places.
        (f'time={STAMP} level=ERROR msg="db down" err="dial tcp: refused"', "db down: dial tcp: refused"),
        (f'time="{STAMP}" level=error msg="card declined"', "card declined"),
        ('level=error ts=x caller=a.go:1 msg="said \\"no\\"" error=EOF', 'said \\"no\\": EOF'),
        ("level=error caller=a.go:1", "level=error caller=a.go:1"),
        # JSON of loggers that call the message otherwise, with the error beside it.
        ('{"Level":"Error","MessageTemplate":"Order {Id} is not open"}', "Order {Id} is not open"),
        ('{"level":"error","body":"db down"}', "db down"),
        ('{"L":"ERROR","T":"x","M":"db down"}', "db down"),
        ('{"level":3,"short_message":"db down"}', "db down"),
        ('{"level":50,"err":{"message":"ENOSPC"},"msg":"failed"}', "failed: ENOSPC"),
        ('{"level":50,"err":{"message":"failed"},"msg":"failed"}', "failed"),
        ('{"level":"error","error":"EOF","msg":"failed"}', "failed: EOF"),
        (
            '{"@t":"x","@mt":"no","@l":"Error","@x":"System.Exception: y\\n   at Z"}',
            "no: System.Exception: y",
        ),
        # A first line that says nothing yet.
        (
            "Nov 30, 2026 8:15:42 AM com.example.Handler handleRequest\nSEVERE: order 71 is not open",
            "order 71 is not open",
        ),
        (
            f"{STAMP}\t{R}\tERROR\tPrismaClientKnownRequestError: \n"
            "Invalid `prisma.order.create()` invocation:\n\n\nUnique constraint failed\n    at x (/a.js:1:1)",
            "PrismaClientKnownRequestError: Unique constraint failed",
        ),
        (
            "fail: Example.Kestrel[13]\n      Request 1: An unhandled exception was thrown.\n"
            "      System.TimeoutException: late\n         at Example.Handler()",
            "System.TimeoutException: late",
        ),
        ("fail: Example.Orders[0]\n      order 71 is not open", "order 71 is not open"),
        (
            "thread 'main' panicked at src/main.rs:31:14:\nindex out of bounds\nnote: run with x",
            "thread 'main' panicked at src/main.rs:31:14: index out of bounds",
        ),
        (
            "thread 'main' panicked at 'no config', src/main.rs:3:5",
            "thread 'main' panicked at src/main.rs:3:5: no config",
        ),
        ("thread 'main' panicked at src/main.rs:31:14:", "thread 'main' panicked at src/main.rs:31:14"),
    ],
)
def test_the_headline_names_the_cause(text: str, expected: str) -> None:
    assert of(text) == expected


def test_a_panic_of_rust_goes_on_with_its_message_and_ends_before_the_next() -> None:
    first = ("thread 'main' panicked at src/a.rs:3:5:", "no order", "note: run with `RUST_BACKTRACE=1`")
    assert of(*first) == "thread 'main' panicked at src/a.rs:3:5: no order"
    events = (*first, "thread 'main' panicked at src/b.rs:4:5:\nno stock", "done")
    lines = [parse(1000 + n / 1000, f"e{n}", "s", text, n + 1) for n, text in enumerate(events)]
    assert [len(record.lines) for record in join(lines)] == [3, 1, 1]
