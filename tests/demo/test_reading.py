"""Reading metrics and logs through AWS's APIs: order, paging, statistics, patterns."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws

pytestmark = pytest.mark.wire

ECHO = "def handler(event, context):\n    print('line one')\n    print('line two')\n"


def _query(name: str, function: str = "echo", namespace: str = "AWS/Lambda", **extra: Any) -> dict[str, Any]:
    dimensions = [{"Name": "FunctionName", "Value": function}]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return {"Id": name.lower(), "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, **extra}


def _window() -> dict[str, float]:
    now = time.time()
    return {"StartTime": now - 3600, "EndTime": now + 60}


def test_several_namespaces_in_one_call_keep_the_order_of_the_queries(aws: Aws) -> None:
    aws.invoke(aws.function("echo", ECHO))
    own = {"Namespace": "Shop", "MetricData": [{"MetricName": "Sales", "Value": 3}]}
    aws.cloudwatch.put_metric_data(**own)
    sales = _query("Sales", namespace="Shop")
    sales["MetricStat"]["Metric"]["Dimensions"] = []
    queries = [
        _query("Errors"),
        sales,
        _query("Invocations", Label="runs"),
        _query("Throttles", ReturnData=False),
    ]
    results = aws.cloudwatch.get_metric_data(MetricDataQueries=queries, **_window())["MetricDataResults"]
    assert [(r["Id"], r["Values"]) for r in results] == [
        ("errors", [0]),
        ("sales", [3]),
        ("invocations", [1]),
    ]
    assert results[2]["Label"] == "runs"


def test_expressions_are_refused_honestly(aws: Aws) -> None:
    query = {"Id": "e", "Expression": "SUM(METRICS())"}
    [result] = aws.cloudwatch.get_metric_data(MetricDataQueries=[query], **_window())["MetricDataResults"]
    assert result["StatusCode"] == "InternalError"


def test_an_unknown_statistic_and_a_fine_period_are_refused(aws: Aws) -> None:
    for change in ({"Stat": "p200"}, {"Period": 10}):
        query = _query("Invocations")
        query["MetricStat"] |= change
        with pytest.raises(ClientError) as refused:
            aws.cloudwatch.get_metric_data(MetricDataQueries=[query], **_window())
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_datapoints_are_paged(aws: Aws) -> None:
    aws.invoke(aws.function("echo", ECHO))
    queries = [_query(name) for name in ("Invocations", "Errors", "Throttles")]
    request = {"MetricDataQueries": queries, "MaxDatapoints": 2, **_window()}
    first = aws.cloudwatch.get_metric_data(**request)
    second = aws.cloudwatch.get_metric_data(**request, NextToken=first["NextToken"])
    assert [r["Id"] for r in first["MetricDataResults"]] == ["invocations", "errors"]
    assert [r["Id"] for r in second["MetricDataResults"]] == ["throttles"]
    assert "NextToken" not in second


def test_list_metrics_filters_by_name_and_dimension(aws: Aws) -> None:
    aws.invoke(aws.function("echo", ECHO))
    aws.queue("jobs")
    found = aws.cloudwatch.list_metrics(
        Namespace="AWS/Lambda", MetricName="Invocations", Dimensions=[{"Name": "FunctionName"}]
    )["Metrics"]
    assert [m["Dimensions"] for m in found] == [[{"Name": "FunctionName", "Value": "echo"}]]
    by_value = [{"Name": "FunctionName", "Value": "other"}]
    assert aws.cloudwatch.list_metrics(Namespace="AWS/Lambda", Dimensions=by_value)["Metrics"] == []


def test_metric_statistics(aws: Aws) -> None:
    aws.invoke(aws.function("echo", ECHO))
    [point] = aws.cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Dimensions=[{"Name": "FunctionName", "Value": "echo"}],
        Period=3600,
        Statistics=["Maximum", "SampleCount"],
        ExtendedStatistics=["p99"],
        **_window(),
    )["Datapoints"]
    assert (point["SampleCount"], point["Unit"]) == (1, "Milliseconds")
    assert point["ExtendedStatistics"]["p99"] == point["Maximum"]


def test_log_events_are_paged_without_gap_or_repetition(aws: Aws) -> None:
    aws.function("echo", ECHO)
    for _ in range(4):
        aws.invoke("echo")
    whole = aws.log("/aws/lambda/echo")
    pages = aws.logs.get_paginator("filter_log_events").paginate(
        logGroupName="/aws/lambda/echo", PaginationConfig={"PageSize": 3}
    )
    paged = [event for page in pages for event in page["events"]]
    assert [e["eventId"] for e in paged] == [e["eventId"] for e in whole]
    assert len(whole) == 1 + 4 * 5
    assert [e["timestamp"] for e in whole] == sorted(e["timestamp"] for e in whole)


def test_live_tail_shows_what_a_function_prints(aws: Aws) -> None:
    aws.function("echo", ECHO)
    aws.invoke("echo")
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/echo"
    tail = aws.logs.start_live_tail(logGroupIdentifiers=[arn])["responseStream"]
    try:
        seen: list[str] = []
        for update in tail:
            if "sessionStart" in update:
                aws.invoke("echo")
            seen += [e["message"] for e in update.get("sessionUpdate", {}).get("sessionResults", [])]
            if any(message.startswith("REPORT") for message in seen):
                break
    finally:
        tail.close()
    assert [message.split()[0] for message in seen] == ["START", "line", "line", "END", "REPORT"]


def test_five_hundred_queries_at_once(aws: Aws) -> None:
    aws.invoke(aws.function("echo", ECHO))
    queries = [{**_query("Duration"), "Id": f"q{n}"} for n in range(500)]
    results = aws.cloudwatch.get_metric_data(MetricDataQueries=queries, **_window())["MetricDataResults"]
    assert [len(r["Values"]) for r in results] == [1] * 500


def test_log_events_by_time_and_pattern(aws: Aws) -> None:
    aws.invoke(aws.function("echo", ECHO))
    group = "/aws/lambda/echo"
    whole = aws.log(group)
    last = whole[-1]["timestamp"]
    later = aws.logs.filter_log_events(logGroupName=group, startTime=last + 1)["events"]
    assert later == []
    upto = aws.logs.filter_log_events(logGroupName=group, endTime=last)["events"]
    assert len(upto) == len(whole)
    found = aws.logs.filter_log_events(logGroupName=group, filterPattern="?REPORT ?two")["events"]
    assert [e["message"].split()[0] for e in found] == ["line", "REPORT"]
    with pytest.raises(ClientError, match="does not evaluate"):
        aws.logs.filter_log_events(logGroupName=group, filterPattern="{ $.a = 1 }")
