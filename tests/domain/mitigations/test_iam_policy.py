"""The printed policies: what the mitigations and the reads declare, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.approved import compare
from fakes.shown_plans import plans
from fakes.worlds import NOW, ORDERS, queue
from msgspec.structs import replace

from lambdatop.aws.sdk.walls.allowlist import iam_action
from lambdatop.domain.mitigations import iam_policy, schedules
from lambdatop.domain.mitigations.drain import KMS, SERVICE
from lambdatop.domain.mitigations.iam_policy import (
    LEASE_ACTION,
    PLACEHOLDERS,
    POLICIES,
    Policy,
    PolicyName,
    policy,
    resource_of,
)
from lambdatop.domain.mitigations.registry import REGISTRY, calls, iam_actions, plan
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Call, Plan
from lambdatop.domain.plans.situation import QueueSituation

READS = ("lambda:ListFunctions", "logs:FilterLogEvents", "sqs:GetQueueAttributes", "iam:GetRole")

# What holds a permission to write and no mitigation of this version sends: code, policies, roles, messages.
NEVER = (
    "lambda:UpdateFunctionConfiguration",
    "lambda:UpdateFunctionCode",
    "lambda:AddPermission",
    "lambda:RemovePermission",
    "lambda:InvokeFunction",
    "states:RedriveExecution",
    "s3:PutBucketNotification",
    "sns:SetSubscriptionAttributes",
    "dynamodb:PutItem",
)


def sent(p: Plan) -> Iterator[Call]:
    """Yield every call of a plan, of its steps and of their undos."""
    for one in (p, *p.steps):
        yield one.call
        if one.undo is not None:
            yield one.undo


def test_the_declared_calls_are_those_that_plans_and_their_undos_send() -> None:
    found: dict[str, set[tuple[str, str]]] = {name: set() for name in REGISTRY}
    for p in plans().values():
        found[p.mitigation] |= {(c.service, c.operation) for c in sent(p) if c.service != SERVICE}
        found[p.mitigation] |= {schedules.CALLS[0] for c in sent(p) if c.operation == schedules.OPERATION}
    for name, declared in REGISTRY.items():
        assert found[name] <= set(declared.calls), name
        assert declared.calls, name
    assert set().union(*found.values()) == calls()


def test_each_call_is_granted_where_its_mitigation_says() -> None:
    elevated = ("PurgeQueue", "UpdateSchedule", "StopExecution", "StopDurableExecution")
    names = dict.fromkeys(elevated, "operator-elevated")
    for name, declared in REGISTRY.items():
        for service, operation in declared.calls:
            needed: PolicyName = names.get(operation, "operator")  # type: ignore[assignment]
            assert iam_action(service, operation) in policy(needed, READS).actions, (name, operation)


def test_every_granted_change_is_needed_by_a_mitigation_or_the_lease() -> None:
    granted = {a for name in ("operator", "operator-elevated") for a in policy(name, READS).actions}
    assert granted <= {*iam_actions(), LEASE_ACTION}
    assert granted | set(READS) >= set(iam_actions())


def test_the_policies_are_as_they_were_approved() -> None:
    """Compare what `lambdatop policy` prints, with a few reads instead of all."""
    made = {name: policy(name, READS) for name in POLICIES}
    texts = [
        json.dumps({name: {"document": p.document, "optional": p.optional}}, indent=1)
        for name, p in made.items()
    ]
    compare(Path(__file__).parent / "policies.txt", "\n".join(texts) + "\n")


@pytest.mark.parametrize("name", POLICIES)
def test_nothing_dangerous_and_no_pattern_of_actions_is_granted(name: PolicyName) -> None:
    actions = policy(name, READS).actions
    assert not set(NEVER) & set(actions)
    assert not [a for a in actions if "*" in a]
    assert len(actions) == len(set(actions))


@pytest.mark.parametrize(
    ("action", "sid"), [("apigateway:PATCH", "ChangeWithoutResource"), ("kms:Sign", "ChangeKms")]
)
def test_an_action_on_a_resource_that_nobody_named_has_a_statement(
    monkeypatch: pytest.MonkeyPatch, action: str, sid: str
) -> None:
    """A new mitigation may send what no pattern of `resource_of` covers."""
    spec = replace(REGISTRY["stop_recursion"], iam=(action,), iam_elevated=(action,))
    monkeypatch.setattr(iam_policy, "REGISTRY", {"new": spec})
    for name in ("operator", "operator-elevated"):
        (found,) = (s for s in policy(name, READS).document["Statement"] if action in s["Action"])
        assert (found["Sid"], found["Resource"]) == (sid, resource_of(action))


def test_what_cannot_be_undone_is_in_the_elevated_policy_alone_and_asks_for_mfa() -> None:
    elevated = {s["Sid"]: s for s in policy("operator-elevated", READS).document["Statement"]}
    executions, queues = elevated["StopDurableExecutions"], elevated["EmptyQueues"]
    assert queues["Action"] == ["sqs:PurgeQueue", "sqs:ReceiveMessage", "sqs:DeleteMessage"]
    assert executions["Action"][0] == "lambda:StopDurableExecution"
    assert executions["Resource"] == "arn:aws:lambda:REGION:ACCOUNT_ID:function:*"
    for statement in (executions, queues):
        assert statement["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    assert "lambda:StopDurableExecution" not in policy("operator", READS).actions
    operator = {s["Sid"]: s for s in policy("operator", READS).document["Statement"]}
    assert operator["MoveDeadLetters"]["Resource"].endswith(":DLQ_NAME_PATTERN")
    assert "sqs:PurgeQueue" not in policy("operator", READS).actions


def test_a_role_is_passed_to_the_scheduler_alone_and_only_with_a_second_factor() -> None:
    granting = [
        (name, s)
        for name in POLICIES
        for s in policy(name, READS).document["Statement"]
        if {"iam:PassRole", "scheduler:UpdateSchedule", "states:StopExecution"} & set(s["Action"])
    ]
    assert {name for name, _ in granting} == {"operator-elevated"}
    assert all(s["Condition"]["Bool"] == {"aws:MultiFactorAuthPresent": "true"} for _, s in granting)
    (passing,) = (s for _, s in granting if s["Action"] == ["iam:PassRole"])
    assert passing["Resource"] == "arn:aws:iam::ACCOUNT_ID:role/SCHEDULE_ROLE_WITH_PATH"
    assert passing["Condition"]["StringEquals"] == {"iam:PassedToService": "scheduler.amazonaws.com"}


def test_reads_are_not_repeated_by_the_policies_on_top() -> None:
    for name in POLICIES[1:]:
        assert not set(READS) & set(policy(name, READS).actions)


def test_logs_are_held_to_log_groups_and_the_own_role_to_itself() -> None:
    by_sid = {s["Sid"]: s for s in policy("read-only", READS).document["Statement"]}
    assert all("/aws/lambda/*" in arn for arn in by_sid["ReadLogsOfLambda"]["Resource"])
    assert all("LOG_GROUP_PATTERN" in arn for arn in by_sid["ReadLogsElsewhere"]["Resource"])
    assert by_sid["AskForOwnPermissions"]["Resource"].endswith("LAMBDATOP_ROLE_WITH_PATH")
    logs = ["logs:FilterLogEvents", "logs:StartLiveTail", "logs:StartQuery"]
    assert by_sid["ReadLogsOfLambda"]["Action"] == by_sid["ReadLogsElsewhere"]["Action"] == logs
    assert by_sid["AskForOwnPermissions"]["Action"] == ["iam:GetRole", "iam:SimulatePrincipalPolicy"]
    lease = {s["Sid"]: s for s in policy("operator", READS).document["Statement"]}["LeaseTable"]
    assert lease["Action"] == [LEASE_ACTION] == ["dynamodb:UpdateItem"]
    assert {"REGION", "ACCOUNT_ID"} <= set(PLACEHOLDERS)
    assert Policy.__struct_config__.frozen


@pytest.mark.parametrize("name", POLICIES)
def test_every_placeholder_is_known_and_every_word_about_a_statement_has_one(name: PolicyName) -> None:
    made = policy(name, READS)
    text = json.dumps(made.document)
    for word in PLACEHOLDERS:
        text = text.replace(word, "")
    assert "_" not in text.replace(",", " ")
    assert set(made.optional) <= {s["Sid"] for s in made.document["Statement"]}


@pytest.mark.parametrize(
    ("action", "ends"),
    [
        ("lambda:UpdateAlias", ":function:*"),
        ("lambda:UpdateEventSourceMapping", ":event-source-mapping:*"),
        ("events:DisableRule", ":rule/*"),
        ("sqs:PurgeQueue", "ACCOUNT_ID:*"),
        ("kms:Decrypt", ":key/KMS_KEY_ID"),
        ("dynamodb:UpdateItem", ":table/LEASE_TABLE"),
        ("scheduler:UpdateSchedule", ":schedule/*"),
        ("pipes:StopPipe", ":pipe/*"),
        ("states:StopExecution", ":execution:*"),
        ("iam:PassRole", ":role/SCHEDULE_ROLE_WITH_PATH"),
        ("iam:GetRole", "*"),
    ],
)
def test_resources(action: str, ends: str) -> None:
    assert resource_of(action).endswith(ends)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("redrive_dlq", {}),
        ("quarantine_queue", {"to": "file"}),
        ("quarantine_queue", {"to": "arn:aws:sqs:eu-central-1:111122223333:aside"}),
    ],
)
def test_a_queue_with_a_key_of_kms_needs_the_key_too(name: str, params: dict[str, str]) -> None:
    for key, needed in ((None, False), ("arn:aws:kms:eu-central-1:111122223333:key/1", True)):
        q = queue(ORDERS, visible=3, kms_key=key)
        situation = QueueSituation(Ref(q.key, q.arn, q.name), NOW, q, dead_letters_of=("orders",))
        planned = plan(name, situation, params, NOW, "p")
        assert isinstance(planned, Plan), planned
        assert (set(KMS) <= set(planned.iam_actions)) is needed
