from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.facts.source_kinds import source_kind
from lambdatop.domain.keys import parse_arn
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.sanitize import (
    MAX_CHARS,
    clean,
    clean_all,
    clean_line,
    clean_name,
    looks_confusable,
    strange_letters,
)


@given(st.text())
def test_nothing_that_controls_a_terminal_survives(text: str) -> None:
    for ch in clean(text):
        assert ch == "\n" or unicodedata.category(ch) not in ("Cc", "Cs"), repr(ch)
        assert ch not in "\u202e\u200b\u2066\ufeff\U000e0041"
    assert "\n" not in clean_line(text)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_harmless_text_is_left_alone(text: str) -> None:
    assert clean(text) == text


def test_escapes_are_shown() -> None:
    assert clean("\x1b[31mred\x1b]52;c;aGk=\x07") == "␛[31mred␛]52;c;aGk=␇"
    assert clean("a\x9bb\x7f\u202ec\ud800") == "a[9B]b␡[U+202E]c\ufffd"
    assert clean("a\tb") == "a   b"


def test_long_text_is_cut_and_the_rest_counted() -> None:
    assert clean("x" * 100, 10) == "x" * 10 + " […90 more characters]"
    assert len(clean_name("n" * 5000)) < 300


_LOG_TEXT = st.text(st.sampled_from("ab \t\n\r\x0b\x1b\x85\u00e4\u202e\ufe0f\ud800\u65e5"), max_size=12)


@given(st.lists(st.one_of(_LOG_TEXT, st.sampled_from(["a\tb", "plain", "", "x" * MAX_CHARS, "x\t" * 5000]))))
def test_many_texts_together_are_cleaned_like_each_alone(texts: list[str]) -> None:
    assert clean_all(texts) == [clean(text) for text in texts]


def test_one_hostile_text_among_many_is_found_wherever_it_stands() -> None:
    for at in (0, 99, 100, 250):
        texts = [f"harmless\t{n}" for n in range(251)]
        texts[at] = "\x1b[2J"
        assert clean_all(texts) == [clean(text) for text in texts]


def test_confusable_names() -> None:
    assert looks_confusable("\u0430dmin")
    assert not looks_confusable("admin")
    assert strange_letters("\u0440\u0430yment\u0430") == "U+0440 U+0430"
    assert strange_letters("admin \u2192 root") == ""
    assert strange_letters("admin\u2192root") == "U+2192"


REPORT = (
    "REPORT RequestId: 79b5e81f-9a3c-4c1b-8f37-0a6c1f3f9d10\tDuration: 128.83 ms\tBilled Duration: 200 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 74 MB\tInit Duration: 166.62 ms\t"
)


@pytest.mark.parametrize(
    ("text", "kind", "level"),
    [
        ("START RequestId: 79b5e81f-9a3c-4c1b-8f37-0a6c1f3f9d10 Version: $LATEST\n", "start", ""),
        ("END RequestId: 79b5e81f-9a3c-4c1b-8f37-0a6c1f3f9d10\n", "end", ""),
        (REPORT, "report", ""),
        (REPORT + "Status: timeout", "report", "error"),
        ("INIT_START Runtime Version: python:3.11.v39\tRuntime Version ARN: arn:x", "init", ""),
        ("INIT_REPORT Init Duration: 10007.33 ms\tPhase: init\tStatus: timeout", "init", "error"),
        ("2026-01-01T00:00:00Z 79b5 Task timed out after 3.00 seconds", "timeout", "error"),
        ("[ERROR] ValueError: bad\nTraceback (most recent call last):\n  File", "error", "error"),
        ("2026-01-01 WARNING slow", "app", "warn"),
        ("hello", "app", ""),
        ('{"time":"t","type":"platform.start","record":{"requestId":"r1"}}', "start", ""),
        ('{"timestamp":"t","level":"ERROR","requestId":"r1","message":"m"}', "error", "error"),
        ('{"not": "ours"}', "app", ""),
        ("{broken", "app", ""),
        ("[" * 5000, "app", ""),
        ("{" * 5000 + "}" * 3000, "app", ""),
    ],
)
def test_lines_are_told_apart(text: str, kind: str, level: str) -> None:
    line = parse(0.0, "e", "s", text)
    assert (line.kind, line.level) == (kind, level)


def test_report_is_read_by_key_not_by_position() -> None:
    report = parse(0.0, "e", "s", REPORT).report
    assert report is not None
    assert (report.duration_ms, report.billed_ms, report.memory_mb) == (128.83, 200, 128)
    assert (report.max_memory_mb, report.init_ms) == (74, 166.62)
    shuffled = (
        "REPORT RequestId: r Max Memory Used: 1024 MB Status: error Error Type: Runtime.OutOfMemory\n"
        "XRAY TraceId: 1-2"
    )
    other = parse(0.0, "e", "s", shuffled).report
    assert other is not None
    assert (other.max_memory_mb, other.status, other.error_type) == (1024, "error", "Runtime.OutOfMemory")


def test_platform_report_in_json() -> None:
    text = (
        '{"time":"t","type":"platform.report","record":{"requestId":"r","status":"timeout","metrics":'
        '{"durationMs":3000.1,"billedDurationMs":3000,"memorySizeMB":256,"maxMemoryUsedMB":99,"initDurationMs":4}}}'
    )
    line = parse(0.0, "e", "s", text)
    assert line.report is not None
    assert (line.kind, line.level, line.request_id) == ("report", "error", "r")
    assert (line.report.duration_ms, line.report.init_ms) == (3000.1, 4)


@given(st.text(max_size=400))
def test_the_parser_never_raises(text: str) -> None:
    assert parse(0.0, "e", "s", text).text == clean(text.rstrip("\n"))


def test_arns() -> None:
    arn = parse_arn("arn:aws:lambda:eu-central-1:111122223333:function:f:live")
    assert arn is not None
    assert (arn.name, arn.qualifier) == ("f", "live")
    table = parse_arn("arn:aws:dynamodb:r:1:table/orders/stream/2026-01-01T00:00:00.000")
    assert table is not None
    assert table.name == "orders"
    assert parse_arn("orders") is None
    assert source_kind("arn:aws:kinesis:r:1:stream/s") == "kinesis"
