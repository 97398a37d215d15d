"""Real-shaped lines of every runtime and style, each with what it means: they pin the parser."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lambdatop.domain.loglines.known_failures import SIGNATURES
from lambdatop.domain.loglines.line import Report, parse
from lambdatop.domain.sanitize import clean, without_colours

LINES: list[dict[str, Any]] = [
    json.loads(row)
    for row in (Path(__file__).parent / "loglines.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize(
    "label", [pytest.param(row, id=f"{i}-{row['style']}") for i, row in enumerate(LINES, 1)]
)
def test_a_labelled_line_is_read_as_it_is_labelled(label: dict[str, Any]) -> None:
    line = parse(1.0, "e", "s", label["text"])
    report = Report(**label["report"]) if "report" in label else None
    expected = (
        label["kind"],
        label.get("level", ""),
        label.get("request_id", ""),
        label.get("signature", ""),
        report,
    )
    assert (line.kind, line.level, line.request_id, line.signature, line.report) == expected
    assert line.text == clean(without_colours(label["text"].rstrip("\n")))


def test_the_corpus_covers_every_runtime_kind_and_level() -> None:
    styles = Counter(row["style"].split("-")[0] for row in LINES)
    assert len(LINES) >= 200
    assert {"platform", "python", "node", "java", "dotnet", "ruby", "go", "custom"} <= set(styles)
    kinds = {row["kind"] for row in LINES}
    assert kinds == {"start", "end", "report", "init", "error", "timeout", "app"}
    levels = {row.get("level", "") for row in LINES}
    assert levels == {"", "trace", "debug", "info", "warn", "error", "fatal"}
    seen = {row.get("signature", "") for row in LINES}
    assert seen >= set(SIGNATURES) - {"package_too_large", "environment_too_large"}


def test_lines_of_one_request_share_their_strings() -> None:
    """100,000 lines are kept in memory; ids and streams come anew with every event."""
    rid = "79b5e81f-9a3c-4c1b-8f37-0a6c1f3f9d10"
    first, second = (parse(1.0, "e", "".join(["a", "b"]), f"END RequestId: {rid}") for _ in range(2))
    assert first.stream is second.stream
    assert first.request_id is second.request_id
