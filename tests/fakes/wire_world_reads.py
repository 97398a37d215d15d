"""Every read that plans, drift checks and recovery make, answered from the state of `wire_world.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fakes import wire_world_callers
from fakes.aws_doubles import ACCOUNT, IDENTITY, REGION
from fakes.wire_stub import Fault
from fakes.wire_world_changes import (
    FN,
    GONE,
    NO_QUEUE,
    Done,
    Params,
    Q,
    State,
    bus_named,
    named,
    queue_of,
    shown_alias,
)

PROVIDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:shop"
DENIED = Fault("AccessDenied", "not simulated here", 403)
Read = Callable[[State, Params], Done]


def read(state: State, service: str, operation: str, params: Params) -> Done:
    """Answer a read; a function that is not there is answered as AWS does."""
    if service == "lambda" and "FunctionName" in params and named(params) != state["function"]["name"]:
        return GONE
    return READS[(service, operation)](state, params)


def _configuration(state: State, params: Params) -> Done:
    qualifier = params.get("Qualifier")
    name, version = state["function"]["name"], "$LATEST"
    if qualifier in state["aliases"]:
        version = state["aliases"][qualifier]["FunctionVersion"]
    elif qualifier:
        version = str(qualifier)
    scaled = state["function"]["scaling"].get(version)
    if version != "$LATEST" and version not in state["versions"] and scaled is None:
        return GONE
    shown = _version(name, version)
    if state["function"]["scaling"]:
        shown["CapacityProviderConfig"] = {
            "LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": PROVIDER}
        }
    if state["function"]["durable"]:
        shown["DurableConfig"] = {"ExecutionTimeout": 86_400, "RetentionPeriodInDays": 14}
    if scaled is not None:
        shown["State"] = scaled["state"]
        scaled["state"] = {"Deactivating": "Deactivated", "Pending": "Active"}.get(
            scaled["state"], scaled["state"]
        )
    return shown


def _version(name: str, version: str) -> dict[str, Any]:
    arn = FN + name if version == "$LATEST" else f"{FN}{name}:{version}"
    shown = {"FunctionName": name, "FunctionArn": arn, "Version": version, "Timeout": 7, "State": "Active"}
    return shown | {"CodeSha256": f"sha-of-{version}=", "LastModified": "2026-01-01T00:00:00.000+0000"}


def _concurrency(state: State, params: Params) -> Done:
    reserved = state["function"]["reserved"]
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


def _invoke(state: State, params: Params) -> Done:
    config = state["function"]["event_invoke"]
    if config is None or params.get("Qualifier"):
        return GONE
    return {"FunctionArn": FN + state["function"]["name"] + ":$LATEST", **config}


def _versions_on_instances(state: State, params: Params) -> Done:
    found = [
        {"FunctionArn": f"{FN}{state['function']['name']}:{qualifier}", "State": each["state"]}
        for qualifier, each in state["function"]["scaling"].items()
    ]
    return {"CapacityProviderArn": PROVIDER, "FunctionVersions": found}


def _scaling(state: State, params: Params) -> Done:
    found = state["function"]["scaling"].get(params["Qualifier"])
    if found is None:
        return Fault("ResourceNotFoundException", "no such version", 404)
    arn = f"{FN}{named(params)}:{params['Qualifier']}"
    config = dict(found["config"])
    return {
        "FunctionArn": arn,
        "RequestedFunctionScalingConfig": config,
        "AppliedFunctionScalingConfig": config,
    }


def _provisioned(state: State, params: Params) -> Done:
    found = [
        {"FunctionArn": f"{FN}{named(params)}:{q}", "RequestedProvisionedConcurrentExecutions": n}
        for q, n in state["function"]["provisioned"]
    ]
    return {"ProvisionedConcurrencyConfigs": found}


def _account(state: State, params: Params) -> Done:
    left = state["limit"] - (state["function"]["reserved"] or 0)
    limit = {"ConcurrentExecutions": state["limit"], "UnreservedConcurrentExecutions": left}
    return {"AccountLimit": limit, "AccountUsage": {"FunctionCount": 1}}


def _mapping(state: State, params: Params) -> Done:
    """Read a mapping once; a changing one arrives after a few reads."""
    mapping = state["mappings"].get(params["UUID"])
    if mapping is None:
        return GONE
    change = state["changing"].get(params["UUID"])
    if change is not None:
        change["reads_left"] -= 1
        if change["reads_left"] <= 0:
            mapping["State"] = change["to"]
            del state["changing"][params["UUID"]]
    return dict(mapping)


def _alias(state: State, params: Params) -> Done:
    alias = state["aliases"].get(params["Name"])
    return GONE if alias is None else shown_alias(alias)


def execution(name: str, version: str = "3") -> str:
    """Return the ARN of an execution of the world's function."""
    return f"{FN}orders-worker:{version}/durable-execution/{name}/id-{name}"


def _executions(state: State, params: Params) -> Done:
    """List the executions of a version as AWS does: those of $LATEST where none is named, newest first."""
    begins = f"{FN}{named(params)}:{params.get('Qualifier', '$LATEST')}/"
    wanted = params.get("Statuses")
    found = [
        _execution(state, {"DurableExecutionArn": arn})
        for arn, each in state["durable_executions"].items()
        if arn.startswith(begins) and (wanted is None or each["status"] in wanted)
    ]
    ordered = sorted(found, key=_started, reverse=not params.get("ReverseOrder"))
    first, most = int(params.get("Marker") or 0), params.get("MaxItems") or 100
    more = {"NextMarker": str(first + most)} if len(ordered) > first + most else {}
    return {"DurableExecutions": ordered[first : first + most], **more}


def _started(answer: Done) -> float:
    assert isinstance(answer, dict)
    return float(answer["StartTimestamp"])


def _execution(state: State, params: Params) -> Done:
    arn = params["DurableExecutionArn"]
    found = state["durable_executions"].get(arn)
    if found is None:
        return GONE
    shown = {"DurableExecutionArn": arn, "DurableExecutionName": arn.split("/")[-2]}
    shown |= {"FunctionArn": arn.split("/")[0], "Status": found["status"], "StartTimestamp": found["started"]}
    return shown | ({"EndTimestamp": found["ended"]} if "ended" in found else {})


def _url(state: State, params: Params) -> Done:
    name = queue_of(params["QueueName"])
    return {"QueueUrl": state["queue_host"] + name} if name in state["queues"] else NO_QUEUE


def _attributes(state: State, params: Params) -> Done:
    name = queue_of(params["QueueUrl"])
    queue = state["queues"].get(name)
    if queue is None:
        return NO_QUEUE
    found = {"QueueArn": Q + name, "MessageRetentionPeriod": "345600", "VisibilityTimeout": "60"}
    found["ApproximateNumberOfMessages"] = str(queue["visible"])
    found["ApproximateNumberOfMessagesNotVisible"] = str(queue["in_flight"])
    found["ApproximateNumberOfMessagesDelayed"] = str(queue["delayed"])
    if queue.get("dlq"):
        redrive = {"deadLetterTargetArn": Q + queue["dlq"], "maxReceiveCount": 5}
        found["RedrivePolicy"] = json.dumps(redrive)
    return {"Attributes": found}


def _dead_letters_of(state: State, params: Params) -> Done:
    name = queue_of(params["QueueUrl"])
    return {
        "queueUrls": [state["queue_host"] + n for n, q in state["queues"].items() if q.get("dlq") == name]
    }


def _moves(state: State, params: Params) -> Done:
    found = [dict(m) for m in state["moves"] if m["SourceArn"] == params["SourceArn"]]
    for task in found:
        if task["Status"] != "RUNNING":
            del task["TaskHandle"]
    return {"Results": found[: params.get("MaxResults", 1)]}


def _rule(state: State, params: Params) -> Done:
    rule = state["rules"].get(f"{bus_named(params)}/{params['Name']}")
    if rule is None:
        return Fault("ResourceNotFoundException", "no such rule", 400)
    return {k: v for k, v in rule.items() if k != "Targets"}


def _targets(state: State, params: Params) -> Done:
    rule = state["rules"].get(f"{bus_named(params)}/{params['Rule']}")
    return (
        Fault("ResourceNotFoundException", "no such rule", 400)
        if rule is None
        else {"Targets": rule["Targets"]}
    )


def _rules_of(state: State, params: Params) -> Done:
    names = [
        r["Name"]
        for r in state["rules"].values()
        if any(t["Arn"] == params["TargetArn"] for t in r["Targets"])
        and bus_named(params) == r.get("EventBusName", "default")
    ]
    return {"RuleNames": names}


def _rules(state: State, params: Params) -> Done:
    return {"Rules": [{k: v for k, v in r.items() if k != "Targets"} for r in state["rules"].values()]}


def _metric(state: State, params: Params) -> Done:
    queries = params.get("MetricDataQueries") or [{"Id": "age"}]
    # What is oldest falls as soon as a bad record is bisected.
    bisecting = any(m.get("BisectBatchOnFunctionError") for m in state["mappings"].values())
    value = 4_000.0 if bisecting else 900_000.0
    points = {"Timestamps": [1_799_999_940], "Values": [value], "StatusCode": "Complete"}
    return {"MetricDataResults": [{"Id": q["Id"], **points} for q in queries]}


READS: Mapping[tuple[str, str], Read] = {
    **wire_world_callers.READS,
    ("sts", "GetCallerIdentity"): lambda s, p: dict(IDENTITY),
    ("lambda", "GetFunctionConfiguration"): _configuration,
    ("lambda", "GetFunctionConcurrency"): _concurrency,
    ("lambda", "GetFunctionEventInvokeConfig"): _invoke,
    ("lambda", "ListFunctionEventInvokeConfigs"): lambda s, p: {
        "FunctionEventInvokeConfigs": [c for c in (_invoke(s, {}),) if isinstance(c, dict)]
    },
    ("lambda", "GetFunctionRecursionConfig"): lambda s, p: {"RecursiveLoop": s["function"]["recursion"]},
    ("lambda", "ListProvisionedConcurrencyConfigs"): _provisioned,
    ("lambda", "ListFunctionVersionsByCapacityProvider"): _versions_on_instances,
    ("lambda", "GetFunctionScalingConfig"): _scaling,
    ("lambda", "ListEventSourceMappings"): lambda s, p: {
        "EventSourceMappings": [dict(m) for m in s["mappings"].values()]
    },
    ("lambda", "GetEventSourceMapping"): _mapping,
    ("lambda", "ListAliases"): lambda s, p: {"Aliases": [shown_alias(a) for a in s["aliases"].values()]},
    ("lambda", "GetAlias"): _alias,
    ("lambda", "ListDurableExecutionsByFunction"): _executions,
    ("lambda", "GetDurableExecution"): _execution,
    ("lambda", "ListVersionsByFunction"): lambda s, p: {
        "Versions": [_version(s["function"]["name"], v) for v in ("$LATEST", *s["versions"])]
    },
    ("lambda", "ListFunctionUrlConfigs"): lambda s, p: {"FunctionUrlConfigs": []},
    ("lambda", "GetAccountSettings"): _account,
    ("lambda", "GetPolicy"): lambda s, p: GONE,
    ("lambda", "ListTags"): lambda s, p: {"Tags": {}},
    ("lambda", "ListFunctions"): lambda s, p: {"Functions": [_version(s["function"]["name"], "$LATEST")]},
    ("cloudwatch", "GetMetricData"): _metric,
    ("kinesis", "DescribeStreamSummary"): lambda s, p: {
        "StreamDescriptionSummary": {"StreamName": "clicks", "RetentionPeriodHours": 24}
    },
    ("sqs", "GetQueueUrl"): _url,
    ("sqs", "GetQueueAttributes"): _attributes,
    ("sqs", "ListQueues"): lambda s, p: {"QueueUrls": [s["queue_host"] + n for n in s["queues"]]},
    ("sqs", "ListDeadLetterSourceQueues"): _dead_letters_of,
    ("sqs", "ListMessageMoveTasks"): _moves,
    ("sqs", "ListQueueTags"): lambda s, p: {"Tags": {}},
    ("events", "DescribeRule"): _rule,
    ("events", "ListTargetsByRule"): _targets,
    ("events", "ListRuleNamesByTarget"): _rules_of,
    ("events", "ListRules"): _rules,
    ("iam", "SimulatePrincipalPolicy"): lambda s, p: DENIED,
    ("cloudtrail", "LookupEvents"): lambda s, p: DENIED,
}
