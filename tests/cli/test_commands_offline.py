from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.command_line import Cli

from lambdatop import __version__
from lambdatop.cli import exit_codes
from lambdatop.cli.commands.policy import printed_policy
from lambdatop.domain.mitigations.iam_policy import PLACEHOLDERS, POLICIES, PolicyName
from lambdatop.domain.mitigations.registry import REGISTRY

MUTATING = re.compile("Put|Update|Delete|Create|Purge|Start|Send|Add|Remove|Set|Disable|Enable|Tag")


def test_version_and_help(cli: Cli) -> None:
    assert cli("--version") == cli("--version")
    assert cli("--version").out == f"lambdatop {__version__}\n"
    ran = cli("--help")
    assert ran.code == exit_codes.DONE
    assert "snapshot" in ran.out
    assert ran.err == ""


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("snapshoot",), "did you mean snapshot?"),
        (("snapshot", "--jsn"), "unrecognized arguments: --jsn"),
        (("snapshot", "--json", "--table"), "not allowed with"),
        (("snapshot", "--wait", "-1"), "number of seconds"),
        (("snapshot", "--wait", "nan"), "number of seconds"),
        (("snapshot", "--fail-on", "critcal"), "did you mean critical?"),
        (("policy", "operater"), "did you mean operator?"),
        (("logs",), "FUNCTION"),
        (("plan", "throttle_to_zero"), "TARGET"),
        (("plan", "throttle_to_zer", "f"), "throttle_to_zero"),
        (("mitigate", "rolback_alias", "f"), "Did you mean rollback_alias"),
        (("plan", "throttle_to_zero", "f", "--set", "x"), "--set needs K=V"),
        (("plan", "throttle_to_zero", "f", "--set", "a=1", "--set", "a=2"), "stands twice"),
        (("undo", "abc", "--last"), "not both"),
        (("config",), "required: PART"),
        (("policy",), "required: POLICY"),
        (("plan", "throttle_to_zero", "f", "--set", "a=b"), "no setting 'a'; it takes triggers"),
        (("mitigate", "purge_queue", "q", "--set", "a=b"), "no setting 'a'; it takes none"),
        (("mitigate", "tune_trigger", "q", "--set", "batch_size=0"), "batch_size must be from 1 to 10,000"),
        (("plan", "restore_async", "f", "--set", "retries=9"), "retries must be from 0 to 2, not 9"),
        (("logs", "f", "--since", "yesterday"), "neither a duration nor a time; write 30s"),
        (("logs", "f", "--since", "yesterday"), "or a time like 10:15 or 2026-11-30T12:00Z"),
        (("logs", "f", "--grep", "("), "--grep '(' cannot be searched for: it is not a regular expression"),
        (("logs", "f", "--grep", r"(a)\1"), "cannot be searched for: it holds a backreference"),
        (("logs", "f", "--live"), "goes with --follow"),
        (("logs", "f", "--errors", "--follow"), "go with the lines themselves"),
        (("doctor", "--jsn"), "unrecognized arguments: --jsn"),
        (("demo", "--scenario", "poison-quue"), "did you mean poison-queue?"),
        (("demo", "--json"), "--json needs --headless"),
        (("--read-only", "journal", "--write"), "contradict"),
        ((), "use `lambdatop snapshot` instead"),
        (("demo",), "use `lambdatop demo --headless 60` instead"),
    ],
)
def test_wrong_use_is_exit_2_with_words_and_no_data(cli: Cli, argv: tuple[str, ...], words: str) -> None:
    ran = cli(*argv)
    assert ran.code == exit_codes.USAGE
    assert words in ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("command", ["plan", "mitigate"])
def test_help_names_every_kind_of_target(cli: Cli, command: str) -> None:
    text = " ".join(cli(command, "--help").out.split())
    words = text.partition(": name, ARN")[0].rpartition("TARGET ")[2]
    assert set(re.split(", | or ", words)) == {spec.kind for spec in REGISTRY.values()}


@pytest.mark.parametrize("name", POLICIES)
def test_policies_are_data_on_stdout_and_words_on_stderr(cli: Cli, name: PolicyName) -> None:
    ran = cli("policy", name)
    made = printed_policy(name)
    assert ran.code == exit_codes.DONE
    assert json.loads(ran.out) == made.document
    for placeholder in PLACEHOLDERS:
        assert (placeholder in ran.out) == (placeholder in ran.err.splitlines()[0]), placeholder
    for statement in made.optional:
        assert f"note: {statement}: " in ran.err


def test_config_path_show_and_check(cli: Cli, config: Callable[[str], Path], home: Path) -> None:
    assert json.loads(cli("config", "path", "--json").out)["config"] == str(
        home / ".config/lambdatop/config.yaml"
    )
    assert "does not exist" in cli("config", "check").out
    file = config("region: eu-central-1\nprofiles:\n  prod:\n    read_only: true\n")
    assert f"{file} is valid" in cli("config", "check").out
    shown = json.loads(cli("config", "show", "--json", "-p", "prod", "--refresh", "2").out)
    assert shown["region"] == {"value": "eu-central-1", "origin": f"{file}:1"}
    assert shown["read_only"] == {"value": True, "origin": f"{file}:4 (profile prod)"}
    assert shown["screen.refresh"] == {"value": 2.0, "origin": "flag --refresh"}
    assert shown["screen.theme"]["origin"] == "default"
    rows = [line.split() for line in cli("config", "show").out.splitlines()]
    assert rows[0] == ["KEY", "VALUE", "UNIT", "FROM"]
    assert ["paces.metrics", "60", "s", "default"] in rows


def test_a_wrong_config_file_is_exit_2_with_every_problem(cli: Cli, config: Callable[[str], Path]) -> None:
    file = config("regoin: x\npaces: {metrics: -1}\n")
    ran = cli("config", "check")
    assert (ran.code, ran.out) == (exit_codes.USAGE, "")
    assert f"{file}:1: unknown key 'regoin'; did you mean region?" in ran.err
    assert f"{file}:2: paces.metrics needs a number" in ran.err
    for argv in (("snapshot",), ("journal",), ("mitigate", "throttle_to_zero", "f")):
        assert cli(*argv).code == exit_codes.USAGE
    assert cli("config", "path").code == exit_codes.DONE, "a broken file can still be found"
    assert cli("policy", "read-only").code == exit_codes.DONE


def test_a_theme_that_does_not_exist_is_not_valid(cli: Cli, config: Callable[[str], Path]) -> None:
    file = config("screen: {theme: high-contrats}\n")
    ran = cli("config", "check")
    assert (ran.code, ran.out) == (exit_codes.USAGE, "")
    assert f"{file}:1: screen.theme: there is no usable theme 'high-contrats'" in ran.err
    assert "did you mean high-contrast?" in ran.err
    assert cli("config", "show").code == exit_codes.DONE, "the console starts with another theme, too"
    own = file.parent / "themes" / "high-contrats.yaml"
    own.parent.mkdir()
    own.write_text("name: high-contrats\n", encoding="utf-8")
    ran = cli("config", "check")
    assert ran.code == exit_codes.USAGE
    assert str(own) in ran.err, "why the theme of that name cannot be used"


def test_a_named_config_file_must_exist(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = cli("journal", "--config", "/nowhere/c.yaml")
    assert ran.code == exit_codes.USAGE
    assert "/nowhere/c.yaml: there is no such file" in ran.err
    monkeypatch.setenv("LAMBDATOP_CONFIG", "/nowhere/d.yaml")
    assert "/nowhere/d.yaml" in cli("journal").err


def test_an_endpoint_of_the_file_is_announced_on_stderr(cli: Cli, config: Callable[[str], Path]) -> None:
    config("endpoint_url: https://proxy.example\n")
    ran = cli("config", "check")
    assert ran.code == exit_codes.DONE
    assert "note: calls go to https://proxy.example" in ran.err
    assert "proxy" not in ran.out


def test_read_only_refuses_before_anything_is_connected(
    cli: Cli, config: Callable[[str], Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for argv in (("mitigate", "throttle_to_zero", "f", "--confirm", "f"), ("undo", "--last")):
        ran = cli(*argv, "--read-only")
        assert (ran.code, ran.out) == (exit_codes.READ_ONLY, "")
        assert "flag --read-only" in ran.err
        assert cli("--readonly", *argv).code == exit_codes.READ_ONLY
    file = config("read_only: true\n")
    ran = cli("undo")
    assert ran.code == exit_codes.READ_ONLY
    assert f"{file}:1" in ran.err
    monkeypatch.setenv("LAMBDATOP_READ_ONLY", "0")
    assert cli("undo").code == exit_codes.READ_ONLY, "a variable that says no does not lift the file"
    monkeypatch.setenv("LAMBDATOP_READ_ONLY", "")
    assert cli("undo", "--write").code != exit_codes.READ_ONLY
    assert not (home / ".local/state/lambdatop/journal.jsonl").exists()


def test_an_empty_journal_says_so_on_stderr(cli: Cli, home: Path) -> None:
    ran = cli("journal")
    assert (ran.code, ran.out) == (exit_codes.DONE, "")
    assert "is empty" in ran.err
    assert json.loads(cli("journal", "--json").out)["entries"] == []
    assert not (home / ".local").exists(), "reading makes no directories"


def test_the_demo_lists_its_scenarios(cli: Cli) -> None:
    assert "poison-queue" in cli("demo", "--list").out
    names = [s["name"] for s in json.loads(cli("demo", "--list", "--json").out)["scenarios"]]
    assert names[0] == "poison-queue"
    assert "calm" in names
