"""Log events of published reports, each with what they mean: of a line, of its request, of the errors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lambdatop.domain.log_analysis.fingerprints import digest_errors, is_error
from lambdatop.domain.log_analysis.insights import ANY_CASE, EXACT, errors_query
from lambdatop.domain.log_analysis.requests import requests
from lambdatop.domain.loglines.headline import headline
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.records import join

LINES = [
    json.loads(row)
    for row in (Path(__file__).parent / "loglines.jsonl").read_text(encoding="utf-8").splitlines()
]
CASES: list[dict[str, Any]] = [
    json.loads(row)
    for row in (Path(__file__).parent / "published.jsonl").read_text(encoding="utf-8").splitlines()
]


def read(events: list[str], number: int) -> dict[str, Any]:
    """Return what is read from the events of one stream, by the names of `expected`."""
    lines = [parse(1000 + n / 1000, f"e{n}", "s", text, n + 1) for n, text in enumerate(events)]
    records = join(lines)
    line = lines[number]
    record = next(r for r in records if any(part.seq == line.seq for part in r.lines))
    found = requests(records)
    kinds = digest_errors(records)
    return {
        "kind": line.kind,
        "level": line.level,
        "rid": line.request_id,
        "sig": line.signature,
        "head": headline(record),
        "req": found[0].status if found else "",
        "req_err": found[0].error if found else "",
        "kinds": [kind.fingerprint for kind in kinds],
    }


def differs(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Return what was read otherwise than it is labelled."""
    wrong = [
        f"{name}: {expected[name]!r} expected, {found[name]!r} read"
        for name in ("kind", "level", "rid", "sig", "req")
        if name in expected and expected[name] != found[name]
    ]
    wrong += [
        f"{name}: {expected[name]!r} is not in {found[name]!r}"
        for name in ("head", "req_err")
        if name in expected and expected[name] not in found[name]
    ]
    if "head_not" in expected and expected["head_not"] in found["head"]:
        wrong.append(f"head: {found['head']!r}")
    count = len(found["kinds"])
    if not expected.get("min_kinds", 0) <= count <= expected.get("max_kinds", count):
        wrong.append(f"kinds: {found['kinds']}")
    return wrong


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_a_published_log_is_read_as_it_is_labelled(case: dict[str, Any]) -> None:
    expected = case["expected"]
    assert differs(expected, read(case["events"], expected.get("line", 0))) == []


def test_the_query_for_errors_finds_every_line_that_is_read_as_one() -> None:
    lines = [event for case in CASES for event in case["events"]]
    lines += [row["text"] for row in LINES]
    asked = [re.compile(EXACT), re.compile(ANY_CASE, re.IGNORECASE)]
    missed = [text for text in lines if is_error(join([parse(1.0, "e", "s", text)])[0])]
    assert len(missed) > 150
    assert [text for text in missed if not any(words.search(text) for words in asked)] == []
    assert len(errors_query()) < 10_000  # docs.aws.amazon.com: the longest query that StartQuery takes
    assert "/" not in EXACT + ANY_CASE  # ends the pattern
