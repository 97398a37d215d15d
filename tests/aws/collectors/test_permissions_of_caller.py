"""Preflight: who is simulated, what is asked, and that nothing that goes wrong looks like a failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE, Bench
from fakes.wire_stub import Fault, Hang, WireStub

from lambdatop.aws.collectors.permissions import ACTIONS_A_CALL, PermissionsSource
from lambdatop.demo.process.launch import Demo
from lambdatop.domain.facts.permissions import Permissions
from lambdatop.domain.keys import Scope
from lambdatop.domain.mitigations.registry import iam_actions
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.events import PermissionsObserved

from ..conftest import MakeBench
from ..test_emulator import _boto

pytestmark = [pytest.mark.sdk, pytest.mark.wire]

USER = f"arn:aws:iam::{ACCOUNT}:user/ops/kim"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_ops_1a2b/kim@example.com"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_ops_1a2b"
PUT, MAP, PURGE = "lambda:PutFunctionConcurrency", "lambda:UpdateEventSourceMapping", "sqs:PurgeQueue"
SIMULATE = "SimulatePrincipalPolicy"


def results(params: dict[str, Any], decide: Callable[[str, str], str | list[str]]) -> dict[str, Any]:
    """Return IAM's answer: a decision by action and resource, or the context keys that are missing."""
    found = []
    for action in params["ActionNames"]:
        resource = (params.get("ResourceArns") or ["*"])[0]
        said = decide(action, resource)
        lacking = said if isinstance(said, list) else []
        decision = "implicitDeny" if lacking else said
        specific = {"EvalResourceName": resource, "EvalResourceDecision": decision}
        one = {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision}
        if resource == "*":
            found.append(one | {"MissingContextValues": lacking})
        else:
            found.append(one | {"ResourceSpecificResults": [specific | {"MissingContextValues": lacking}]})
    return {"EvaluationResults": found, "IsTruncated": "false"}


async def asked(made: Any, identity: str, actions: tuple[str, ...] | None = None) -> Permissions:
    [event] = await PermissionsSource(made.api, SCOPE, identity, actions).collect(made.view())
    assert isinstance(event, PermissionsObserved)
    assert event.scope == SCOPE
    return event.permissions


async def test_all_actions_are_asked_about_in_one_call(stub: WireStub, bench: MakeBench) -> None:
    stub.on("iam", SIMULATE, lambda p: results(p, lambda action, _: "allowed"))
    found = await asked(bench(at=77.0), USER)
    assert (found.at, found.why) == (77.0, "")
    assert found.answers == dict.fromkeys(iam_actions(), "yes")
    [call] = stub.calls(SIMULATE)
    assert call["PolicySourceArn"] == USER
    assert tuple(call["ActionNames"]) == iam_actions()
    assert "ResourceArns" not in call
    [entry] = call["ContextEntries"]
    assert (entry["ContextKeyName"], entry["ContextKeyValues"]) == ("aws:RequestedRegion", [REGION])


async def test_a_session_is_its_role_by_the_arn_that_holds_the_path(stub: WireStub, bench: MakeBench) -> None:
    stub.on("iam", "GetRole", {"Role": {"RoleName": "AWSReservedSSO_ops_1a2b", "Arn": ROLE}})
    stub.on("iam", SIMULATE, lambda p: results(p, lambda action, _: "allowed"))
    made = bench()
    source = PermissionsSource(made.api, SCOPE, SESSION)
    for _ in range(2):
        await source.collect(made.view())
    assert stub.calls("GetRole") == [{"RoleName": "AWSReservedSSO_ops_1a2b"}], "it is looked up once"
    assert [call["PolicySourceArn"] for call in stub.calls(SIMULATE)] == [ROLE, ROLE]


async def test_without_get_role_a_role_without_a_path_is_still_found(
    stub: WireStub, bench: MakeBench
) -> None:
    stub.on("iam", "GetRole", Fault("AccessDenied", status=403))
    stub.on("iam", SIMULATE, lambda p: results(p, lambda action, _: "allowed"))
    found = await asked(bench(), f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/ann", (PUT,))
    assert found.of((PUT,)) == "yes"
    assert stub.calls(SIMULATE)[-1]["PolicySourceArn"] == f"arn:aws:iam::{ACCOUNT}:role/ops"
    stub.on("iam", SIMULATE, Fault("NoSuchEntity", status=404))
    found = await asked(bench(), SESSION, (PUT,))
    assert found.of((PUT,)) == "unknown"
    assert found.why.startswith("iam:GetRole is denied"), "what is missing is named, not what it led to"


async def test_a_policy_that_names_resources_is_no_refusal(stub: WireStub, bench: MakeBench) -> None:
    place = f"{REGION}:{ACCOUNT}"
    allowed = {
        (PUT, f"arn:aws:lambda:{place}:function:*"),
        (MAP, f"arn:aws:lambda:{place}:event-source-mapping:*"),
        ("events:DisableRule", f"arn:aws:events:{place}:rule/*"),
    }
    stub.on(
        "iam",
        SIMULATE,
        lambda p: results(
            p,
            lambda action, resource: (
                "explicitDeny"
                if action == "lambda:UpdateAlias"
                else "allowed"
                if (action, resource) in allowed
                else "implicitDeny"
            ),
        ),
    )
    actions = (PUT, MAP, PURGE, "lambda:UpdateAlias", "events:DisableRule")
    found = await asked(bench(), USER, actions)
    assert [found.answers[action] for action in actions] == ["yes", "yes", "no", "no", "yes"]
    again = [(call["ActionNames"], call["ResourceArns"]) for call in stub.calls(SIMULATE)[1:]]
    assert ([PURGE], [f"arn:aws:sqs:{place}:*"]) in again
    assert len(again) == 4
    assert not any("lambda:UpdateAlias" in names for names, _ in again), "an explicit deny is one everywhere"


async def test_conditions_that_a_simulation_cannot_weigh_are_unknown_and_named(
    stub: WireStub, bench: MakeBench
) -> None:
    hostile = "aws:\u202eSourceIp"

    def decide(action: str, resource: str) -> str | list[str]:
        if action == PURGE:
            return ["aws:MultiFactorAuthPresent", hostile]
        return ["lambda:FunctionArn"] if resource != "*" else "implicitDeny"

    stub.on("iam", SIMULATE, lambda p: results(p, decide))
    found = await asked(bench(), USER, (PURGE, MAP))
    assert dict(found.answers) == {PURGE: "unknown", MAP: "unknown"}
    assert "aws:MultiFactorAuthPresent" in found.why
    assert "lambda:FunctionArn" in found.why
    assert "\u202e" not in found.why


async def test_pages_are_followed_and_long_lists_cut(stub: WireStub, bench: MakeBench) -> None:
    actions = tuple(f"lambda:Action{n}" for n in range(ACTIONS_A_CALL + 1))

    def reply(p: dict[str, Any]) -> dict[str, Any]:
        if len(p["ActionNames"]) == 1:
            return results(p, lambda action, _: "allowed")
        half = p["ActionNames"][:50] if "Marker" not in p else p["ActionNames"][50:]
        page = results(p | {"ActionNames": half}, lambda action, _: "allowed")
        return page if "Marker" in p else page | {"IsTruncated": "true", "Marker": "m-1"}

    stub.on("iam", SIMULATE, reply)
    found = await asked(bench(), USER, actions)
    assert found.of(actions) == "yes"
    assert [(len(c["ActionNames"]), c.get("Marker")) for c in stub.calls(SIMULATE)] == [
        (ACTIONS_A_CALL, None),
        (ACTIONS_A_CALL, "m-1"),
        (1, None),
    ]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Fault("AccessDenied", status=403), "iam:SimulatePrincipalPolicy is denied"),
        (Fault("Throttling", status=400), "throttled"),
        (Fault("NotImplemented", "no such operation here", status=501), "is not there at this endpoint"),
        (Fault("ExpiredToken", status=403), "expired"),
        (Hang(), "did not answer in time"),
    ],
    ids=lambda value: value.code if isinstance(value, Fault) else None,
)
async def test_what_cannot_be_asked_is_unknown_with_the_reason(
    answer: Any, says: str, stub: WireStub, bench: MakeBench
) -> None:
    stub.on("iam", SIMULATE, answer)
    found = await asked(bench(silence_s=2.0), USER)
    assert found.answers == dict.fromkeys(iam_actions(), "unknown")
    assert says in found.why


async def test_a_second_question_that_fails_leaves_no_false_no(stub: WireStub, bench: MakeBench) -> None:
    stub.on(
        "iam",
        SIMULATE,
        lambda p: results(p, lambda action, _: "allowed" if action == MAP else "implicitDeny"),
        Fault("Throttling", status=400),
    )
    found = await asked(bench(), USER, (PUT, MAP, PURGE))
    assert dict(found.answers) == {PUT: "unknown", MAP: "yes", PURGE: "unknown"}
    assert "throttled" in found.why


@pytest.mark.parametrize(
    "identity",
    [
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:sts::{ACCOUNT}:federated-user/kim",
        f"arn:aws:sts::{ACCOUNT}:assumed-role",
        "kim",
        "",
    ],
)
async def test_nobody_else_is_simulated_and_nothing_is_asked(
    identity: str, stub: WireStub, bench: MakeBench
) -> None:
    found = await asked(bench(), identity, (PUT,))
    assert dict(found.answers) == {PUT: "unknown"}
    assert "does not simulate" in found.why or "users and roles only" in found.why
    assert stub.received == []


@pytest.fixture
def roles(emulator: Demo) -> dict[str, str]:
    """Create two roles with a path.

    `narrow` may do one thing on functions of this region, `nothing` nothing.
    """
    iam = _boto(emulator, "iam")
    place = f"{emulator.region}:{emulator.account}"
    statement = {"Effect": "Allow", "Action": PUT, "Resource": f"arn:aws:lambda:{place}:function:*"}
    for name in ("narrow", "nothing"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}", Path="/team/")
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="narrow", PolicyName="p", PolicyDocument=document)
    return {n: f"arn:aws:sts::{emulator.account}:assumed-role/{n}/ann" for n in ("narrow", "nothing")}


async def test_roles_of_the_emulator(emulator: Demo, roles: dict[str, str]) -> None:
    made = Bench(emulator.endpoint_url, session_token=emulator.session_token)
    scope = Scope(emulator.account, emulator.region)
    answers = {}
    for name, identity in roles.items():
        [event] = await PermissionsSource(made.api, scope, identity, (PUT, PURGE)).collect(View(0.0))
        assert isinstance(event, PermissionsObserved)
        answers[name] = dict(event.permissions.answers)
    await made.close()
    assert answers == {"narrow": {PUT: "yes", PURGE: "no"}, "nothing": {PUT: "no", PURGE: "no"}}
