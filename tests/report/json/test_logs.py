from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

from fakes.logscene import init, line, run
from fakes.worlds import NOW, WORKER, function
from msgspec.structs import replace

from lambdatop.domain.cost.burn import NO_BURN
from lambdatop.domain.log_analysis.figures import WINDOW_S
from lambdatop.domain.log_analysis.summary import log_summary
from lambdatop.domain.log_analysis.tenants import TenantRequests
from lambdatop.domain.loglines.tail import LogTail, append_lines
from lambdatop.domain.state.snapshot import FunctionRow, Snapshot
from lambdatop.report.json.logs import log_json
from lambdatop.report.json.primitives import Json
from lambdatop.report.json.snapshot import snapshot_json

FACTS = function()
KEYS = (
    "from to lines via lag_s coverage usd_per_hour complete gap cold_start_share environments "
    "proactive_inits burn_usd_per_hour_exact errors tenants"
)


def tail(**fields: Any) -> LogTail:
    lines = [line(NOW - WINDOW_S - 5, "[ERROR] Error: too long ago")]
    for n in range(4):
        lines += run(n, NOW - 100 + n, n % 2, init_ms=200.0 if n < 1 else None)
    for n in (2, 3):
        says = (f"[ERROR] ValueError: order {n + 3} of password=hunter{n}abc",)
        lines += run(6 + n, NOW - 70 + 10 * n, says=says, end="Status: error")
    lines += run(10, NOW - 35, end="Status: error\tError Type: Runtime.OutOfMemory")
    lines += [init(NOW - 30, 5)]
    known = append_lines(LogTail("/aws/lambda/worker", at=NOW, lag_s=1.5, coverage=1.0), tuple(lines))
    return replace(known, **fields)


def told(known: LogTail | None) -> Json | None:
    return log_json(known, log_summary(known, FACTS, NO_BURN))


def test_a_function_carries_what_its_log_teaches() -> None:
    document = told(tail())
    assert document is not None
    assert " ".join(document) == KEYS
    errors = document.pop("errors")
    burn = document.pop("burn_usd_per_hour_exact")
    assert document == {
        "from": "2027-01-15T07:50:00.000Z",
        "to": "2027-01-15T08:00:00.000Z",
        "lines": 24,
        "via": "poll",
        "lag_s": 1.5,
        "coverage": 1.0,
        "usd_per_hour": 0.0,
        "complete": True,
        "gap": None,
        "cold_start_share": 1 / 7,
        "environments": 3,
        "proactive_inits": 1,
        "tenants": [],
    }
    assert 0 < burn < 0.001
    assert errors == [
        {
            "fingerprint": "ValueError: order # of password=•••",
            "count": 2,
            "first": "2027-01-15T07:59:10.050Z",
            "last": "2027-01-15T07:59:20.050Z",
            "signature": None,
            "sample": "[ERROR] ValueError: order 6 of password=•••",
        },
        {
            "fingerprint": "REPORT error Runtime.OutOfMemory",
            "count": 1,
            "first": "2027-01-15T07:59:25.100Z",
            "last": "2027-01-15T07:59:25.100Z",
            "signature": "out_of_memory",
            "sample": errors[1]["sample"],
        },
    ]


def test_a_tenant_that_no_line_names_is_null() -> None:
    mine = (TenantRequests("red", 4, 3, 0.75), TenantRequests("", 2, 0, 0.0))
    summary = log_summary(tail(), function(), NO_BURN)
    assert summary is not None
    shown = log_json(tail(), replace(summary, tenants=mine))
    assert shown is not None
    assert [tuple(t.values()) for t in shown["tenants"]] == [("red", 4, 3, 0.75), (None, 2, 0, 0.0)]


def test_what_was_not_read_is_null_and_what_is_missing_is_said() -> None:
    assert told(None) is None
    assert told(LogTail()) is None
    empty = told(LogTail(at=NOW))
    assert empty is not None
    assert (empty["lines"], empty["errors"], empty["cold_start_share"]) == (0, [], None)
    assert empty["burn_usd_per_hour_exact"] is None
    partly = told(tail(complete=False, gap="a connection was lost", via="live tail"))
    assert partly is not None
    assert (partly["complete"], partly["gap"], partly["via"]) == (False, "a connection was lost", "live tail")


def test_a_stamp_ahead_of_our_clock_is_counted() -> None:
    ahead = told(append_lines(LogTail(at=NOW), tuple(run(1, NOW + 2.0))))
    assert ahead is not None
    assert (ahead["to"], ahead["lines"]) == ("2027-01-15T08:00:02.100Z", 3)


def test_a_snapshot_has_it_by_function() -> None:
    other = function("other")
    rows = (FunctionRow(FACTS), FunctionRow(other))
    document = snapshot_json(Snapshot(functions=rows, logs=MappingProxyType({WORKER: tail()})))
    first, second = document["functions"]
    assert first["log"] == told(tail())
    assert second["log"] is None
    assert json.loads(json.dumps(document, allow_nan=False)) == document
