"""Lines of every runtime and style, each with what it means, pin the parser (see bench/log_corpus.py)."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from bench.log_corpus import FLOOR, RUNTIMES, Row, differences, rows, runtime, scoreboard

from lambdatop.domain.loglines.known_failures import SIGNATURES
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.sanitize import clean, without_colours

LINES = rows()


@pytest.mark.parametrize(
    "label", [pytest.param(row, id=f"{i}-{row['style']}") for i, row in enumerate(LINES, 1)]
)
def test_a_labelled_line_is_read_as_it_is_labelled(label: Row) -> None:
    wrong = differences(label)
    if "miss" in label:
        assert wrong, "this line is read right now: take its `miss` away"
    else:
        assert wrong == []
    line = parse(1.0, "e", "s", label["text"])
    assert line.text == clean(without_colours(label["text"].rstrip("\n")))


def test_nearly_all_lines_are_read_right() -> None:
    text, found = scoreboard(LINES)
    assert found >= FLOOR, text
    assert all(row.get("miss", "reason") for row in LINES)


def test_the_corpus_covers_every_runtime_kind_and_level() -> None:
    styles = Counter(runtime(row) for row in LINES)
    assert len(LINES) >= 600
    assert set(styles) == set(RUNTIMES)
    kinds = {row["kind"] for row in LINES}
    assert kinds == {"start", "end", "report", "init", "error", "timeout", "app"}
    levels = {row.get("level", "") for row in LINES}
    assert levels == {"", "trace", "debug", "info", "warn", "error", "fatal"}
    seen = {row.get("signature", "") for row in LINES}
    assert seen >= set(SIGNATURES) - {"package_too_large", "environment_too_large"}


def test_lines_of_public_sources_name_them() -> None:
    """An address, or a repository and what in it; no path of a machine."""
    public = [row for row in LINES if "source" in row]
    assert len(public) >= 300
    assert all({"set", "at_first"} <= set(row) for row in public)
    named = re.compile(r"https://[\w.-]+/\S+|[\w.-]+/[\w.-]+,? \S")
    assert [row["source"] for row in public if not named.match(row["source"])] == []
    texts = Counter(row["text"] for row in public)
    assert [text for text, count in texts.items() if count > 1] == []


def test_lines_of_one_request_share_their_strings() -> None:
    """100,000 lines are kept in memory; ids and streams come anew with every event."""
    rid = "79b5e81f-9a3c-4c1b-8f37-0a6c1f3f9d10"
    first, second = (parse(1.0, "e", "".join(["a", "b"]), f"END RequestId: {rid}") for _ in range(2))
    assert first.stream is second.stream
    assert first.request_id is second.request_id
