"""Two accounts on one emulator, with the same names in both: a change of one never reaches the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from demo.clients import Aws
from demo.mitigation_flow import MitigationFlow

from lambdatop.domain.plans.plan import Plan

pytestmark = pytest.mark.wire

OTHER = "222222222222"
CODE = "def handler(event, context):\n    return 1\n"
NAME = "worker"


class Namesake(Aws):
    """Clients of the other account, or of another region of the same one."""

    def __init__(self, aws: Aws, **place: str) -> None:
        super().__init__(aws.demo)
        self._place = place

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        if service not in self._clients:
            demo = self.demo
            keys = {"region_name": demo.region, "aws_access_key_id": demo.access_key, **self._place}
            self._clients[service] = boto3.client(
                {"functions": "lambda"}.get(service, service),
                endpoint_url=demo.endpoint_url,
                aws_secret_access_key=demo.secret_key,
                aws_session_token=demo.session_token,
                config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
                **keys,
            )
        return self._clients[service]


@pytest.fixture
def other(aws: Aws) -> Iterator[Namesake]:
    found = Namesake(aws, aws_access_key_id=OTHER)
    yield found
    found.close()


@pytest.fixture
def far(aws: Aws) -> Iterator[Namesake]:
    found = Namesake(aws, region_name="eu-west-1")
    yield found
    found.close()


def furnish(aws: Aws) -> None:
    """Create the same function, alias and rule, with everything that a mitigation would change."""
    aws.function(NAME, CODE)
    functions = aws.functions
    functions.publish_version(FunctionName=NAME)
    functions.update_function_configuration(FunctionName=NAME, Timeout=9)
    functions.publish_version(FunctionName=NAME)
    functions.create_alias(FunctionName=NAME, Name="live", FunctionVersion="2")
    functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=7)
    functions.put_function_event_invoke_config(FunctionName=NAME, MaximumRetryAttempts=1)
    functions.put_function_recursion_config(FunctionName=NAME, RecursiveLoop="Allow")
    aws.events.put_rule(Name="nightly", ScheduleExpression="rate(1 day)")


def retries(aws: Aws) -> int | None:
    """Return the retries, None where there is no configuration."""
    try:
        answer = aws.functions.get_function_event_invoke_config(FunctionName=NAME)
    except aws.functions.exceptions.ResourceNotFoundException:
        return None
    return int(answer["MaximumRetryAttempts"])


def settings(aws: Aws) -> str:
    functions = aws.functions
    found = (
        functions.get_function_concurrency(FunctionName=NAME).get("ReservedConcurrentExecutions"),
        retries(aws),
        functions.get_function_recursion_config(FunctionName=NAME)["RecursiveLoop"],
        functions.get_alias(FunctionName=NAME, Name="live")["FunctionVersion"],
        aws.events.describe_rule(Name="nightly")["State"],
    )
    return json.dumps(found)


PLANS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("throttle_to_zero", NAME, {}),
    ("cap_concurrency", NAME, {"reserved": 3}),
    ("restore_concurrency", NAME, {"reserved": "none"}),
    ("stop_async_retries", NAME, {}),
    ("restore_async", NAME, {"retries": "none"}),
    ("stop_recursion", NAME, {}),
    ("rollback_alias", f"{NAME}:live", {"version": "1"}),
    ("disable_rule", "nightly", {}),
)


def _sent(client: Aws, call: Any) -> None:
    service = {"lambda": "functions"}.get(call.service, call.service)
    getattr(getattr(client, service), xform_name(call.operation))(**call.params)


@pytest.mark.parametrize(("mitigation", "target", "params"), PLANS, ids=[p[0] for p in PLANS])
async def test_a_call_and_its_undo_reach_the_planned_thing_and_no_namesake(
    mitigation: str,
    target: str,
    params: dict[str, Any],
    aws: Aws,
    other: Namesake,
    far: Namesake,
    mitigation_flow: MitigationFlow,
) -> None:
    for place in (aws, other, far):
        furnish(place)
    before = settings(aws)
    assert before == settings(other) == settings(far)
    plan = await mitigation_flow.propose(mitigation, target, **params)
    assert isinstance(plan, Plan), plan
    assert plan.undo is not None
    for call in (plan.call, plan.undo):
        for client in (other, far):
            with pytest.raises(ClientError) as refused:
                _sent(client, call)
            assert refused.value.response["Error"]["Code"] in (
                "AccessDeniedException",
                "ResourceNotFoundException",
            )
    assert settings(other) == settings(far) == before
    result = await mitigation_flow.execute(plan)
    assert result.kind == "applied", result
    assert settings(aws) != before
    assert settings(other) == settings(far) == before
    undone = await mitigation_flow.undo()
    assert undone.kind == "applied", undone
    assert settings(aws) == before


READS: tuple[tuple[str, dict[str, str]], ...] = (
    ("get_function_configuration", {}),
    ("get_function_concurrency", {}),
    ("get_function_event_invoke_config", {}),
    ("list_function_event_invoke_configs", {}),
    ("get_function_recursion_config", {}),
    ("list_provisioned_concurrency_configs", {}),
    ("list_aliases", {}),
    ("list_versions_by_function", {}),
    ("list_function_url_configs", {}),
    ("get_alias", {"Name": "live"}),
)


@pytest.mark.parametrize(("operation", "more"), READS, ids=[r[0] for r in READS])
def test_a_read_by_arn_is_answered_at_home_and_refused_elsewhere(
    operation: str, more: dict[str, str], aws: Aws, other: Namesake, far: Namesake
) -> None:
    for place in (aws, other, far):
        furnish(place)
    arn = f"arn:aws:lambda:{aws.demo.region}:{aws.demo.account}:function:{NAME}"
    assert getattr(aws.functions, operation)(FunctionName=arn, **more)
    for place in (other, far):
        with pytest.raises(ClientError):
            getattr(place.functions, operation)(FunctionName=arn, **more)
