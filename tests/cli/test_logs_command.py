"""`logs`: what is printed, what is said, and what a follower lives through."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.account import Account, FakeReader
from fakes.clock import FakeClock
from fakes.command_line import Cli
from fakes.entries import SCOPE, WORKER
from fakes.listed_functions import GROUP, NOW, Functions

import lambdatop.aws.connect
import lambdatop.engine.clock
from lambdatop.cli import exit_codes
from lambdatop.cli.options import parse_age, parse_seconds
from lambdatop.domain.errors import Denied, SourceError, Unreachable, UsageError
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.ports.aws import Backend, View
from lambdatop.domain.ports.log_export import Batch, Text
from lambdatop.domain.state.events import Event, LogsObserved, TargetIdentified


class Logs(Functions):
    """A log whose rounds are written down beforehand; after the last one somebody presses Ctrl-C."""

    name = "logs"

    def __init__(self, rounds: list[tuple[list[tuple[float, str]], str] | SourceError]) -> None:
        self.rounds = rounds
        self.views: list[View] = []

    async def collect(self, view: View) -> Sequence[Event]:
        """Return the next round."""
        self.views.append(view)
        if not self.rounds:
            raise KeyboardInterrupt
        found = self.rounds.pop(0)
        if isinstance(found, SourceError):
            raise found
        keep_raw = view.log_raw
        lines = tuple(parse(NOW + at, str(at), "s", text, keep_raw=keep_raw) for at, text in found[0])
        return (LogsObserved(SCOPE, NOW, WORKER, GROUP, lines, not found[1], found[1]),)

    async def lines(self, view: View) -> AsyncGenerator[Batch[tuple[Key, LogLine]], None]:
        """Yield all rounds, one after the other."""
        self.views.append(view)
        for found in self.rounds:
            if isinstance(found, SourceError):
                raise found
            lines = [(WORKER, parse(NOW + at, str(at), "s", text, keep_raw=True)) for at, text in found[0]]
            yield Batch(lines, (found[1],) if found[1] else ())

    async def texts(self, view: View) -> AsyncGenerator[Batch[Text], None]:
        """Yield the same, as text."""
        async for batch in self.lines(view):
            yield Batch([(round(line.at * 1000), key, line.text) for key, line in batch.lines], batch.notes)


def play(monkeypatch: pytest.MonkeyPatch, *rounds: Any) -> Logs:
    logs = Logs(list(rounds))
    closed: list[bool] = []

    async def close() -> None:
        closed.append(True)

    async def connect(*_: object, **__: object) -> Backend:
        identified = TargetIdentified(SCOPE, NOW, "kim")
        return Backend(identified, (Functions(), logs), FakeReader(Account()), None, close)

    monkeypatch.setattr(lambdatop.aws.connect, "connect", connect)
    monkeypatch.setattr(lambdatop.engine.clock, "SystemClock", lambda: FakeClock(auto=True, now=NOW))
    return logs


def test_lines_of_the_asked_span_are_printed_and_nothing_else(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = play(monkeypatch, ([(-30, "order 1"), (-20, "\x1b[2Jorder 2")], ""))
    ran = cli("logs", "orders-worker", "--since", "1m")
    assert ran.code == exit_codes.DONE
    assert ran.out.splitlines() == [
        "2027-01-15T07:59:30.000Z order 1",
        "2027-01-15T07:59:40.000Z ␛[2Jorder 2",
    ]
    (view,) = logs.views
    assert (view.watched, view.log_backfill_s) == (frozenset({WORKER}), 60.0)
    assert view.world.functions[WORKER].log_group == GROUP


def test_json_is_one_document_a_line_and_grep_selects(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    report = "REPORT RequestId: 11111111-2222-3333-4444-555555555555\tDuration: 12.5 ms\tMemory Size: 128 MB"
    play(monkeypatch, ([(-3, "hello"), (-2, "[ERROR] ValueError: no"), (-1, report)], ""))
    ran = cli("logs", "orders-worker", "--json", "--grep", "ERROR|REPORT")
    error, last = [json.loads(line) for line in ran.out.splitlines()]
    assert (error["kind"], error["level"], error["report"]) == ("error", "error", None)
    assert last["report"]["duration_ms"] == 12.5
    assert last["report"]["init_ms"] is None


HOSTILE = (
    "\x1b[31mred\x1b[0m\ttab \u202eltr \x9b2J ⚠\ufe0f \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\r\n"
)


@pytest.mark.parametrize("way", [("--json",), ("--follow", "--json")])
def test_json_holds_the_line_as_it_came_beside_what_may_be_shown(
    way: tuple[str, ...], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, ([(-3, HOSTILE)], ""), KeyboardInterrupt())
    ran = cli("logs", "orders-worker", *way)
    line = json.loads(ran.out)
    assert line["raw"] == HOSTILE
    assert (
        line["text"] == "red tab [U+202E]ltr [9B]2J ⚠\ufe0f \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645␍"
    )
    assert not {"\x1b", "\x9b", "\u202e", "\t"} & set(ran.out), "nothing of it acts on a terminal"


@pytest.mark.parametrize("secret", ['{"password": "hunter2"}', "pass\x1b[0mword=hunter2 and more"])
def test_a_line_with_a_hidden_secret_is_not_given_as_it_came(
    secret: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, ([(-3, secret)], ""))
    ran = cli("logs", "orders-worker", "--json")
    assert json.loads(ran.out)["raw"] is None
    assert "hunter2" not in ran.out
    play(monkeypatch, ([(-3, secret)], ""))
    assert json.loads(cli("logs", "orders-worker", "--json", "--reveal").out)["raw"] == secret


@pytest.mark.parametrize("way", [(), ("--json",), ("--follow",), ("--follow", "--json")])
def test_secrets_are_hidden_in_every_way_and_revealed_when_asked(
    way: tuple[str, ...], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ([(-3, '{"password": "hunter2", "a": 1}'), (-2, "nothing here")], "")
    play(monkeypatch, lines, KeyboardInterrupt())
    ran = cli("logs", "orders-worker", *way)
    assert "hunter2" not in ran.out
    assert "•••" in ran.out
    assert "nothing here" in ran.out
    play(monkeypatch, lines, KeyboardInterrupt())
    assert "hunter2" in cli("logs", "orders-worker", "--reveal", *way).out


def test_every_batch_is_printed_with_what_is_to_be_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, ([(-9, "a")], ""), ([(-8, "b"), (-7, "c")], "shared"), ([], "shared"))
    ran = cli("logs", "orders-worker", "--grep", "a|c")
    assert [line.split()[1] for line in ran.out.splitlines()] == ["a", "c"]
    assert ran.err == "lambdatop: note: shared\n", "each note once"


def test_what_was_read_before_an_error_is_printed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, ([(-9, "a")], ""), Unreachable("logs cannot be reached."))
    ran = cli("logs", "orders-worker")
    assert (ran.code, ran.out) == (exit_codes.FAILED, "2027-01-15T07:59:51.000Z a\n")
    assert ran.err == "lambdatop: logs cannot be reached.\n"


def test_a_follower_reads_a_cut_short_log_on_before_it_waits(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = ([(-700, "too old"), (-9, "a")], "goes on"), ([(-8, "b")], "goes on"), ([(1, "c")], "shared")
    logs = play(monkeypatch, *rounds)
    ran = cli("logs", "orders-worker", "--follow")
    assert [line.split()[1] for line in ran.out.splitlines()] == ["a", "b", "c"]
    assert ran.err == "lambdatop: note: goes on\nlambdatop: note: shared\n", "each note once"
    assert [view.now - NOW for view in logs.views[:3]] == [0.0, 0.0, 0.0], "nothing to wait for"
    assert logs.views[3].now > NOW


def test_a_follower_lives_through_an_outage_and_ends_with_ctrl_c(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = Unreachable("logs cannot be reached.")
    play(monkeypatch, ([(-1, "a")], ""), down, down, ([(1, "b")], ""))
    ran = cli("logs", "orders-worker", "--follow")
    assert ran.code == exit_codes.INTERRUPTED
    assert [line.split()[1] for line in ran.out.splitlines()] == ["a", "b"]
    assert ran.err == "lambdatop: note: logs cannot be reached.\n"


def test_the_way_of_the_lines_is_said_once_for_each_function(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Key(SCOPE, "function", "mail")
    logs = play(monkeypatch)
    left = [27, 26, 25]

    async def collect(view: View) -> Sequence[Event]:
        if not left:
            raise KeyboardInterrupt
        why = f"Live Tail is off: the connection broke off; it is tried again in {left.pop(0)} s"
        return [
            LogsObserved(SCOPE, NOW, key, GROUP, (), True, "", via="poll", via_why=why)
            for key in (WORKER, other)
        ]

    monkeypatch.setattr(logs, "collect", collect)
    ran = cli("logs", "orders-worker", "--follow", "--live")
    assert ran.code == exit_codes.INTERRUPTED
    assert ran.err.count("orders-worker comes by poll") == ran.err.count("mail comes by poll") == 1


@pytest.mark.parametrize("follow", [True, False])
def test_a_denied_log_names_the_action(cli: Cli, monkeypatch: pytest.MonkeyPatch, follow: bool) -> None:
    play(monkeypatch, Denied("logs:FilterLogEvents is not allowed.", action="logs:FilterLogEvents"))
    ran = cli("logs", "orders-worker", *(["--follow"] if follow else []))
    assert (ran.code, ran.out) == (exit_codes.FAILED, "")
    assert "logs:FilterLogEvents" in ran.err


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("30", 30),
        ("30s", 30),
        ("10m", 600),
        ("2h", 7200),
        ("14d", 1_209_600),
        ("1h30m", 5400),
        ("1w", 604_800),
        ("10 min ago", 600),
        ("2 hours ago", 7200),
        ("1 day 3 hrs", 97_200),
        ("90 Seconds", 90),
        (" 5 minutes ", 300),
    ],
)
def test_spans(text: str, wanted: float) -> None:
    assert parse_seconds(text) == parse_age(text) == wanted


def test_moments_are_within_the_last_fortnight() -> None:
    hour = datetime.now(UTC) - timedelta(hours=1)
    for text in (hour.isoformat(), hour.strftime("%Y-%m-%dT%H:%M:%S"), hour.astimezone().isoformat()):
        assert 3590 < parse_age(text) < 3700
    for days in (-1, 15):
        with pytest.raises(UsageError, match="is not within the last 14 days"):
            parse_age((datetime.now(UTC) - timedelta(days=days)).isoformat())


def test_until_ends_before_now_and_after_since(cli: Cli) -> None:
    assert "--until is not after --since" in cli("logs", "f", "--since", "5m", "--until", "10m").err
    assert "does not go with --follow" in cli("logs", "f", "--until", "1m", "--follow").err


@pytest.mark.parametrize("text", ["", "m", "-5m", "1.5h", "15d", "3w", "٣m", "ago", "5m x", "1h 30"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration"):
        parse_seconds(text)
