"""Addresses of AWS's console: of the right partition, and of nothing that a log could smuggle in."""

from __future__ import annotations

import pytest

from lambdatop.domain.keys import Scope
from lambdatop.domain.loglines.line import parse
from lambdatop.tui.pages.console_links import trace_link

ID = "1-5bef4de7-ad49b0e87f6ef6c87fc2e700"
PATH = "cloudwatch/home?region="


@pytest.mark.parametrize(
    ("region", "link"),
    [
        ("eu-central-1", f"https://console.aws.amazon.com/{PATH}eu-central-1#xray:traces/{ID}"),
        ("cn-north-1", f"https://console.amazonaws.cn/{PATH}cn-north-1#xray:traces/{ID}"),
        ("us-gov-west-1", f"https://console.amazonaws-us-gov.com/{PATH}us-gov-west-1#xray:traces/{ID}"),
        ("us-iso-east-1", ""),
        ("eusc-de-east-1", ""),
        ("eu-west-1/../x", ""),
        ("\x1b]8;;", ""),
    ],
)
def test_a_trace_leads_to_the_console_of_its_partition(region: str, link: str) -> None:
    assert trace_link(Scope("111122223333", region), ID) == link


def test_there_is_no_link_to_what_another_server_says() -> None:
    assert trace_link(Scope("111122223333", "eu-central-1"), ID, "http://127.0.0.1:4566") == ""


@pytest.mark.parametrize(
    "id_",
    [
        "",
        "1-5BEF4DE7-ad49b0e87f6ef6c87fc2e700",
        f"{ID}0",
        f"{ID}\n",
        f"{ID}\x1b\\",
        f"x{ID}",
        "1-5-6",
        f"{ID}?a=b",
    ],
)
def test_what_is_no_id_of_x_ray_is_never_linked(id_: str) -> None:
    assert trace_link(Scope("111122223333", "eu-central-1"), id_) == ""
    report = f"REPORT RequestId: r\tDuration: 1 ms\tXRAY TraceId: {id_}\tSampled: true"
    traced = parse(1.0, "", "s", report).trace_id
    assert traced in ("", ID)
    assert not traced or id_.strip() == ID


@pytest.mark.parametrize(("sampled", "traced"), [("true", ID), ("false", ""), ("", ID)])
def test_x_ray_has_no_trace_of_what_was_not_sampled(sampled: str, traced: str) -> None:
    tail = f"\tSampled: {sampled}" if sampled else ""
    assert parse(1.0, "", "s", f"XRAY TraceId: {ID}\tSegmentId: 52d6f0c2{tail}").trace_id == traced
    flag = {"true": ";Sampled=1", "false": ";Sampled=0"}.get(sampled, "")
    header = f"Root={ID};Parent=0efbd19962d95b05{flag}"
    record = f'{{"requestId":"r","metrics":{{}},"tracing":{{"type":"X-Amzn-Trace-Id","value":"{header}"}}}}'
    line = parse(1.0, "", "s", f'{{"type":"platform.report","record":{record}}}')
    assert (line.kind, line.trace_id) == ("report", traced)
