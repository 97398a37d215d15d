"""`logs --errors`: the price before, kinds of failures after."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from fakes.account import Account, FakeReader
from fakes.clock import FakeClock
from fakes.command_line import Cli
from fakes.entries import SCOPE
from fakes.listed_functions import GROUP, NOW, Functions

import lambdatop.aws.connect
import lambdatop.engine.clock
from lambdatop.cli import exit_codes
from lambdatop.domain.log_analysis.insights import Found, Row, kinds_in
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.state.events import TargetIdentified

ROWS = tuple(
    Row(NOW - i, GROUP, "s", text)
    for i, text in enumerate(
        (
            "[ERROR] ValueError: order 4711 is bad",
            "[ERROR] ValueError: order 4712 is bad",
            "2026-10-08T07:00:00.000Z 79b5e81f-0000-4000-8000-000000000001 Task timed out after 3.00 seconds",
            "INFO nothing is wrong, Error: is only a word here",
        )
    )
)


class Queries:
    """Answers with what it is given and remembers what it was asked."""

    def __init__(self, about: int | None) -> None:
        self.about = about
        self.rows = ROWS
        self.asked: list[tuple[Sequence[str], float, float]] = []

    async def estimate_bytes(self, groups: Sequence[str], start: float, end: float) -> int | None:
        return self.about

    async def run(self, groups: Sequence[str], query: str, start: float, end: float) -> Found:
        self.asked.append((groups, start, end))
        return Found(self.rows, 9, 2**30)


def play(monkeypatch: pytest.MonkeyPatch, about: int | None) -> Queries:
    queries = Queries(about)

    async def close() -> None:
        return None

    async def connect(*_: object, **__: object) -> Backend:
        identified = TargetIdentified(SCOPE, NOW, "kim")
        return Backend(identified, (Functions(),), FakeReader(Account()), None, close, None, queries)

    monkeypatch.setattr(lambdatop.aws.connect, "connect", connect)
    monkeypatch.setattr(lambdatop.engine.clock, "SystemClock", lambda: FakeClock(auto=True, now=NOW))
    return queries


SECRET = "[ERROR] ValueError: password=hunter2hunter2 is wrong"


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_are_hidden_and_revealed_when_asked(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]
) -> None:
    play(monkeypatch, 1024).rows = (Row(NOW, GROUP, "s", SECRET),)
    hidden = cli("logs", "orders-worker", "--errors", *form)
    assert "hunter2" not in hidden.out + hidden.err
    assert "is wrong" in hidden.out
    assert "password=hunter2hunter2" in cli("logs", "orders-worker", "--errors", "--reveal", *form).out


def test_failures_are_summed_up_by_kind(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = play(monkeypatch, 1024)
    ran = cli("logs", "orders-worker", "--errors", "--since", "1h", "--json")
    assert ran.code == exit_codes.DONE, ran.err
    assert queries.asked == [([GROUP], NOW - 3600, NOW)]
    answer: dict[str, Any] = json.loads(ran.out)
    assert [(k["count"], k["sample"]) for k in answer["kinds"]] == [
        (2, ROWS[0].message),
        (1, ROWS[2].message),
    ]
    assert (answer["matched"], answer["rows"]) == (9, 4)
    assert "scans about 1.0 KiB" in ran.err
    assert "the newest 4 of 9 matching lines" in ran.err


def test_what_costs_more_than_a_cent_is_agreed_on(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = play(monkeypatch, 10 * 2**30)
    ran = cli("logs", "orders-worker", "--errors")
    assert ran.code == exit_codes.USAGE
    assert "$0.05 at list price" in ran.err
    assert "--yes" in ran.err
    assert queries.asked == []
    assert cli("logs", "orders-worker", "--errors", "--yes").code == exit_codes.DONE
    assert len(queries.asked) == 1


def test_an_unknown_price_is_agreed_on_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = play(monkeypatch, None)
    ran = cli("logs", "orders-worker", "--errors")
    assert (ran.code, queries.asked) == (exit_codes.USAGE, [])
    assert "agree with --yes" in ran.err
    assert cli("logs", "orders-worker", "--errors", "--yes").code == exit_codes.DONE


def test_kinds_leave_out_what_is_no_failure() -> None:
    kinds = [kind for _, kind in kinds_in(ROWS)]
    assert [(k.count, k.first_at, k.last_at) for k in kinds] == [(2, NOW - 1, NOW), (1, NOW - 2, NOW - 2)]


def test_an_answer_that_does_not_say_what_it_scanned_was_not_for_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(*_: object) -> Found:
        return Found(ROWS, 4, None)

    monkeypatch.setattr(play(monkeypatch, 1024), "run", run)
    ran = cli("logs", "orders-worker", "--errors", "--json")
    answer = json.loads(ran.out)
    assert (ran.code, answer["scanned_bytes"], answer["usd"]) == (exit_codes.DONE, None, None)
    assert "how much was scanned is not known" in ran.err
