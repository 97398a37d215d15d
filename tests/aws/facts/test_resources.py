"""Answers of AWS as facts: what somebody else wrote into a reason."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import astuple

from lambdatop.aws.collectors.alarms import alarm_facts
from lambdatop.aws.facts.resources import function_facts, mapping_facts, reason, state_of
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.keys import Scope
from lambdatop.domain.loglines.redact import MASK

UNTOLD = NotKnown("not answered", "lambda:ListFunctions")
SCOPE = Scope("123456789012", "eu-west-1")
SAID = "cannot reach postgres://app:hunter2pass@db/orders\x1b[2J\nnow"
MASTER = "arn:aws:lambda:us-east-1:123456789012:function:edge:7"
SHOWN = f"cannot reach postgres://app:{MASK}@db/orders"


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_reason_is_none(nothing: str | None) -> None:
    assert reason(nothing, 512) == ""


def test_a_reason_is_one_line_without_secrets() -> None:
    state = state_of({"State": "Failed", "StateReason": SAID, "LastUpdateStatusReason": SAID})
    mapping = mapping_facts(SCOPE, {"UUID": "u", "StateTransitionReason": SAID, "LastProcessingResult": SAID})
    alarm = alarm_facts(SCOPE, {"AlarmName": "a", "StateReason": SAID})
    for text in (*astuple(state), mapping.state_reason, mapping.last_result, alarm.reason):
        assert text in ("", "Failed") or (text.startswith(SHOWN) and text.isprintable()), text
    assert sum(text.startswith(SHOWN) for text in astuple(state)) == 2
    for text in (mapping.state_reason, mapping.last_result, alarm.reason):
        assert text.startswith(SHOWN)


@pytest.mark.parametrize(
    "answer", [{}, {"MemorySize": None, "Timeout": None}, {"MemorySize": "?", "Timeout": 1e9}]
)
def test_what_an_answer_leaves_out_is_not_aws_s_default(answer: dict[str, Any]) -> None:
    facts = function_facts(SCOPE, {"FunctionName": "f", **answer})
    assert (facts.memory_mb, facts.timeout_s) == (UNTOLD, UNTOLD)
    told = function_facts(SCOPE, {"FunctionName": "f", "MemorySize": 512, "Timeout": 30})
    assert (told.memory_mb, told.timeout_s) == (512, 30)


@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        ("edge", {}, ""),
        ("us-east-1.edge", {}, "edge in us-east-1"),
        (
            "edge",
            {"MasterArn": "arn:aws:lambda:us-east-1:1:function:edge:7"},
            "arn:aws:lambda:us-east-1:1:function:edge:7",
        ),
        ("v1.2", {}, ""),
        ("us-east-1.", {}, ""),
    ],
)
def test_a_replica_of_lambda_at_edge_is_told_by_its_master_or_its_name(
    name: str, more: dict[str, Any], told: str
) -> None:
    assert function_facts(SCOPE, {"FunctionName": name, **more}).replica_of == told
