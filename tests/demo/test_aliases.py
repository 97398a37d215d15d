"""Versions and aliases over the wire."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws, wait_for

pytestmark = pytest.mark.wire

WHICH = (
    "def handler(event, context):\n    return [%r, context.function_version, context.invoked_function_arn]\n"
)


def _refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def _two_versions(aws: Aws) -> str:
    """Create a function with versions 1 and 2; return its ARN."""
    aws.function("api", WHICH % "one", Publish=True, Description="first")
    wait_for(lambda: aws.functions.get_function_configuration(FunctionName="api")["State"] == "Active")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", WHICH % "two")
    aws.functions.update_function_code(FunctionName="api", ZipFile=buffer.getvalue())
    answer = aws.functions.publish_version(FunctionName="api", Description="second")
    assert answer["Version"] == "2"
    return str(answer["FunctionArn"]).rpartition(":")[0]


def _call(aws: Aws, **request: Any) -> tuple[str, list[str]]:
    answer = aws.functions.invoke(FunctionName="api", **request)
    return answer["ExecutedVersion"], json.loads(answer["Payload"].read())


def test_versions_are_listed_with_what_tells_them_apart(aws: Aws) -> None:
    arn = _two_versions(aws)
    versions = aws.functions.list_versions_by_function(FunctionName="api")["Versions"]
    assert [v["FunctionArn"] for v in versions] == [f"{arn}:{v}" for v in ("$LATEST", "1", "2")]
    assert [v["Description"] for v in versions] == ["first", "first", "second"]
    latest, one, two = (v["CodeSha256"] for v in versions)
    assert latest == two != one
    assert all("LastModified" in v and "State" not in v for v in versions)


def test_a_stale_revision_is_refused_and_every_update_renews_it(aws: Aws) -> None:
    _two_versions(aws)
    update = aws.functions.update_alias
    first = aws.functions.create_alias(FunctionName="api", Name="live", FunctionVersion="2")
    second = update(FunctionName="api", Name="live", FunctionVersion="1", RevisionId=first["RevisionId"])
    assert second["RevisionId"] != first["RevisionId"]
    with pytest.raises(ClientError) as stale:
        update(FunctionName="api", Name="live", FunctionVersion="2", RevisionId=first["RevisionId"])
    assert stale.value.response["Error"]["Code"] == "PreconditionFailedException"
    assert stale.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    read = aws.functions.get_alias(FunctionName="api", Name="live")
    assert (read["FunctionVersion"], read["RevisionId"]) == ("1", second["RevisionId"])
    third = update(FunctionName="api", Name="live")
    assert third["RevisionId"] != second["RevisionId"]


def test_weights_stay_until_they_are_cleared(aws: Aws) -> None:
    _two_versions(aws)
    update, read = aws.functions.update_alias, aws.functions.get_alias
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    aws.functions.create_alias(FunctionName="api", Name="live", FunctionVersion="1", RoutingConfig=routing)
    update(FunctionName="api", Name="live", Description="d")
    assert read(FunctionName="api", Name="live")["RoutingConfig"] == routing
    update(FunctionName="api", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in read(FunctionName="api", Name="live")


def test_an_alias_runs_the_version_it_points_to(aws: Aws) -> None:
    arn = _two_versions(aws)
    aws.functions.create_alias(FunctionName="api", Name="live", FunctionVersion="1")
    assert _call(aws, Qualifier="live") == ("1", ["one", "1", f"{arn}:live"])
    aws.functions.update_alias(FunctionName="api", Name="live", FunctionVersion="2")
    assert _call(aws, Qualifier="live") == ("2", ["two", "2", f"{arn}:live"])


def test_weights_send_calls_to_the_other_version(aws: Aws) -> None:
    arn = _two_versions(aws)
    # A weight of 1 leaves nothing to chance.
    routing = {"AdditionalVersionWeights": {"2": 1.0}}
    aws.functions.create_alias(FunctionName="api", Name="live", FunctionVersion="1", RoutingConfig=routing)
    assert _call(aws, Qualifier="live") == ("2", ["two", "2", f"{arn}:live"])
    half = {"AdditionalVersionWeights": {"2": 0.5}}
    aws.functions.update_alias(FunctionName="api", Name="live", RoutingConfig=half)
    # Both within 60 calls, but for one case in 2 ** 59.
    seen: set[str] = set()
    for _ in range(60):
        seen.add(_call(aws, Qualifier="live")[0])
        if len(seen) == 2:
            break
    assert seen == {"1", "2"}


def test_a_mapping_of_a_weighted_alias_draws_too(aws: Aws) -> None:
    arn = _two_versions(aws)
    routing = {"AdditionalVersionWeights": {"2": 1.0}}
    aws.functions.create_alias(FunctionName="api", Name="live", FunctionVersion="1", RoutingConfig=routing)
    aws.map_queue(aws.queue("jobs"), f"{arn}:live")
    aws.sqs.send_message(QueueUrl="jobs", MessageBody="x")
    aws.finished("api", 1)
    [start] = [e["message"] for e in aws.log("/aws/lambda/api") if e["message"].startswith("START")]
    assert start.strip().endswith("Version: 2")


def test_aliases_that_point_nowhere_are_refused(aws: Aws) -> None:
    arn = _two_versions(aws)
    create, update = aws.functions.create_alias, aws.functions.update_alias
    missing = ("ResourceNotFoundException", f"Function not found: {arn}:9")
    assert _refused(create, FunctionName="api", Name="live", FunctionVersion="9") == missing
    create(FunctionName="api", Name="live", FunctionVersion="1")
    assert _refused(update, FunctionName="api", Name="live", FunctionVersion="9") == missing
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    latest = _refused(
        update, FunctionName="api", Name="live", FunctionVersion="$LATEST", RoutingConfig=weights
    )
    assert latest[0] == "InvalidParameterValueException"
    update(FunctionName="api", Name="live", RoutingConfig=weights)
    same = _refused(update, FunctionName="api", Name="live", FunctionVersion="2")
    assert "already included in routing configuration" in same[1]
    assert aws.functions.get_alias(FunctionName="api", Name="live")["FunctionVersion"] == "1"


def test_aliases_of_one_version(aws: Aws) -> None:
    _two_versions(aws)
    aws.functions.create_alias(FunctionName="api", Name="live", FunctionVersion="1")
    aws.functions.create_alias(FunctionName="api", Name="next", FunctionVersion="2")

    def names(**request: str) -> list[str]:
        answer = aws.functions.list_aliases(FunctionName="api", **request)
        return [a["Name"] for a in answer["Aliases"]]

    assert names() == ["live", "next"]
    assert names(FunctionVersion="2") == ["next"]
