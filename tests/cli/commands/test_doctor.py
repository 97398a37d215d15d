"""`lambdatop doctor`: works when nothing else does, and every failing line says what to do."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes.aws_doubles import IDENTITY
from fakes.command_line import Cli, Ran
from fakes.sts_stub import LoginStub
from fakes.terminal import Terminal
from fakes.wire_stub import Fault

from lambdatop.cli import exit_codes
from lambdatop.cli.commands.policy import printed_policy
from lambdatop.domain.mitigations.iam_policy import POLICIES

pytestmark = pytest.mark.wire

Report = dict[str, Any]


def lines(ran: Ran) -> Mapping[tuple[str, str], Report]:
    report = json.loads(ran.out)
    assert list(report) == ["schema", "at", "version", "checks", "permissions"]
    assert report["schema"] == "lambdatop.doctor/1"
    for check in report["checks"]:
        assert list(check) == ["group", "name", "state", "detail", "do"]
        if check["state"] == "fail":
            assert check["do"], check
    return {(c["group"], c["name"]): c for c in report["checks"]}


@pytest.fixture
async def stub() -> AsyncIterator[LoginStub]:
    running = LoginStub()
    async with running:
        yield running
    assert running.problems == []
    assert running.strangers == []


@pytest.fixture
def pointed(stub: LoginStub, home: Path, monkeypatch: pytest.MonkeyPatch) -> LoginStub:
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-central-1"}
    for name, value in {**keys, "AWS_ENDPOINT_URL": stub.url}.items():
        monkeypatch.setenv(name, value)
    return stub


def simulated(answer: Callable[[str], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def reply(params: dict[str, Any]) -> dict[str, Any]:
        found = [{"EvalActionName": a, "EvalDecision": answer(a)} for a in params["ActionNames"]]
        return {"EvaluationResults": found, "IsTruncated": False}

    return reply


async def test_a_machine_that_is_well(pointed: LoginStub, cli: Cli) -> None:
    pointed.on("iam", "GetRole", {"Role": {"Arn": "arn:aws:iam::123456789012:role/ops"}})
    denied = ("lambda:UpdateAlias", "sqs:ListQueues")
    pointed.on(
        "iam", "SimulatePrincipalPolicy", simulated(lambda a: "explicitDeny" if a in denied else "allowed")
    )
    ran = await asyncio.to_thread(cli, "doctor", "--json")
    found = lines(ran)
    assert ran.code == exit_codes.DONE
    assert ran.err == ""
    assert found["credentials", "provider"]["detail"] == "environment variables"
    assert found["identity", "caller"]["detail"] == IDENTITY["Arn"]
    assert found["clock", "skew"]["state"] == "ok"
    custom = found["endpoints", "custom"]
    assert (custom["state"], "--allow-endpoint-changes" in custom["do"]) == ("warn", True)
    assert found["permissions", "read-only"]["state"] == "warn"
    assert "sqs:ListQueues" in found["permissions", "read-only"]["do"]
    assert found["permissions", "operator"]["state"] == "ok"
    permissions = json.loads(ran.out)["permissions"]
    assert set(permissions) == {a for name in POLICIES for a in printed_policy(name).actions}
    assert [a for a, answer in permissions.items() if answer == "no"] == [
        a for a in permissions if a in denied
    ]


async def test_where_iam_may_not_be_asked_harmless_reads_say_what_they_can(
    pointed: LoginStub, cli: Cli
) -> None:
    for operation in ("GetRole", "SimulatePrincipalPolicy"):
        pointed.on("iam", operation, Fault("AccessDenied", status=403))
    pointed.on("sqs", "ListQueues", Fault("AccessDenied", status=403))
    ran = await asyncio.to_thread(cli, "doctor", "--json")
    permissions = json.loads(ran.out)["permissions"]
    assert permissions["lambda:ListFunctions"] == "yes"
    assert permissions["sqs:ListQueues"] == "no"
    assert permissions["lambda:UpdateAlias"] == "unknown"
    found = lines(ran)
    assert "lambdatop policy read-only" in found["permissions", "read-only"]["do"]
    assert found["permissions", "operator"]["state"] == "unknown"


async def test_a_session_policy_that_cannot_be_put_on_is_a_failing_line(
    pointed: LoginStub, cli: Cli, tmp_path: Path
) -> None:
    ran = await asyncio.to_thread(cli, "doctor", "--json")
    assert ("identity", "session policy") not in lines(ran)
    config = tmp_path / "held.yaml"
    config.write_text("session_policy: read-only\n")
    config.chmod(0o600)
    ran = await asyncio.to_thread(cli, "doctor", "--json", "--config", str(config))
    held = lines(ran)["identity", "session policy"]
    assert ran.code == exit_codes.FAILED
    assert held["state"] == "fail"
    assert "role_arn" in held["do"]


async def test_credentials_that_aws_does_not_know(pointed: LoginStub, cli: Cli) -> None:
    pointed.on("sts", "GetCallerIdentity", Fault("InvalidClientTokenId", status=403))
    ran = await asyncio.to_thread(cli, "doctor", "--json")
    caller = lines(ran)["identity", "caller"]
    assert ran.code == exit_codes.FAILED
    assert (caller["state"], caller["do"]) == ("fail", "Check the profile or the access key.")


def test_no_credentials_and_no_region(cli: Cli) -> None:
    ran = cli("doctor", "--json")
    found = lines(ran)
    assert ran.code == exit_codes.FAILED
    assert found["credentials", "provider"]["state"] == "fail"
    assert "--profile" in found["credentials", "provider"]["do"]
    assert found["endpoints", "region"]["state"] == "fail"
    assert "--region" in found["endpoints", "region"]["do"]
    assert found["permissions", "read-only"]["state"] == "unknown"


def test_a_profile_that_does_not_exist_and_a_dead_endpoint(cli: Cli, dead: str) -> None:
    ran = cli("doctor", "--json", "--profile", "nope", "-r", "eu-central-1", "--endpoint-url", dead)
    found = lines(ran)
    assert ran.code == exit_codes.FAILED
    assert "nope" in found["credentials", "profile"]["detail"]
    assert "refuses connections" in found["endpoints", "16 services"]["detail"]
    assert found["clock", "skew"]["state"] == "unknown"


def test_a_broken_configuration_is_a_line_and_the_flags_still_count(
    cli: Cli, config: Callable[[str], Path], dead: str
) -> None:
    file = config("read_onli: true\n")
    file.chmod(0o666)
    ran = cli("doctor", "--json", "-r", "eu-central-1", "--endpoint-url", dead)
    broken = lines(ran)["paths", "configuration"]
    assert ran.code == exit_codes.FAILED
    assert broken["state"] == "fail"
    assert str(file) in broken["detail"]
    assert lines(ran)["endpoints", "region"]["detail"] == "eu-central-1"


def test_a_variable_that_is_wrong_is_a_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "Frankfurt am Main")
    ran = cli("doctor", "--json")
    assert ran.code == exit_codes.FAILED
    assert "AWS_REGION" in lines(ran)["paths", "options"]["detail"]


def test_a_state_directory_open_to_others(cli: Cli, home: Path, dead: str) -> None:
    state = home / "state"
    state.mkdir()
    state.chmod(0o777)
    ran = cli("doctor", "--json", "--state-dir", str(state), "-r", "eu-central-1", "--endpoint-url", dead)
    line = lines(ran)["paths", "state directory"]
    assert (line["state"], line["do"]) == ("fail", f"Close it with: chmod 700 {state}")


def test_a_bundle_that_is_not_there(cli: Cli, dead: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem")
    found = lines(cli("doctor", "--json", "-r", "eu-central-1", "--endpoint-url", dead))
    assert found["endpoints", "CA bundle"]["state"] == "fail"


@pytest.fixture
def dead() -> str:
    """Return an endpoint of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_on_a_terminal_it_fits_into_80_columns_and_has_colours_only_there(
    cli: Cli, home: Path, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import sys

    argv = ("doctor", "-r", "eu-central-1", "--endpoint-url", dead)
    env = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    env.pop("COLUMNS")
    with Terminal([sys.executable, "-m", "lambdatop", *argv], env, 80, 60) as terminal:
        assert terminal.wait_for_exit() == exit_codes.FAILED
        screen = terminal.screen()
        assert b"\x1b[1;31mFAIL" in terminal.written
    assert "CREDENTIALS" in screen
    assert "  FAIL  provider" in screen
    assert "-> Choose a profile with --profile" in screen
    monkeypatch.setenv("COLUMNS", "80")
    piped = cli(*argv).out
    assert "\x1b" not in piped
    assert max(map(len, piped.splitlines())) <= 80
