from __future__ import annotations

import pytest
from fakes.worlds import NOW, WORKER, function, mapping

from lambdatop.domain.keys import Scope
from lambdatop.domain.plans.finding import Finding, Ref
from lambdatop.domain.state.snapshot import FunctionRow, Snapshot, SourceRow, StormRow, Target
from lambdatop.report.text import numbers
from lambdatop.report.text.snapshot import snapshot_text, state
from lambdatop.report.text.table import markdown_table, text_table, width


def test_columns_are_aligned_by_what_a_terminal_shows() -> None:
    table = text_table(("NAME", "N"), [["日本", "1"], ["e\u0301", "100"]], right=(1,))
    assert table.splitlines() == ["NAME    N", "日本    1", "e\u0301     100"]
    assert (width("日本"), width("e\u0301")) == (4, 1)


def test_a_cell_never_breaks_a_line_or_a_markdown_table() -> None:
    assert "\n" not in text_table(None, [["a\nb"]])
    row = markdown_table(("A",), [["x|y <b> [l](u) `c`\nz"]]).splitlines()
    assert row == ["| A |", "| --- |", r"| x\|y \<b\> \[l\](u) \`c\` z |"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (numbers.number(None), "-"),
        (numbers.number(3.0), "3"),
        (numbers.number(3.14), "3.1"),
        (numbers.number(12345.6), "12,346"),
        (numbers.percent(0.425), "42.5%"),
        (numbers.millis(812.4), "812ms"),
        (numbers.millis(12_340), "12.3s"),
        (numbers.age(0), "0s"),
        (numbers.age(130), "2m"),
        (numbers.age(8000), "2h"),
        (numbers.age(200_000), "2d"),
        (numbers.trend(1.44), "+1.4/min"),
        (numbers.trend(-2), "-2.0/min"),
        (numbers.moment(NOW), "2027-01-15T08:00:00Z"),
        (numbers.moment_ms(NOW + 0.0625), "2027-01-15T08:00:00.062Z"),
        (numbers.moment_ms(1e15), "-"),
        (numbers.moment_of_ms(int(NOW) * 1000 + 62), "2027-01-15T08:00:00.062Z"),
        (numbers.moment_of_ms(-1), "1969-12-31T23:59:59.999Z"),
        (numbers.moment_of_ms(10**18), "-"),
        (state({"reserved_concurrency": None}), "reserved_concurrency=null"),
        (state({}), "-"),
        (state(None), "not read"),
    ],
)
def test_figures(text: str, wanted: str) -> None:
    assert text == wanted


def test_both_ways_to_a_moment_agree_on_every_millisecond() -> None:
    for ms in range(int(NOW) * 1000 - 1500, int(NOW) * 1000 + 1500):
        assert numbers.moment_of_ms(ms) == numbers.moment_ms(ms / 1000)


def snapshot() -> Snapshot:
    facts = mapping()
    finding = Finding(
        "sqs_redelivery",
        "critical",
        Ref(WORKER, "arn", "orders-worker"),
        "orders redelivers",
        NOW,
        (),
        ("disable_trigger",),
    )
    return Snapshot(
        at=NOW,
        version="9.9",
        mode="read-only",
        targets=(
            Target(Scope("111122223333", "eu-central-1"), endpoint="http://127.0.0.1:1", notice="DEMO x12"),
        ),
        functions=(
            FunctionRow(
                function(),
                reserved=None,
                reserved_known=True,
                errors_per_min=1.5,
                error_rate=0.5,
                as_of=NOW - 3,
            ),
            FunctionRow(function("other"), reserved=0, reserved_known=True),
            FunctionRow(function("unread")),
        ),
        storms=(StormRow(facts.key, WORKER, "sqs", "orders", "Enabled", ""),),
        findings=(finding,),
        sources=(SourceRow("alarms", "denied", None, "cloudwatch:DescribeAlarms is denied"),),
    )


def test_a_snapshot_as_a_table_says_what_is_known_and_what_is_not() -> None:
    text = snapshot_text(snapshot())
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert "read-only" in text.splitlines()[0]
    assert "http://127.0.0.1:1 DEMO x12" in text.splitlines()[0]
    assert rows["critical"][1:3] == ["sqs_redelivery", "orders-worker"]
    assert rows["orders-worker"][3:5] == ["1.5", "50.0%"]
    assert rows["orders-worker"][10] == "none", "no reservation is not zero"
    assert rows["other"][10] == "0", "throttled to zero"
    assert rows["unread"][10] == "-", "nobody has looked"
    assert rows["sqs:orders"][1:4] == ["orders-worker", "unknown", "Enabled"]
    assert "cloudwatch:DescribeAlarms is denied" in text
    assert "QUOTAS\nnone" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("odd", [float("inf"), float("-inf"), float("nan"), 1e300, -1e12, 1e12])
def test_no_figure_ends_what_prints_it(odd: float) -> None:
    makers = (numbers.number, numbers.percent, numbers.millis, numbers.age, numbers.trend)
    assert all(make(odd) for make in makers)
    assert (numbers.moment(odd), numbers.moment_ms(odd)) == ("-", "-")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("abc", 3), ("\u65e5\u672c", 4), ("e\u0301", 1), ("\u0e17\u0e35\u0e48", 1),
        ("\u0645\u06cc\u200c\u062e", 3), ("\u0915\u094d\u200d\u0937", 2),
        ("\u26a0\ufe0f", 2), ("\u26a0\ufe0e", 1), ("1\ufe0f\u20e3", 2), ("\U0001f1e9\U0001f1ea", 2),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 2), ("\U0001f3f3\ufe0f\u200d\U0001f308", 2),
        ("\U0001f469\U0001f3fd\u200d\u2708\ufe0f", 2), ("\U0001f3fd", 2), ("\u1112\u1161\u11ab", 2),
        ("\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in "gbeng\x7f"), 2),
    ],
)  # fmt: skip
def test_columns_of_what_is_joined(text: str, columns: int) -> None:
    assert (width(text), width(f"x{text}y")) == (columns, columns + 2)
