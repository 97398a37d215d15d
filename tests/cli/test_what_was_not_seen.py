"""What the tables, the report and the JSON say of what they did not see."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fakes.command_line import Cli
from fakes.hostile import running
from fakes.trouble_world import FEEDER, LOSER, TroubleWorld
from fakes.wire_stub import Answer, Fault
from markdown_it import MarkdownIt

from lambdatop.cli import exit_codes

pytestmark = pytest.mark.wire


@pytest.fixture
def world(home: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[TroubleWorld]:
    for name, value in (("ACCESS_KEY_ID", "AKIAX"), ("SECRET_ACCESS_KEY", "s"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with running(TroubleWorld(3, calm=True)) as stub:
        yield stub


def section(text: str, title: str) -> str:
    return text.partition(f"\n{title}\n")[2].partition("\n\n")[0]


def shown(markdown: str) -> str:
    """Return the document as a reader sees it, one line a cell."""
    tokens = MarkdownIt("gfm-like").parse(markdown)
    return "\n".join("".join(c.content for c in t.children or ()) for t in tokens if t.type == "inline")


@pytest.mark.parametrize(
    ("code", "words"), [("AccessDeniedException", "denied"), ("TooManyRequestsException", "throttled")]
)
def test_functions_that_could_not_be_listed_are_not_none(
    cli: Cli, world: TroubleWorld, code: str, words: str
) -> None:
    world.on("lambda", "ListFunctions", Fault(code, "no", 403 if words == "denied" else 429))
    args = ("snapshot", "--endpoint-url", world.url, "--wait", "8")
    ran = cli(*args, "--table")
    assert ran.code == exit_codes.FAILED
    assert section(ran.out, "FUNCTIONS").startswith("not known (")
    assert words in section(ran.out, "FUNCTIONS")
    assert "less often" not in ran.out + ran.err, "the command has ended: it asks nobody any more"
    report = cli(*args, "--markdown")
    assert report.code == exit_codes.FAILED
    assert "none were listed" not in report.out
    assert "0 in all" not in report.out
    assert f"Functions: not known ({'lambda:ListFunctions denied' if words == 'denied' else ''}" in shown(
        report.out
    )


def test_a_denied_queue_and_denied_policies_are_in_every_form(cli: Cli, world: TroubleWorld) -> None:
    world.deny("lambda", "GetPolicy")
    denied = Fault("AccessDenied", "not authorized to perform: sqs:getqueueattributes", 403)
    given = world._replies[("sqs", "GetQueueAttributes")][0]
    assert callable(given)

    def attributes(params: dict[str, object]) -> Answer:
        return denied if str(params["QueueUrl"]).endswith(f"/{FEEDER}") else given(params)

    world.on("sqs", "GetQueueAttributes", attributes)
    world.on("lambda", "GetFunctionEventInvokeConfig", world._async_settings)
    world.kept = True  # another queue, so that the source as a whole answers
    args = ("snapshot", "--endpoint-url", world.url, "--wait", "60")
    seen = json.loads(cli(*args, "--json").out)
    gaps = {(g["source"], g["action"], g["target"], g["reason"]) for g in seen["gaps"]}
    assert ("triggers", "lambda:GetPolicy", LOSER, "denied") in gaps
    assert ("queues", "sqs:GetQueueAttributes", FEEDER, "denied") in gaps
    table = section(cli(*args, "--table").out, "NOT SEEN")
    assert [line.split() for line in table.splitlines() if FEEDER in line] == [
        ["queues", "sqs:GetQueueAttributes", FEEDER, "denied"]
    ]
    report = cli(*args, "--markdown").out
    missing = shown(report).partition("What was not seen")[2].partition("Findings")[0]
    assert "none denied" not in missing
    for words in ("lambda:GetPolicy", "sqs:GetQueueAttributes", FEEDER):
        assert f"\n{words}\n" in missing


def test_alarms_are_in_every_form(cli: Cli, world: TroubleWorld) -> None:
    args = ("snapshot", "--endpoint-url", world.url, "--wait", "60")
    (alarm,) = json.loads(cli(*args, "--json").out)["alarms"]
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:orders-errors"
    assert (alarm["name"], alarm["arn"], alarm["state"]) == ("orders-errors", arn, "ALARM")
    assert alarm["since"].endswith("Z")
    assert alarm["target"] == {
        "kind": "function",
        "arn": f"arn:aws:lambda:us-east-1:123456789012:function:{LOSER}",
        "name": LOSER,
    }
    assert alarm["actions"] == ["arn:aws:sns:us-east-1:123456789012:on-call"]
    assert alarm["faults"] == []
    assert "orders-errors" in section(cli(*args, "--table").out, "ALARMS IN STATE ALARM")
    report = shown(cli(*args, "--markdown").out)
    assert "orders-errors" in report.partition("Alarms in state ALARM")[2].partition("Risky")[0]


def test_an_alarm_that_tells_nobody_says_so(cli: Cli, world: TroubleWorld) -> None:
    silent = {"AlarmName": "silent", "StateValue": "ALARM", "AlarmActions": [], "StateReason": "x"}
    off = {
        "AlarmName": "off",
        "StateValue": "ALARM",
        "ActionsEnabled": False,
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:on-call"],
    }
    world.on("cloudwatch", "DescribeAlarms", {"MetricAlarms": [silent], "CompositeAlarms": [off]})
    ran = cli("snapshot", "--endpoint-url", world.url, "--wait", "60", "--json")
    faults = {alarm["name"]: alarm["faults"] for alarm in json.loads(ran.out)["alarms"]}
    assert faults == {
        "silent": ["it has no action for ALARM: nobody is notified"],
        "off": ["its actions are switched off: nobody is notified"],
    }


def test_a_command_that_has_ended_promises_no_other_try(cli: Cli, world: TroubleWorld) -> None:
    world.on("cloudwatch", "DescribeAlarms", Fault("InternalFailure", "no", 500))
    for form in ("--json", "--table", "--markdown"):
        ran = cli("snapshot", "--endpoint-url", world.url, "--wait", "5", form)
        assert "alarms is failed: cloudwatch:DescribeAlarms" in ran.err
        assert "It will be tried again" not in ran.out + ran.err


def test_denied_alarms_are_not_no_alarms(cli: Cli, world: TroubleWorld) -> None:
    world.deny("cloudwatch", "DescribeAlarms")
    ran = cli("snapshot", "--endpoint-url", world.url, "--wait", "60")
    words = section(ran.out, "ALARMS IN STATE ALARM")
    assert words == "not known (cloudwatch:DescribeAlarms denied)"


@pytest.mark.usefixtures("world")
def test_incidents_have_what_the_contract_says(cli: Cli) -> None:
    with running(TroubleWorld(3)) as world:
        ran = cli("snapshot", "--endpoint-url", world.url, "--wait", "60", "--json")
    seen = json.loads(ran.out)
    assert seen["incidents"]
    for incident in seen["incidents"]:
        assert {"id", "severity", "since", "cause", "findings", "suggests"} <= incident.keys()
        assert incident["cause"].keys() == {"detector", "target"}
        assert incident["findings"][0] == incident["cause"]
    assert len({incident["id"] for incident in seen["incidents"]}) == len(seen["incidents"])
