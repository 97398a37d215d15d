"""`--fail-on`: a gate that did not see enough is not green, whatever the reason, and says why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest
from fakes.command_line import Cli
from fakes.hostile import running
from fakes.trouble_world import TroubleWorld
from fakes.worlds import NOW, SCOPE, WORKER, function
from msgspec.structs import replace

from lambdatop.cli import exit_codes
from lambdatop.cli.commands.snapshot import _verdict
from lambdatop.domain.facts.not_read import Gap, Reason
from lambdatop.domain.plans.finding import SEVERITIES, Finding, Ref
from lambdatop.domain.sources import FUNCTIONS, QUEUES
from lambdatop.domain.sources import SOURCES as ALL
from lambdatop.domain.state.snapshot import FunctionRow, Snapshot, SourceRow, Target
from lambdatop.report.text.not_known import FINDINGS_REST_ON, blind, empty, rows

SOURCES = (*ALL, "detectors")
FREE = {name for name, spec in ALL.items() if not spec.findings}
"""Sources on which no finding rests."""
STATES = ("denied", "failed", "throttled", "starting", "stale")
REASONS: tuple[Reason, ...] = (
    "denied", "not there", "throttled", "failed", "not answered",
    "not asked", "out of time", "over the limit",
)  # fmt: skip


def account(states: Mapping[str, str] = {}, *, found: bool = False) -> Snapshot:
    """Return a snapshot in which all sources have answered but those named here."""
    sources = tuple(
        SourceRow(name, states.get(name, "ok"), None if name in states else 1.0, "", f"x:{name}")
        for name in SOURCES
    )
    finding = Finding("error_rate", "critical", Ref(WORKER, "arn", "orders-worker"), "fails", NOW)
    return Snapshot(
        1, NOW, "9", targets=(Target(SCOPE),), functions=(FunctionRow(function()),), sources=sources,
        findings=(finding,) if found else (),
    )  # fmt: skip


def test_a_command_that_looks_once_waits_for_whatever_findings_rest_on() -> None:
    waited = {name for name, spec in ALL.items() if spec.start != "unhurried"}
    assert waited | {"detectors"} >= FINDINGS_REST_ON
    assert FINDINGS_REST_ON.isdisjoint(FREE)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_brought_nothing(source: str, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    blindness = source not in FREE
    for severity in SEVERITIES:
        assert _verdict(account({source: state}, found=True), severity) == exit_codes.FAIL_ON_MET
        assert capsys.readouterr().err == "", "met is met, whatever else is not known"
        unmet = _verdict(account({source: state}), severity)
        said = capsys.readouterr().err
        assert unmet == (exit_codes.FAILED if blindness else exit_codes.DONE)
        assert ("cannot tell whether anything is" in said) == blindness
        assert (source in said) == blindness
    without_gate = exit_codes.FAILED if source == "functions" else exit_codes.DONE
    assert _verdict(account({source: state}), None) == without_gate


def test_a_gate_that_saw_everything_is_green(capsys: pytest.CaptureFixture[str]) -> None:
    assert [_verdict(account(), severity) for severity in SEVERITIES] == [exit_codes.DONE] * 3
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("source", SOURCES)
def test_single_reads_that_are_missing(source: str, reason: Reason) -> None:
    snapshot = replace(account(), gaps=(Gap(source, "svc:Read", "one", reason),))
    assert bool(blind(snapshot, "critical")) == (source not in FREE)
    (row,) = rows(snapshot)
    assert row[:3] == (source, "svc:Read", "one")


def test_what_only_informs_does_not_blind_a_stricter_gate() -> None:
    gap = Gap("triggers", "lambda:GetFunctionRecursionConfig", None, "not there", 40)
    snapshot = replace(account(), gaps=(gap,))
    assert [bool(blind(snapshot, severity)) for severity in SEVERITIES] == [True, False, False]


def test_what_hides_no_finding_blinds_no_gate() -> None:
    gap = Gap("queues", "sqs:ListMessageMoveTasks", "orders-dlq", "denied")
    assert [blind(replace(account(), gaps=(gap,)), severity) for severity in SEVERITIES] == [[]] * 3


def test_reads_that_hide_little_or_nothing_are_reads_of_their_source() -> None:
    assert any(spec.informs for spec in ALL.values())
    for spec in ALL.values():
        assert {*spec.informs, *spec.hides_nothing} <= {*spec.iam}
        assert spec.findings or not (spec.informs or spec.hides_nothing)
        assert {spec.may_hide(spec.iam[0], severity) for severity in SEVERITIES} == {spec.findings}


def test_old_data_of_a_source_that_fails_now_is_data() -> None:
    sources = (SourceRow("functions", "throttled", 20.0, "Slower."),)
    assert blind(replace(account(), sources=sources), "critical") == []


def test_a_table_without_rows_says_why() -> None:
    assert empty(account(), FUNCTIONS) == "none"
    denied = replace(
        account(), sources=(SourceRow("functions", "denied", None, "No.", "lambda:ListFunctions"),)
    )
    assert empty(denied, FUNCTIONS) == "not known (lambda:ListFunctions denied)"
    assert empty(account({"queues": "starting"}), QUEUES) == "not known (queues did not answer in time)"
    partly = replace(account(), gaps=(Gap("queues", "sqs:GetQueueAttributes", "q", "denied"),))
    assert empty(partly, QUEUES).startswith("none that was read, but not everything was")


@pytest.fixture
def calm(home: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[TroubleWorld]:
    for name, value in (("ACCESS_KEY_ID", "AKIAX"), ("SECRET_ACCESS_KEY", "s"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with running(TroubleWorld(3, calm=True)) as stub:
        yield stub


def gate(cli: Cli, world: TroubleWorld, form: str = "--json") -> tuple[int, str, str]:
    ran = cli("snapshot", form, "--endpoint-url", world.url, "--wait", "60", "--fail-on", "warning")
    return ran.code, ran.out, ran.err


@pytest.mark.wire
def test_on_the_wire_a_calm_account_is_green(cli: Cli, calm: TroubleWorld) -> None:
    code, out, err = gate(cli, calm)
    assert (code, "cannot tell" in err) == (exit_codes.DONE, False), (err, out)


@pytest.mark.wire
@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("lambda", "ListFunctions", "lambda:ListFunctions"),
        ("lambda", "ListEventSourceMappings", "lambda:ListEventSourceMappings"),
        ("lambda", "GetFunctionConcurrency", "lambda:GetFunctionConcurrency"),
        ("lambda", "GetAccountSettings", "lambda:GetAccountSettings"),
        ("lambda", "GetPolicy", "lambda:GetPolicy"),
        ("lambda", "GetFunctionEventInvokeConfig", "lambda:GetFunctionEventInvokeConfig"),
        ("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData"),
        ("sqs", "GetQueueAttributes", "sqs:GetQueueAttributes"),
        ("logs", "FilterLogEvents", "logs:FilterLogEvents"),
        ("service-quotas", "ListServiceQuotas", "servicequotas:ListServiceQuotas"),
        ("pipes", "ListPipes", "pipes:ListPipes"),
        ("stepfunctions", "ListStateMachines", "states:ListStateMachines"),
    ],
)
def test_on_the_wire_one_denied_read_is_enough(
    cli: Cli, calm: TroubleWorld, service: str, operation: str, action: str
) -> None:
    calm.deny(service, operation)
    code, out, err = gate(cli, calm)
    assert code == exit_codes.FAILED
    assert f"cannot tell whether anything is warning or worse: {action} denied" in err.replace("; ", ": ")
    seen = json.loads(out)
    told = {(s["action"], s["state"]) for s in seen["sources"]} | {
        (g["action"], g["reason"]) for g in seen["gaps"]
    }
    assert (action, "denied") in told
