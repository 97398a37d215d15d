"""Tenants of a function with tenant isolation: who has the requests that failed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.worlds import NOW, function

from lambdatop.domain.cost.burn import NO_BURN
from lambdatop.domain.log_analysis.reader import LogReader
from lambdatop.domain.log_analysis.requests import requests
from lambdatop.domain.log_analysis.summary import log_summary
from lambdatop.domain.log_analysis.tenants import TenantRequests, by_tenant
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.loglines.records import join
from lambdatop.domain.loglines.tail import LogTail, append_lines

Fields = dict[str, Any]


def line(number: int, fields: Fields) -> LogLine:
    return parse(NOW - 60 + number, f"e{number}", "stream", json.dumps(fields))


def platform(number: int, what: str, request: str, tenant: str, **more: Any) -> LogLine:
    record = {"requestId": request, **({"tenantId": tenant} if tenant else {}), **more}
    return line(number, {"type": f"platform.{what}", "record": record})


def run(number: int, tenant: str, status: str = "success") -> list[LogLine]:
    """Return an invocation as the platform logs it for a tenant; "" for a log that names none."""
    request = f"r{number}"
    return [
        platform(10 * number, "start", request, tenant),
        platform(10 * number + 1, "report", request, tenant, status=status, metrics={"durationMs": 5}),
    ]


def tail(*lines: LogLine) -> LogTail:
    return append_lines(LogTail(at=NOW), lines)


SEEN = [*run(1, "blue"), *run(2, "red", "error"), *run(3, "red", "timeout"), *run(4, "blue", "error")]


def test_failures_are_counted_by_tenant_and_shared_out() -> None:
    assert by_tenant(requests(join([*SEEN, *run(0, "")]))) == (
        TenantRequests("red", 2, 2, 2 / 3),
        TenantRequests("blue", 2, 1, 1 / 3),
        TenantRequests("", 1, 0, 0.0),
    )


def test_without_a_failure_nobody_has_a_share_of_it() -> None:
    assert by_tenant(requests(join(run(1, "blue")))) == (TenantRequests("blue", 1, 0, None),)


def test_a_line_of_the_application_names_the_tenant_where_the_platform_does_not() -> None:
    fields = {"level": "ERROR", "requestId": "r1", "tenantId": "green", "message": "no"}
    (found,) = requests(join([*run(1, ""), line(12, fields)]))
    assert found.tenant == "green"


def test_a_tenant_is_cleaned_and_cut_and_one_that_is_no_text_is_none() -> None:
    hostile = "\x1b]8;;https://evil\x1b\\x\x07" + "a" * 999
    (found,) = requests(join(run(1, hostile)))
    assert "\x1b" not in found.tenant
    assert "\x07" not in found.tenant
    assert len(found.tenant) < 300
    assert platform(1, "start", "r", "", tenantId={"a": 1}).tenant == ""


@pytest.mark.parametrize("isolated", [True, False])
def test_tenants_are_told_of_functions_with_isolation_only(isolated: bool) -> None:
    """Else `tenantId` is a word of the application, which may mean anything."""
    facts, of = function(per_tenant=isolated), tail(*SEEN)
    summary = log_summary(of, facts, NO_BURN)
    assert summary is not None
    assert [t.tenant for t in summary.tenants] == (["red", "blue"] if isolated else [])
    reader = LogReader()
    reader.offer(of)
    while reader.behind:
        reader.step()
    reader.summarize(facts, NOW)
    assert reader.learned is not None
    assert (reader.learned.tenants, reader.learned.tenant_count) == (
        summary.tenants,
        len(summary.tenants),
    )
