"""ARNs that lambdatop builds, and answers about a target that came from elsewhere."""

from __future__ import annotations

import pytest
from fakes.worlds import MAPPING, NOW, ORDERS, SCOPE, WORKER, function, mapping, queue
from msgspec.structs import replace

from lambdatop.domain.facts.arns import bus_arn, function_arn, is_elsewhere, partition, queue_arn
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.mitigations.elsewhere import answered_elsewhere
from lambdatop.domain.mitigations.registry import plan, plan_undo
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Call, Plan
from lambdatop.domain.plans.situation import (
    FunctionSituation,
    MappingSituation,
    QueueSituation,
    RuleSituation,
)

CHINA = Scope("111122223333", "cn-north-1")
ELSEWHERE = ("222222222222", SCOPE.region), (SCOPE.account, "us-east-1")


def _arn(service: str, resource: str, account: str = SCOPE.account, region: str = SCOPE.region) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


@pytest.mark.parametrize(
    ("region", "name"),
    [
        ("eu-central-1", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_the_region_tells_the_partition_where_aws_has_not(region: str, name: str) -> None:
    assert partition(region) == name
    assert function_arn(Scope("1" * 12, region), "f") == f"arn:{name}:lambda:{region}:{'1' * 12}:function:f"


def test_of_what_aws_told_only_the_partition_counts() -> None:
    told = "arn:aws-new:lambda:us-east-1:222222222222:function:other:live"
    assert function_arn(SCOPE, "f", told) == "arn:aws-new:lambda:eu-central-1:111122223333:function:f"
    assert function_arn(SCOPE, "f", "no ARN") == "arn:aws:lambda:eu-central-1:111122223333:function:f"
    assert bus_arn(CHINA, "aws.partner/shop/1") == (
        "arn:aws-cn:events:cn-north-1:111122223333:event-bus/aws.partner/shop/1"
    )
    assert queue_arn(ORDERS) == queue(ORDERS).arn


@pytest.mark.parametrize(("account", "region"), ELSEWHERE)
def test_an_answer_from_elsewhere_makes_no_plan(account: str, region: str) -> None:
    there = Scope(account, region)
    f = _arn("lambda", "function:orders-worker", account, region)
    on_function = FunctionSituation(Ref(WORKER, f, WORKER.id), NOW, replace(function(), arn=f), None)
    rule_key = Key(SCOPE, "rule", "default/nightly")
    on_rule = RuleSituation(
        Ref(rule_key, _arn("events", "rule/nightly", account, region), "nightly"),
        NOW, "nightly", "default", "ENABLED", "", "", (),
    )  # fmt: skip
    facts = queue(Key(there, "queue", "orders"), arn=_arn("sqs", "orders", account, region))
    on_queue = QueueSituation(Ref(facts.key, facts.arn, "orders"), NOW, facts)
    for situation in (on_function, on_rule, on_queue):
        refused = answered_elsewhere("m", SCOPE, situation)
        assert refused is not None
        assert f"not in {SCOPE}" in refused.reason
        assert "lambdatop doctor" in refused.hint


@pytest.mark.parametrize(
    "url",
    [
        "https://sqs.eu-central-1.amazonaws.com/222222222222/orders",
        "http://localhost:9324/queue/orders",
        "orders",
        "",
    ],
)
def test_a_queue_url_that_does_not_hold_the_account_makes_no_plan(url: str) -> None:
    facts = queue(ORDERS, url=url)
    assert answered_elsewhere("m", SCOPE, QueueSituation(Ref(ORDERS, facts.arn, "orders"), NOW, facts))


def test_what_is_of_this_connection_or_names_no_arn_is_no_reason() -> None:
    here = FunctionSituation(Ref(WORKER, function().arn, WORKER.id), NOW, function(), None)
    unnamed = replace(here, ref=Ref(WORKER, "", WORKER.id), facts=replace(function(), arn=""))
    at_queue = QueueSituation(Ref(ORDERS, queue(ORDERS).arn, "orders"), NOW, queue(ORDERS))
    slash = replace(at_queue, facts=queue(ORDERS, url=f"{queue(ORDERS).url}/"))
    at_mapping = MappingSituation(Ref(MAPPING, MAPPING.id, "x"), NOW, mapping())
    for situation in (here, unnamed, at_queue, slash, at_mapping):
        assert answered_elsewhere("m", SCOPE, situation) is None
    assert not is_elsewhere(SCOPE, "")
    proposal = plan("throttle_to_zero", unnamed, {}, NOW, "p")
    assert isinstance(proposal, Plan)
    assert proposal.call.params["FunctionName"] == _arn("lambda", "function:orders-worker")


def test_an_entry_of_an_older_version_is_undone_exactly_as_it_says() -> None:
    """Its calls hold bare names, and so does the command that is shown."""
    undo = Call("lambda", "PutFunctionConcurrency", {"FunctionName": "orders-worker"})
    undo = replace(undo, params={**undo.params, "ReservedConcurrentExecutions": 7})
    call = replace(undo, params={**undo.params, "ReservedConcurrentExecutions": 0})
    before, after = {"reserved_concurrency": 7}, {"reserved_concurrency": 0}
    entry = Entry(
        "old", NOW, "throttle_to_zero", WORKER, function().arn, "me", "h", 1, call, before, after, undo, None,
        "d", "applied", NOW,
    )  # fmt: skip
    proposal = plan_undo(entry, after, NOW, "u")
    assert isinstance(proposal, Plan)
    assert (proposal.call, proposal.undo) == (undo, call)
    assert "--function-name orders-worker " in proposal.cli
