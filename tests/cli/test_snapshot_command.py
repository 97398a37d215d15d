"""`snapshot`: forms, notes and exit codes, over snapshots made by hand."""

from __future__ import annotations

import json
from concurrent.futures import Future

import pytest
from fakes.command_line import Cli
from fakes.worlds import NOW, SCOPE, WORKER, function
from msgspec.structs import replace

from lambdatop.cli import exit_codes
from lambdatop.cli.commands import snapshot
from lambdatop.domain.errors import Unreachable
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.state.snapshot import FunctionRow, Snapshot, SourceRow, Target

OK = SourceRow("functions", "ok", 1.0)
DENIED = SourceRow("alarms", "denied", None, "cloudwatch:DescribeAlarms is not allowed.")


class Thread:
    """An engine that has already answered."""

    def __init__(self, answer: Snapshot | Exception) -> None:
        self.answer = answer
        self.running = False
        self.waited: float | None = None

    def start(self) -> None:
        """Note it."""
        self.running = True

    def stop(self) -> bool:
        """Note it."""
        self.running = False
        return True

    def snapshot_once(self, wait_s: float) -> Future[Snapshot]:
        """Return the answer."""
        self.waited = wait_s
        future: Future[Snapshot] = Future()
        if isinstance(self.answer, Exception):
            future.set_exception(self.answer)
        else:
            future.set_result(self.answer)
        return future


def finding(severity: Severity) -> Finding:
    return Finding("error_rate", severity, Ref(WORKER, "arn", "orders-worker"), "fails", NOW)


def seen(*sources: SourceRow, severity: Severity | None = None) -> Snapshot:
    findings = (finding(severity),) if severity else ()
    rows = (FunctionRow(function()),)
    return Snapshot(1, NOW, "9", targets=(Target(SCOPE),), functions=rows, sources=sources, findings=findings)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Thread:
    thread = Thread(seen(OK))
    monkeypatch.setattr(snapshot, "engine_thread", lambda context, parts: thread)
    return thread


@pytest.mark.parametrize(
    ("severity", "threshold", "code"),
    [
        (None, "info", exit_codes.DONE),
        ("warning", None, exit_codes.DONE),
        ("warning", "critical", exit_codes.DONE),
        ("warning", "warning", exit_codes.FAIL_ON_MET),
        ("critical", "info", exit_codes.FAIL_ON_MET),
    ],
)
def test_fail_on_is_exit_3_from_its_severity_on(
    cli: Cli, engine: Thread, severity: Severity | None, threshold: str | None, code: int
) -> None:
    engine.answer = seen(OK, severity=severity)
    ran = cli("snapshot", "--json", *(["--fail-on", threshold] if threshold else []))
    assert ran.code == code
    assert json.loads(ran.out)["schema"] == "lambdatop.snapshot/1", "the data is printed all the same"
    assert not engine.running


def test_forms_and_waiting(cli: Cli, engine: Thread) -> None:
    assert cli("snapshot").out == cli("snapshot", "--table").out
    assert engine.waited == 15.0
    cli("snapshot", "--fail-on", "critical")
    assert engine.waited == 120.0, "a gate has the time that an account of some size takes"
    assert cli("snapshot", "--markdown", "--wait", "2.5").out.startswith("# lambdatop 9")
    assert engine.waited == 2.5


def test_a_denied_source_is_a_note_and_not_a_failure(cli: Cli, engine: Thread) -> None:
    engine.answer = seen(OK, DENIED)
    ran = cli("snapshot", "--json")
    assert ran.code == exit_codes.DONE
    assert json.loads(ran.out)["functions"]
    assert ran.err == "lambdatop: note: alarms is denied: cloudwatch:DescribeAlarms is not allowed.\n"


def test_when_nothing_at_all_could_be_read_there_is_no_data(cli: Cli, engine: Thread) -> None:
    engine.answer = seen(replace(OK, name="connection"), DENIED, replace(DENIED, name="metrics"))
    ran = cli("snapshot", "--json")
    assert (ran.code, ran.out) == (exit_codes.FAILED, "")
    assert ran.err == "lambdatop: cloudwatch:DescribeAlarms is not allowed.\n", "said once"


def test_no_connection_is_exit_1_and_the_engine_is_stopped(cli: Cli, engine: Thread) -> None:
    engine.answer = Unreachable("https://x cannot be reached.")
    ran = cli("snapshot")
    assert (ran.code, ran.out, ran.err) == (
        exit_codes.FAILED,
        "",
        "lambdatop: https://x cannot be reached.\n",
    )
    assert not engine.running
