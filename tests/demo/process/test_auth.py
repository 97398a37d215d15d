"""With ``auth`` the emulator evaluates IAM policies, and the repairs do not stand in front of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws

from lambdatop.demo.process.launch import start

pytestmark = pytest.mark.wire


@pytest.fixture
def reader() -> Iterator[Aws]:
    """Yield clients of a user who may list functions and nothing else."""
    statement = {"Effect": "Allow", "Action": ["lambda:ListFunctions"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with start(deploy=False, auth=True) as demo:
        root = Aws(demo)
        root.iam.create_user(UserName="reader")
        root.iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=policy)
        key = root.iam.create_access_key(UserName="reader")["AccessKey"]
        root.close()
        user = Aws(replace(demo, access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"]))
        yield user
        user.close()


def test_what_the_policy_does_not_allow_is_denied(reader: Aws) -> None:
    assert reader.functions.list_functions()["Functions"] == []
    now = time.time()
    with pytest.raises(ClientError) as metrics:
        reader.cloudwatch.get_metric_data(MetricDataQueries=[], StartTime=now - 60, EndTime=now)
    with pytest.raises(ClientError) as throttle:
        reader.functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    assert metrics.value.response["Error"]["Code"].startswith("AccessDenied")
    assert throttle.value.response["Error"]["Code"].startswith("AccessDenied")


def test_the_demos_own_deployment_cannot_be_combined_with_auth() -> None:
    with pytest.raises(ValueError, match="not signed"):
        start("calm", auth=True)
