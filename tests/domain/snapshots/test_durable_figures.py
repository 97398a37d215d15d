"""What durable executions do, cost, and take of the account's limit; what was not asked is not known."""

from __future__ import annotations

import json

import pytest
from fakes.burnscene import burn, ran, row, snap
from fakes.quotascene import level, rows
from fakes.quotascene import world as account
from fakes.worlds import NOW, SCOPE, WORKER, function, metrics, points
from msgspec.structs import replace

from lambdatop.domain.facts.durable import COUNTED, METRIC, RUNNING_METRIC, DurableFigures
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.world import World
from lambdatop.report.json.snapshot import snapshot_json
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.function import page
from lambdatop.tui.style.spans import plain

DURABLE = function(durable=True)
PER_MIN = (3.0, 1.0, 0.0, 2.0, 40.0, 5_000_000.0)
WHOLE = Key(SCOPE, "account", SCOPE.account)


def counted(names: tuple[str, ...] = COUNTED) -> list[ev.MetricPoints]:
    each = dict(zip(COUNTED, PER_MIN, strict=True))
    return [points(WORKER, f"{METRIC}{name}", [each[name]] * 10) for name in names]


def test_a_durable_function_shows_its_executions_a_minute() -> None:
    snapshot = snap(ran(DURABLE, *counted()))
    assert row(snapshot).durable == DurableFigures(*PER_MIN)
    (shown,) = json.loads(json.dumps(snapshot_json(snapshot)))["functions"]
    assert shown["durable"] == {
        "started_per_min": 3.0,
        "failed_per_min": 1.0,
        "timed_out_per_min": 0.0,
        "stopped_per_min": 2.0,
        "operations_per_min": 40.0,
        "written_bytes_per_min": 5_000_000.0,
    }
    text = plain(page(Frame(snapshot, NOW), WORKER, 140))
    for words in ("started/min", "timed out/min", "stopped/min", "operations/min", "written/min"):
        assert words in text


def test_what_was_not_asked_is_not_known_and_not_zero() -> None:
    snapshot = snap(ran(DURABLE, *counted(("Started", "Failed", "TimedOut"))))
    found = row(snapshot).durable
    assert found == DurableFigures(3.0, 1.0, 0.0, None, None, None)
    assert burn(ran(DURABLE)).durable is None
    assert row(snap(ran(DURABLE))).durable == DurableFigures()


def test_other_functions_have_none() -> None:
    snapshot = snap(ran(function(), *counted()))
    assert row(snapshot).durable is None
    assert burn(ran(function(), *counted())).durable == 0.0
    (shown,) = json.loads(json.dumps(snapshot_json(snapshot)))["functions"]
    assert shown["durable"] is None
    assert "operations/min" not in plain(page(Frame(snapshot, NOW), WORKER, 140))


def test_one_that_has_no_metrics_at_all_is_not_known() -> None:
    never = fold(World(), ev.FunctionsListed(SCOPE, NOW, (DURABLE,)))
    assert row(snap(never)).durable == DurableFigures()


def test_operations_and_what_they_write_are_part_of_the_burn() -> None:
    found = burn(ran(DURABLE, *counted()))
    # 2,400 operations an hour at $8 a million, and 0.3 GB at $0.25.
    assert found.durable == pytest.approx(2400 * 8e-6 + 0.3 * 0.25)
    plainly = burn(ran(function()))
    assert found.usage == pytest.approx(plainly.usage + 2400 * 8e-6 + 0.3 * 0.25)
    assert "durable" in found.borrowed
    assert "durable" not in burn(ran(DURABLE)).borrowed
    text = plain(page(Frame(snap(ran(DURABLE, *counted())), NOW), WORKER, 140))
    assert "durable $/h" in text
    assert "not counted: what its durable executions keep stored" in text


def _limit(region: str, *running: float) -> tuple[float | None, float, bool]:
    here = Scope(SCOPE.account, region)
    facts = replace(DURABLE, key=Key(here, "function", "f"))
    given = account(functions=())
    given = fold(given, ev.FunctionsListed(here, NOW, (facts,)))
    if running:
        seen = level(Key(here, "account", here.account), *running, metric=RUNNING_METRIC)
        given = fold(given, ev.MetricsObserved(here, NOW, NOW - 3600, NOW + 60, (seen,)))
    found = rows(given)["durable executions"]
    return found.used, found.limit, found.assumed


def test_the_account_shows_how_many_run_of_how_many_may() -> None:
    assert _limit("eu-central-1", 1_000, 4_000_000) == (4_000_000, 5_000_000, True)
    assert _limit("us-east-1", 4_000_000) == (4_000_000, 10_000_000, True)


def test_how_many_run_is_not_known_without_a_point() -> None:
    assert _limit("eu-central-1") == (None, 5_000_000, True)
    note = rows(account(functions=(DURABLE,)))["durable executions"].note
    assert "has no point of the last minutes" in note


def test_an_account_without_durable_functions_has_no_such_row() -> None:
    given = account(metrics(level(WHOLE, 5, metric=RUNNING_METRIC)))
    assert "durable executions" not in rows(given)
