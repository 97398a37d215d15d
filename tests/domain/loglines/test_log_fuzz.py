r"""Whatever comes as a log line: nothing raises, nothing that controls a terminal gets through.

Time: `signatures.classify` and `fingerprint` look at a bounded part of a line; the patterns of the parser
are anchored or searched within a bounded head, and their repetitions are bounded or possessive, so no
pattern can give back what it took. The test of the patterns below holds that rule down.
"""

from __future__ import annotations

import json
import re
import unicodedata
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from lambdatop.domain.log_analysis import fingerprints
from lambdatop.domain.log_analysis.fingerprints import LENGTH, digest_errors, fingerprint
from lambdatop.domain.log_analysis.requests import requests
from lambdatop.domain.loglines import (
    headline as headlines,
)
from lambdatop.domain.loglines import (
    json_line,
    stack_traces,
)
from lambdatop.domain.loglines import (
    line as logline,
)
from lambdatop.domain.loglines.headline import MOST, headline
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.loglines.records import Joiner, Record, join
from lambdatop.domain.sanitize import MAX_CHARS, clean, without_colours

PIECES = (
    "REPORT RequestId: ",
    "START RequestId: r",
    "END RequestId: r",
    "INIT_START ",
    "Duration: 5 ms",
    "Status: timeout",
    "XRAY TraceId: 1",
    '{"type":"platform.report","record":',
    '{"level":"ERROR","requestId":"\\u001b[2J","message":"\\ud800"}',
    '{"requestId":',
    "[ERROR] ",
    "Traceback (most recent call last):",
    '  File "/a.py", line 3, in x',
    "ValueError: x",
    "    at x (/a.js:1:1)",
    "\tat a.B.c(D.java:1)",
    "Caused by: x",
    "goroutine 1 [running]:",
    "panic: x",
    "thread 'main' panicked at x",
    "79b5e81f-9a3c-4c1b-8f37-0a6c1f3f9d10",
    "2026-11-21T04:11:00.123Z",
    "Task timed out after 3.00 seconds",
    "Error: Runtime exited",
    "\x1b]52;c;aGk=\x07",
    "\x1b[31m",
    "\x9b",
    "\u202e\u2066\u200b",
    "\x00\ud800",
    "[bold]x[/bold]",
    "\r",
    "\r\n",
    "\n",
    "\t",
    "'\"`",
    "413",
)
raw = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=300).map(lambda b: b.decode("utf-8", "surrogateescape")),
    st.binary(max_size=300).map(lambda b: b.decode("latin-1")),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=12).map("".join),
)
arrivals = st.lists(st.tuples(st.integers(0, 6), st.sampled_from("ab"), raw), max_size=14)


def harmless(text: str) -> None:
    assert all(ch == "\n" or unicodedata.category(ch) not in ("Cc", "Cs", "Zl", "Zp") for ch in text)
    assert not any(ch in text for ch in "\u202e\u2066\u200b\ufeff")


def harmless_line(line: LogLine) -> None:
    for text in (line.kind, line.level, line.text, line.request_id, line.signature):
        harmless(text)
    if line.report is not None:
        harmless(line.report.status + line.report.error_type)
        for field in fields(line.report):
            value = getattr(line.report, field.name)
            assert value is None or isinstance(value, str) or 0 <= value < float("inf")


def harmless_records(records: tuple[Record, ...]) -> None:
    for record in records:
        harmless(record.text + record.request_id + record.level + record.kind + record.signature)
        assert len(headline(record)) <= MOST + 40
    for kind in digest_errors(records):
        harmless(kind.fingerprint + kind.sample)
        assert "\n" not in kind.fingerprint
    for request in requests(records):
        harmless(request.request_id + request.error + request.error_type)


@given(raw)
def test_any_text_is_a_harmless_line(message: str) -> None:
    line = parse(0.0, "e", "s", message)
    harmless_line(line)
    assert line.text == clean(without_colours(message.rstrip("\n")))
    assert line.level in ("", "trace", "debug", "info", "warn", "error", "fatal")
    assert line.kind in ("start", "end", "report", "init", "error", "timeout", "app")


json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(PIECES), st.text(max_size=9)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    "requestId",
    "level",
    "log_level",
    "status",
    "errorType",
    "metrics",
    "message",
    "record",
    "type",
    "err",
)
TYPES = ("report", "start", "initReport", "restoreReport", "runtimeDone", "fault", "logsDropped", "x")
METRICS = ("durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs")


@given(
    st.sampled_from(TYPES),
    st.one_of(json_values, st.dictionaries(st.sampled_from(KEYS), json_values)),
    st.dictionaries(st.sampled_from(METRICS), json_values),
    st.dictionaries(st.sampled_from(KEYS), json_values),
)
def test_any_json_is_a_harmless_line(type_: str, record: Any, metrics: Any, outer: Any) -> None:
    if isinstance(record, dict):
        record = {"metrics": metrics, **record}
    for data in ({"type": f"platform.{type_}", "record": record}, {**outer, "record": record}, outer):
        line = parse(0.0, "e", "s", json.dumps(data))
        harmless_line(line)
        harmless_records(join([line]))


@settings(max_examples=150)
@given(arrivals, st.integers(1, 5))
def test_any_lines_are_joined_without_loss_in_any_order(found: list[tuple[int, str, str]], size: int) -> None:
    lines = [replace(parse(float(at), f"e{i}", s, t), seq=i) for i, (at, s, t) in enumerate(found, 1)]
    whole = join(lines)
    assert sorted(n.seq for r in whole for n in r.lines) == [n.seq for n in lines]
    assert join(lines[::-1]) == whole
    harmless_records(whole)
    joiner = Joiner()
    batches = [r for i in range(0, len(lines), size) for r in joiner.feed(lines[i : i + size])]
    batches += joiner.open()
    assert sorted(n.seq for r in batches for n in r.lines) == [n.seq for n in lines]
    assert all(len({n.stream for n in r.lines}) == 1 for r in batches)


@given(raw)
def test_any_text_has_a_harmless_fingerprint(text: str) -> None:
    print_ = fingerprint(text)
    harmless(print_)
    assert "\n" not in print_
    assert len(print_) <= LENGTH
    assert fingerprint(text) == print_


@pytest.mark.parametrize(
    "message",
    [
        "x" * 1_000_000,
        "\x1b[31m" * 200_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        "[" * 10_000,
        '{"level":"ERROR","message":"' + "y" * 1_000_000 + '"}',
        '{"n":' + "9" * 60_000 + "}",
        "\ud800" * 100_000,
        "[ERROR] " + "[/bold]" * 10_000,
        "REPORT RequestId: r " + "Duration: " * 50_000,
        "-aaaa-aaaa-aaaa-" * 50_000,
        "A." * 50_000 + "Error: x",
        "\r" * 100_000,
        " at" * 100_000,
        "'" * 100_000,
    ],
    ids=lambda m: repr(m[:12]),
)
def test_a_monstrous_line_is_an_ordinary_one(message: str) -> None:
    line = parse(0.0, "e", "s", message)
    harmless_line(line)
    assert len(line.text) <= MAX_CHARS * 8 + 60
    harmless_records(join([line, replace(line, seq=1)]))
    harmless(fingerprint(message))


def patterns() -> list[tuple[str, re.Pattern[str]]]:
    modules = (logline, json_line, stack_traces, headlines, fingerprints)
    return [
        (f"{m.__name__}.{name}", value)
        for m in modules
        for name, value in vars(m).items()
        if isinstance(value, re.Pattern)
    ]


def nested(tree: Any, inside: bool = False) -> bool:
    """Return whether a repetition that may give back stands within an unbounded one that may give back."""
    for op, value in tree:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            unbounded = value[1] is sre.MAXREPEAT or value[1] > 1000
            if inside and (value[0] != value[1]):
                return True
            if nested(value[2], inside or unbounded):
                return True
        elif op in (sre.POSSESSIVE_REPEAT, sre.ATOMIC_GROUP):
            # What was taken is never given back: a new beginning for what stands within.
            if nested(value[2] if op is sre.POSSESSIVE_REPEAT else value):
                return True
        elif op is sre.SUBPATTERN:
            if nested(value[3], inside):
                return True
        elif op is sre.BRANCH:
            if any(nested(branch, inside) for branch in value[1]):
                return True
        elif op in (sre.ASSERT, sre.ASSERT_NOT) and nested(value[1]):
            return True
    return False


def test_no_pattern_nests_repetitions_that_can_give_back() -> None:
    found = patterns()
    assert len(found) > 20
    assert [name for name, p in found if nested(_parser.parse(p.pattern, p.flags & ~re.UNICODE))] == []
    assert nested(_parser.parse(r"(?:a+b?)*c"))
    assert nested(_parser.parse(r"(a*)*"))
    assert not nested(_parser.parse(r"(?:a++b)*+c"))
