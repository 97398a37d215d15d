"""`plan`, `mitigate`, `undo` and `journal` through the real mitigation flow, over an account in memory."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.account import MAPPING, Account, FakeMutator, FakeReader
from fakes.command_line import Cli
from fakes.entries import SCOPE, WORKER
from msgspec.structs import replace

import lambdatop.aws.connect
from lambdatop.aws.sdk.connection import Connection
from lambdatop.cli import exit_codes, stdio
from lambdatop.domain.errors import Unreachable
from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.state.events import TargetIdentified

ARN = f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:orders-worker"


@dataclass
class Aws:
    """What the command line is connected to, and how it was asked for."""

    account: Account
    behave: str = "applied"
    asked: Connection | None = None
    mutators: int = 0
    closed: int = 0
    down: bool = False
    refused: str = ""

    async def connect(self, connection: Connection, **_: object) -> Backend:
        """Open a backend over the account, with a mutator only where there may be one."""
        self.asked = connection
        if self.down:
            raise Unreachable("https://lambda.eu-central-1.amazonaws.com cannot be reached.")
        identified = TargetIdentified(SCOPE, 0.0, "arn:aws:iam::111122223333:user/kim")
        mutator = None if connection.read_only else FakeMutator(self.account, self.behave)
        self.mutators += mutator is not None
        made = Backend(identified, (), FakeReader(self.account), mutator, self._close)
        return replace(made, changes_refused=self.refused)

    async def _close(self) -> None:
        self.closed += 1


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    found = Aws(Account())
    monkeypatch.setattr(lambdatop.aws.connect, "connect", found.connect)
    return found


def lines(home: Path) -> list[dict[str, object]]:
    file = home / ".local/state/lambdatop/journal.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_plan_shows_everything_and_changes_nothing(cli: Cli, aws: Aws, home: Path) -> None:
    ran = cli("plan", "throttle_to_zero", "orders-worker", "-r", "eu-central-1", "-p", "prod")
    assert ran.code == exit_codes.DONE
    for words in (
        "T2: reversible setting",
        f'lambda.PutFunctionConcurrency {{"FunctionName": "{ARN}", "ReservedConcurrentExecutions": 0}}',
        "reserved_concurrency=7",
        "reserved_concurrency=0",
        '"ReservedConcurrentExecutions": 7}',
        "new async events are LOST",
        f"aws lambda put-function-concurrency --function-name {ARN}",
        "--reserved-concurrent-executions 0 --region eu-central-1 --profile prod",
        "type orders-worker",
    ):
        assert words in ran.out
    assert aws.account.calls == []
    assert lines(home) == []
    assert aws.asked == Connection(profile="prod", region="eu-central-1", read_only=True)
    assert aws.mutators == 0, "whoever only looks has nothing to change things with"
    assert aws.closed == 1


def test_a_plan_as_json_and_a_refusal_is_exit_1(cli: Cli, aws: Aws) -> None:
    plan = json.loads(cli("plan", "throttle_to_zero", "orders-worker", "--json").out)
    assert (plan["before"], plan["after"]) == ({"reserved_concurrency": 7}, {"reserved_concurrency": 0})
    aws.account.reserved = 0
    ran = cli("plan", "throttle_to_zero", "orders-worker", "--json")
    assert ran.code == exit_codes.FAILED
    assert json.loads(ran.out)["refused"] is True
    assert "throttled to zero already" in cli("plan", "throttle_to_zero", "orders-worker").out


def test_settings_reach_the_planner(cli: Cli, aws: Aws) -> None:
    wish = ("plan", "restore_concurrency", "orders-worker", "--set")
    plan = json.loads(cli(*wish, "reserved=none", "--json").out)
    assert plan["after"] == {"reserved_concurrency": None}
    ran = cli(*wish, "reservd=1")
    assert ran.code == exit_codes.USAGE
    assert "reservd" in ran.err


def test_an_unknown_target_is_exit_2(cli: Cli, aws: Aws) -> None:
    ran = cli("plan", "throttle_to_zero", "orders")
    assert (ran.code, ran.out) == (exit_codes.USAGE, "")
    assert "There is no orders." in ran.err
    assert aws.closed == 1


def test_mitigate_and_undo_restore_the_former_value_exactly(cli: Cli, aws: Aws, home: Path) -> None:
    ran = cli("mitigate", "throttle_to_zero", "orders-worker", "--confirm", "orders-worker")
    assert ran.code == exit_codes.DONE, ran.err
    assert aws.account.reserved == 0
    assert [r["record"] for r in lines(home)] == ["intent", "outcome"]
    entry = str(lines(home)[0]["id"])
    assert f"undo with: lambdatop undo {entry}" in ran.err
    assert entry in cli("journal").out
    undone = cli("undo", "--last", "--confirm", "orders-worker", "--json")
    assert undone.code == exit_codes.DONE, undone.err
    assert json.loads(undone.out)["result"] == "applied"
    assert aws.account.reserved == 7
    outcomes = {e["id"]: e["outcome"] for e in json.loads(cli("journal", "--json").out)["entries"]}
    assert outcomes[entry] == "undone"


def test_undo_takes_the_beginning_of_an_id(cli: Cli, aws: Aws, home: Path) -> None:
    cli("mitigate", "throttle_to_zero", "orders-worker", "--confirm", "orders-worker")
    entry = str(lines(home)[0]["id"])
    assert cli("undo", entry[:8], "--confirm", "orders-worker").code == exit_codes.DONE
    assert aws.account.reserved == 7


def test_undo_without_anything_to_undo_is_exit_2(cli: Cli, aws: Aws) -> None:
    ran = cli("undo", "--last")
    assert ran.code == exit_codes.USAGE
    assert "nothing to undo" in ran.err


@pytest.mark.parametrize("name", ["orders", "Orders-Worker", "", "y"])
def test_another_name_confirms_nothing(cli: Cli, aws: Aws, home: Path, name: str) -> None:
    ran = cli("mitigate", "throttle_to_zero", "orders-worker", "--confirm", name)
    assert ran.code == exit_codes.USAGE
    assert "this plan needs --confirm 'orders-worker'" in ran.err
    assert aws.account.calls == []
    assert lines(home) == []


def test_without_a_terminal_and_without_confirm_it_refuses_and_shows_the_plan(
    cli: Cli, aws: Aws, home: Path
) -> None:
    ran = cli("mitigate", "throttle_to_zero", "orders-worker")
    assert (ran.code, ran.out) == (exit_codes.USAGE, "")
    assert "there is no terminal to ask on" in ran.err
    assert "PutFunctionConcurrency" in ran.err
    assert aws.account.calls == []


@pytest.mark.parametrize("name", [MAPPING.id, "orders → orders-worker"])
def test_where_nothing_is_lost_any_name_of_the_target_confirms(cli: Cli, aws: Aws, name: str) -> None:
    assert cli("mitigate", "disable_trigger", MAPPING.id, "--confirm", name).code == exit_codes.DONE
    assert aws.account.trigger == "Disabled"


@pytest.mark.parametrize(
    ("answer", "done"), [("orders-worker", True), (" orders-worker ", True), ("y", False), ("", False)]
)
def test_a_typed_name_is_asked_for_on_the_terminal(
    cli: Cli, aws: Aws, monkeypatch: pytest.MonkeyPatch, answer: str, done: bool
) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return answer

    monkeypatch.setattr(stdio, "ask", ask)
    ran = cli("mitigate", "throttle_to_zero", "orders-worker")
    assert asked == ["Type orders-worker to do it: "]
    assert (ran.code == exit_codes.DONE) is done
    assert (aws.account.reserved == 0) is done
    if not done:
        assert "nothing was sent" in ran.err


@pytest.mark.parametrize(
    ("answer", "done"), [("y", True), ("Y", True), ("yes", False), ("n", False), ("", False)]
)
def test_where_nothing_is_lost_y_is_enough(
    cli: Cli, aws: Aws, monkeypatch: pytest.MonkeyPatch, answer: str, done: bool
) -> None:
    monkeypatch.setattr(stdio, "ask", lambda question: answer)
    cli("mitigate", "disable_trigger", MAPPING.id)
    assert (aws.account.trigger == "Disabled") is done


@pytest.mark.parametrize(
    ("behave", "code", "outcome", "words"),
    [
        ("refused", exit_codes.FAILED, "refused", "ResourceConflictException"),
        ("not-sent", exit_codes.FAILED, "not-sent", "no connection"),
        ("raises", exit_codes.DONE, "applied", "applied"),
    ],
)
def test_each_outcome_has_its_exit_code(
    cli: Cli, aws: Aws, home: Path, behave: str, code: int, outcome: str, words: str
) -> None:
    aws.behave = behave
    ran = cli("mitigate", "throttle_to_zero", "orders-worker", "--confirm", "orders-worker")
    assert ran.code == code
    assert lines(home)[-1]["outcome"] == outcome
    assert words in ran.out


def test_an_unknown_outcome_is_exit_5_and_stays_in_the_journal(cli: Cli, aws: Aws) -> None:
    aws.behave = "dropped"
    ran = cli("mitigate", "purge_queue", "orders", "--confirm", "orders")
    assert ran.code == exit_codes.UNKNOWN
    assert "lambdatop journal --open" in ran.err
    assert "purge_queue" in cli("journal", "--open").out


def test_destructive_mitigations_can_be_forbidden(cli: Cli, aws: Aws, home: Path) -> None:
    file = home / "c.yaml"
    file.write_text("allow_destructive: false\n")
    file.chmod(0o600)
    ran = cli("mitigate", "purge_queue", "orders", "--confirm", "orders", "-c", str(file))
    assert ran.code == exit_codes.USAGE
    assert f"{file}:1" in ran.err
    assert aws.account.messages == 12
    assert cli("mitigate", "disable_trigger", MAPPING.id, "--confirm", MAPPING.id, "-c", str(file)).code == 0


def test_read_only_plans_but_has_no_mutator(cli: Cli, aws: Aws, home: Path) -> None:
    assert cli("plan", "throttle_to_zero", "orders-worker", "--read-only").code == exit_codes.DONE
    assert aws.asked is not None
    assert aws.asked.read_only
    assert cli("mitigate", "throttle_to_zero", "orders-worker", "--read-only").code == exit_codes.READ_ONLY
    assert aws.mutators == 0
    assert lines(home) == []


def test_an_unreachable_endpoint_is_exit_1(cli: Cli, aws: Aws) -> None:
    aws.down = True
    ran = cli("mitigate", "throttle_to_zero", "orders-worker", "--confirm", "orders-worker")
    assert (ran.code, ran.out) == (exit_codes.FAILED, "")
    assert "cannot be reached" in ran.err


def test_an_open_intent_of_a_dead_process_is_settled_and_told_first(cli: Cli, aws: Aws, home: Path) -> None:
    cli("mitigate", "throttle_to_zero", "orders-worker", "--confirm", "orders-worker")
    file = home / ".local/state/lambdatop/journal.jsonl"
    intent, _ = file.read_text().splitlines()
    record = json.loads(intent) | {"pid": 2**22 + 1}  # no such process
    file.write_text(json.dumps(record) + "\n")
    ran = cli("mitigate", "disable_trigger", MAPPING.id, "--confirm", MAPPING.id)
    assert ran.code == exit_codes.DONE
    assert f"note: entry {record['id']} (throttle_to_zero orders-worker): applied (found)" in ran.err


def test_a_foreign_endpoint_takes_no_change_and_still_shows_a_plan(cli: Cli, aws: Aws, home: Path) -> None:
    aws.refused = "Calls go to http://x; --allow-endpoint-changes allows changes through it."
    ran = cli("mitigate", "throttle_to_zero", "orders-worker", "--confirm", "orders-worker")
    assert (ran.code, ran.out) == (exit_codes.USAGE, "")
    assert "--allow-endpoint-changes" in ran.err
    assert aws.account.calls == []
    assert lines(home) == []
    ran = cli("plan", "throttle_to_zero", "orders-worker")
    assert ran.code == exit_codes.DONE
    assert "--allow-endpoint-changes" in ran.out


@pytest.fixture
def by_function(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Let a trigger be found by the name of its function, as on AWS where it is the only one."""
    find = FakeReader.find

    async def found(self: FakeReader, target: str, kinds: Collection[str]) -> Key:
        return MAPPING if "mapping" in kinds and target == WORKER.id else await find(self, target, kinds)

    monkeypatch.setattr(FakeReader, "find", found)
    return aws


@pytest.mark.parametrize("wanted", ["--last", WORKER.id, MAPPING.id, "orders → orders-worker"])
@pytest.mark.parametrize("name", [WORKER.id, MAPPING.id, "orders → orders-worker"])
def test_an_undo_is_found_and_confirmed_with_every_name_of_its_change(
    cli: Cli, by_function: Aws, wanted: str, name: str
) -> None:
    done = cli("mitigate", "disable_trigger", WORKER.id, "--confirm", WORKER.id)
    assert (done.code, by_function.account.trigger) == (exit_codes.DONE, "Disabled"), done.err
    undone = cli("undo", wanted, "--confirm", name)
    assert (undone.code, by_function.account.trigger) == (exit_codes.DONE, "Enabled"), undone.err
    (entry, undo) = json.loads(cli("journal", "--json").out)["entries"]
    assert cli("undo", undo["id"], "--confirm", name).code == exit_codes.DONE, "so is the redo"
    assert by_function.account.trigger == "Disabled"
    assert entry["outcome"] == "undone"


@pytest.mark.parametrize("name", ["orders", "", "y", "0f1e"])
def test_an_undo_is_not_confirmed_with_another_name_or_a_piece_of_an_id(
    cli: Cli, by_function: Aws, home: Path, name: str
) -> None:
    cli("mitigate", "disable_trigger", WORKER.id, "--confirm", WORKER.id)
    piece = str(lines(home)[0]["id"])[:6]
    for wrong in (name, piece):
        assert cli("undo", piece, "--confirm", wrong).code == exit_codes.USAGE
    assert by_function.account.trigger == "Disabled"


def test_a_name_that_means_two_changes_undoes_neither(cli: Cli, by_function: Aws, home: Path) -> None:
    cli("mitigate", "disable_trigger", WORKER.id, "--confirm", WORKER.id)
    cli("mitigate", "throttle_to_zero", WORKER.id, "--confirm", WORKER.id)
    ran = cli("undo", WORKER.id, "--confirm", WORKER.id)
    assert ran.code == exit_codes.USAGE
    assert all(str(r["id"]) in ran.err for r in lines(home) if r["record"] == "intent")
    assert (by_function.account.trigger, by_function.account.reserved) == ("Disabled", 0)
    assert cli("undo", MAPPING.id, "--confirm", WORKER.id).code == exit_codes.DONE
    assert cli("undo", WORKER.id, "--confirm", WORKER.id).code == exit_codes.DONE
    assert (by_function.account.trigger, by_function.account.reserved) == ("Enabled", 7)
    assert cli("undo", WORKER.id, "--confirm", WORKER.id).code == exit_codes.USAGE


def test_a_name_never_leads_to_what_else_was_changed_under_it(cli: Cli, by_function: Aws) -> None:
    cli("mitigate", "disable_trigger", WORKER.id, "--confirm", WORKER.id)
    cli("mitigate", "throttle_to_zero", WORKER.id, "--confirm", WORKER.id)
    assert cli("undo", "--last", "--confirm", WORKER.id).code == exit_codes.DONE
    ran = cli("undo", WORKER.id, "--confirm", WORKER.id)
    assert (ran.code, by_function.account.trigger) == (exit_codes.USAGE, "Disabled")
    assert "nothing to undo of orders-worker" in ran.err
    assert "disable_trigger of orders" in ran.err
