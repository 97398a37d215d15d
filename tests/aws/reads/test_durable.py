"""Durable executions: which run, of every version, and what one of them has done."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.reads.durable import EVENT_PAGES, MOST_PAGES, MOST_VERSIONS, DurableReads
from lambdatop.aws.sdk.walls.guard import GuardRefusal
from lambdatop.domain.errors import Denied, SourceError
from lambdatop.domain.facts.durable import RunningExecutions
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.keys import Key

from ..conftest import MakeBench

pytestmark = [pytest.mark.wire, pytest.mark.sdk]

FN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:saga"
SAGA = Key(SCOPE, "function", "saga")
LIST, GET, HISTORY = "ListDurableExecutionsByFunction", "GetDurableExecution", "GetDurableExecutionHistory"
DENIED = Fault("AccessDeniedException", status=403)
BIDI = "\N{RIGHT-TO-LEFT OVERRIDE}"


def one(name: str, version: str, at: float = 1e9, **changes: Any) -> dict[str, Any]:
    arn = f"{FN}:{version}/durable-execution/{name}/id-{name}"
    made = {"DurableExecutionArn": arn, "DurableExecutionName": name, "FunctionArn": f"{FN}:{version}"}
    return made | {"Status": "RUNNING", "StartTimestamp": at} | changes


def versions(stub: WireStub, *names: str, aliases: Any = ()) -> None:
    stub.on("lambda", "ListVersionsByFunction", {"Versions": [{"Version": v} for v in names]})
    found = aliases if isinstance(aliases, Fault) else {"Aliases": list(aliases)}
    stub.on("lambda", "ListAliases", found)


async def running(bench: MakeBench) -> RunningExecutions:
    return await DurableReads(bench().api, SCOPE).running(SAGA)


async def test_every_version_is_asked_for_what_runs_oldest_first(stub: WireStub, bench: MakeBench) -> None:
    live = {"Name": "live", "FunctionVersion": "2", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1}}}
    versions(stub, "$LATEST", "1", "2", aliases=[live])
    there = {"1": [one("b", "1", 5.0), one("c", "1", 9.0)], "2": [one("a", "2", 7.0)]}
    stub.on("lambda", LIST, lambda p: {"DurableExecutions": there.get(p["Qualifier"], [])})
    found = await running(bench)
    assert [(of.version, of.words, of.aliases) for of in found.versions] == [
        ("$LATEST", "0", ()),
        ("1", "2", ("live",)),
        ("2", "1", ("live",)),
    ]
    assert [each.path for _, each in found.listed] == ["1/b/id-b", "2/a/id-a", "1/c/id-c"]
    assert found.gaps == ()
    for asked in stub.calls(LIST):
        assert (asked["FunctionName"], asked["Statuses"], asked["ReverseOrder"]) == (FN, ["RUNNING"], True)


async def test_what_is_denied_of_one_version_is_not_known_of_that_one(
    stub: WireStub, bench: MakeBench
) -> None:
    versions(stub, "$LATEST", "1", aliases=DENIED)
    stub.on(
        "lambda",
        LIST,
        lambda p: DENIED if p["Qualifier"] == "1" else {"DurableExecutions": [one("a", "$LATEST")]},
    )
    found = await running(bench)
    latest, first = found.versions
    assert isinstance(first.running, NotKnown)
    assert first.words == f"not known (lambda:{LIST} denied)"
    assert latest.words == "1"
    assert found.gaps == (
        f"how many executions of version 1 run is not known (lambda:{LIST} denied)",
        "which aliases point at these versions is not known (lambda:ListAliases denied)",
    )


async def test_without_the_versions_nothing_is_known(stub: WireStub, bench: MakeBench) -> None:
    versions(stub)
    stub.on("lambda", "ListVersionsByFunction", DENIED)
    with pytest.raises(Denied):
        await running(bench)


async def test_only_the_newest_versions_and_those_in_use_are_asked_about(
    stub: WireStub, bench: MakeBench
) -> None:
    names = [str(n) for n in range(1, MOST_VERSIONS + 11)]
    versions(stub, "$LATEST", *names, aliases=[{"Name": "old", "FunctionVersion": "3"}])
    stub.on("lambda", LIST, {"DurableExecutions": []})
    found = await running(bench)
    assert [of.version for of in found.versions] == ["$LATEST", "3", *names[10:]]
    assert found.unasked == 9
    assert found.gaps == ("executions of 9 older versions were not asked for",)


async def test_pages_are_bounded_and_it_is_said_that_there_are_more(stub: WireStub, bench: MakeBench) -> None:
    versions(stub, "$LATEST")
    pages = [{"DurableExecutions": [one(f"n{n}", "$LATEST")], "NextMarker": str(n)} for n in range(9)]
    stub.on("lambda", LIST, *pages)
    (of,) = (await running(bench)).versions
    assert (of.words, of.more) == (f"{MOST_PAGES} or more", True)
    assert [call.get("Marker") for call in stub.calls(LIST)] == [None, "0"]


@pytest.mark.parametrize(
    "arn",
    [
        f"{FN}:1/durable-execution/a/{BIDI}b",
        f"{FN}:1/durable-execution/a",
        f"{FN}x:1/durable-execution/a/b",
        f"arn:aws:lambda:{REGION}:999999999999:function:saga:1/durable-execution/a/b",
        f"{FN}:live/durable-execution/a/b",
        f"{FN}:1/other/a/b",
    ],
)
async def test_an_arn_that_is_none_of_its_executions_is_not_listed_but_said(
    arn: str, stub: WireStub, bench: MakeBench
) -> None:
    versions(stub, "$LATEST")
    stub.on("lambda", LIST, {"DurableExecutions": [one("a", "1", DurableExecutionArn=arn), one("ok", "1")]})
    (of,) = (await running(bench)).versions
    assert (of.words, of.more) == ("1 or more", True)


async def test_what_has_ended_while_it_was_listed_is_left_out(stub: WireStub, bench: MakeBench) -> None:
    versions(stub, "$LATEST")
    listed = [one("a", "$LATEST", Status="SUCCEEDED"), one("b", "$LATEST")]
    stub.on("lambda", LIST, {"DurableExecutions": listed})
    (of,) = (await running(bench)).versions
    assert (of.words, of.more) == ("1", False)


async def test_the_status_of_one_is_read_without_its_data(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", GET, one("a", "1"), Fault("ResourceNotFoundException", status=404), DENIED)
    reads = DurableReads(bench().api, SCOPE)
    assert await reads.status(SAGA, "1/a/id-a") == "RUNNING"
    assert await reads.status(SAGA, "1/a/id-a") is None
    with pytest.raises(Denied):
        await reads.status(SAGA, "1/a/id-a")
    asked = stub.calls(GET)[0]
    assert asked == {
        "DurableExecutionArn": f"{FN}:1/durable-execution/a/id-a",
        "IncludeExecutionData": False,
    }


async def test_an_answer_without_a_status_is_no_status(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", GET, {"DurableExecutionName": "a"})
    with pytest.raises(SourceError):
        await DurableReads(bench().api, SCOPE).status(SAGA, "1/a/id-a")


def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
    made = {"EventId": number, "EventType": kind, "EventTimestamp": 1e9 + number}
    return made | details


def failed(number: int, message: str, attempt: int) -> dict[str, Any]:
    error = {"Payload": {"ErrorType": "TimeoutError", "ErrorMessage": message, "ErrorData": "secret"}}
    details = {"Error": error, "RetryDetails": {"CurrentAttempt": attempt, "NextAttemptDelaySeconds": 30}}
    return event(number, "StepFailed", Id="s1", Name="charge", StepFailedDetails=details)


async def test_a_history_names_steps_attempts_and_errors_the_newest_first(
    stub: WireStub, bench: MakeBench
) -> None:
    ended = {"StartTimestamp": 1.0, "EndTimestamp": 2.0, "RequestId": "r"}
    crash = ended | {"Error": {"Payload": {"ErrorType": "Runtime.ExitError", "ErrorMessage": "killed"}}}
    told = [
        event(8, "InvocationCompleted", InvocationCompletedDetails=crash),
        event(7, "InvocationCompleted", InvocationCompletedDetails=ended),
        failed(6, f"no answer\nfrom {BIDI}bank", 2),
        event(5, "StepStarted", Id="s1", Name="charge", StepStartedDetails={}),
        failed(4, "first", 1),
        event(3, "StepStarted", Id="s1", Name="charge", StepStartedDetails={}),
        event(2, "WaitSucceeded", Id="w1", Name="settle", WaitSucceededDetails={"Duration": 5}),
    ]
    stub.on("lambda", GET, one("a", "1", DurableConfig={"ExecutionTimeout": 3600}))
    stub.on("lambda", HISTORY, {"Events": told})
    found = await DurableReads(bench().api, SCOPE).history(SAGA, "1/a/id-a")
    assert (found.status, found.timeout_s, found.events, found.more) == ("RUNNING", 3600, 7, False)
    assert (found.invocations, found.failed, found.last_failure) == (2, 1, "Runtime.ExitError: killed")
    assert not isinstance(found.operations, NotKnown)
    charge, settle = found.operations
    assert (charge.name, charge.kind, charge.state) == ("charge", "Step", "Failed")
    assert (charge.attempts, charge.again_s) == (2, 30)
    assert charge.error.startswith("TimeoutError: no answer")
    assert BIDI not in charge.error
    assert "secret" not in charge.error
    assert (settle.name, settle.kind, settle.state, settle.error) == ("settle", "Wait", "Succeeded", "")


async def test_a_long_history_is_read_from_its_end_and_is_said_to_be_longer(
    stub: WireStub, bench: MakeBench
) -> None:
    pages = [{"Events": [event(n, "ContextStarted", Id=str(n))], "NextMarker": str(n)} for n in range(9)]
    stub.on("lambda", GET, one("a", "1"))
    stub.on("lambda", HISTORY, *pages)
    found = await DurableReads(bench().api, SCOPE).history(SAGA, "1/a/id-a")
    assert (found.events, found.more) == (EVENT_PAGES, True)
    assert {call["ReverseOrder"] for call in stub.calls(HISTORY)} == {True}


async def test_a_history_that_is_denied_is_not_known_beside_what_is(stub: WireStub, bench: MakeBench) -> None:
    error = {"ErrorType": "Boom", "ErrorMessage": "it broke"}
    stub.on("lambda", GET, one("a", "1", Status="FAILED", EndTimestamp=2e9, Error=error))
    stub.on("lambda", HISTORY, DENIED)
    found = await DurableReads(bench().api, SCOPE).history(SAGA, "1/a/id-a")
    assert isinstance(found.operations, NotKnown)
    assert found.operations.action == f"lambda:{HISTORY}"
    assert (found.status, found.ended, found.error) == ("FAILED", 2e9, "Boom: it broke")


async def test_nothing_is_stopped_in_read_only_mode_nor_without_a_ticket(
    stub: WireStub, bench: MakeBench
) -> None:
    assert not hasattr(await bench(read_only=True).client("lambda"), "stop_durable_execution")
    client = await bench(read_only=False).client("lambda")
    with pytest.raises(GuardRefusal):
        await client.stop_durable_execution(DurableExecutionArn=f"{FN}:1/durable-execution/a/id-a")
    assert stub.received == []
