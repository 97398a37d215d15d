"""What each mutating operation does to the account of `wire_world.py`: AWS's rules.

Reserved 0, n and absent differ; a mapping passes through a state that ends in "ing" and refuses changes
meanwhile; Put drops what it is not given where Update merges; an alias is guarded by its RevisionId.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fakes import wire_world_callers
from fakes.aws_doubles import ACCOUNT, REGION
from fakes.wire_stub import Fault

FN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/"
Q = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
FLOOR = 100
READS_UNTIL_DONE = 2
STARTED_MS = 1_800_000_000_000
GONE = Fault("ResourceNotFoundException", "it does not exist", 404)
NO_QUEUE = Fault("com.amazonaws.sqs#QueueDoesNotExist", "no such queue")
IN_USE = Fault("ResourceInUseException", "the mapping is changing", 400)
State = dict[str, Any]
Params = Mapping[str, Any]
Done = dict[str, Any] | Fault


def named(params: Params) -> str:
    """Return the bare function name of a name or an ARN."""
    text = str(params.get("FunctionName") or "").removeprefix(FN)
    return text.split(":")[0]


def bus_named(params: Params) -> str:
    """Return bare bus name of a name or an ARN; another account's bus stays what it is, and is not found."""
    return str(params.get("EventBusName") or "default").removeprefix(BUS)


def queue_of(text: str) -> str:
    """Return the queue's name of a URL or an ARN."""
    return text.replace("/", ":").rsplit(":", 1)[-1]


def apply(state: State, service: str, operation: str, params: Params) -> Done:
    """Do it and answer as AWS would, or refuse; a refusal changes nothing."""
    if service == "lambda" and "FunctionName" in params and named(params) != state["function"]["name"]:
        return GONE
    return CHANGES[(service, operation)](state, params)


def _put_concurrency(state: State, params: Params) -> Done:
    wanted, function = params["ReservedConcurrentExecutions"], state["function"]
    if state["limit"] - wanted < FLOOR:
        return Fault("InvalidParameterValueException", f"below its minimum value of [{FLOOR}]")
    if wanted < sum(n for _, n in function["provisioned"]):
        return Fault("InvalidParameterValueException", "provisioned concurrency is larger")
    function["reserved"] = wanted
    return {"ReservedConcurrentExecutions": wanted}


def _put_provisioned(state: State, params: Params) -> Done:
    function, qualifier, wanted = (
        state["function"],
        params["Qualifier"],
        params["ProvisionedConcurrentExecutions"],
    )
    if function["reserved"] is not None and function["reserved"] < wanted:
        return Fault("InvalidParameterValueException", "larger than the reserved concurrency")
    kept = [(q, n) for q, n in function["provisioned"] if q != qualifier]
    function["provisioned"] = [*kept, (qualifier, wanted)]
    return {"RequestedProvisionedConcurrentExecutions": wanted, "Status": "IN_PROGRESS"}


def _put_scaling(state: State, params: Params) -> Done:
    """Set both numbers; one that is missing gets its default. Versions start and end after a read or two."""
    found = state["function"]["scaling"].get(params["Qualifier"])
    if found is None:
        return Fault("ResourceNotFoundException", "no such version", 404)
    config = params.get("FunctionScalingConfig") or {}
    found["config"] = dict(config)
    ends = config.get("MaxExecutionEnvironments") == 0
    if ends != (found["state"] == "Deactivated"):
        found["state"] = "Deactivating" if ends else "Pending"
    return {"FunctionState": found["state"]}


def _delete_provisioned(state: State, params: Params) -> Done:
    kept = [(q, n) for q, n in state["function"]["provisioned"] if q != params["Qualifier"]]
    state["function"]["provisioned"] = kept
    return {}


def _delete_concurrency(state: State, params: Params) -> Done:
    state["function"]["reserved"] = None
    return {}


def _put_invoke(state: State, params: Params) -> Done:
    state["function"]["event_invoke"] = {k: v for k, v in params.items() if k != "FunctionName"}
    return {"FunctionArn": FN + named(params) + ":$LATEST", **state["function"]["event_invoke"]}


def _update_invoke(state: State, params: Params) -> Done:
    if state["function"]["event_invoke"] is None:
        return GONE
    merged = {**state["function"]["event_invoke"], **params}
    return _put_invoke(state, merged)


def _delete_invoke(state: State, params: Params) -> Done:
    if state["function"]["event_invoke"] is None:
        return GONE
    state["function"]["event_invoke"] = None
    return {}


def _put_recursion(state: State, params: Params) -> Done:
    state["function"]["recursion"] = params["RecursiveLoop"]
    return {"RecursiveLoop": params["RecursiveLoop"]}


def _update_mapping(state: State, params: Params) -> Done:
    mapping = state["mappings"].get(params["UUID"])
    if mapping is None:
        return GONE
    if params["UUID"] in state["changing"]:
        return IN_USE
    fields = {k: v for k, v in params.items() if k not in ("UUID", "Enabled")}
    if fields.get("ScalingConfig") == {}:
        fields.pop("ScalingConfig")
        mapping.pop("ScalingConfig", None)
    end = (fields.get("DestinationConfig") or {}).get("OnFailure") or {}
    if "DestinationConfig" in fields and not end.get("Destination"):
        fields.pop("DestinationConfig")
        mapping.pop("DestinationConfig", None)
    mapping.update(fields)
    goal = mapping["State"]
    if "Enabled" in params:
        goal = "Enabled" if params["Enabled"] else "Disabled"
    passing = (
        {"Enabled": "Enabling", "Disabled": "Disabling"}[goal] if goal != mapping["State"] else "Updating"
    )
    state["changing"][params["UUID"]] = {"reads_left": READS_UNTIL_DONE, "to": goal}
    mapping["State"] = passing
    return dict(mapping)


def _update_alias(state: State, params: Params) -> Done:
    alias = state["aliases"].get(params["Name"])
    if alias is None:
        return GONE
    if params.get("RevisionId") not in (None, alias["RevisionId"]):
        return Fault("PreconditionFailedException", "The RevisionId provided does not match", 412)
    version = params.get("FunctionVersion", alias["FunctionVersion"])
    weights = params.get("RoutingConfig", alias["RoutingConfig"]).get("AdditionalVersionWeights") or {}
    if version not in state["versions"] or not set(weights) <= set(state["versions"]):
        return GONE
    state["count"] += 1
    alias |= {
        "FunctionVersion": version,
        "Description": params.get("Description", alias["Description"]),
        "RoutingConfig": {"AdditionalVersionWeights": dict(weights)} if weights else {},
        "RevisionId": f"00000000-0000-4000-8000-{state['count']:012d}",
    }
    return shown_alias(alias)


def shown_alias(alias: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alias as AWS shows it: without a routing where there is none."""
    shown = {"AliasArn": f"{FN}orders-worker:{alias['Name']}", **alias}
    if not alias["RoutingConfig"]:
        shown.pop("RoutingConfig")
    return shown


def _stop_execution(state: State, params: Params) -> Done:
    """Stop an execution that runs. What AWS answers of one that has ended is not documented."""
    found = state["durable_executions"].get(params["DurableExecutionArn"])
    if found is None:
        return GONE
    if found["status"] != "RUNNING":
        return Fault("InvalidParameterValueException", "the execution is not running")
    found |= {"status": "STOPPED", "ended": STARTED_MS / 1000}
    return {"StopTimestamp": STARTED_MS / 1000}


def _purge(state: State, params: Params) -> Done:
    queue = state["queues"].get(queue_of(params["QueueUrl"]))
    if queue is None:
        return NO_QUEUE
    queue |= {"visible": 0, "in_flight": 0, "delayed": 0}
    return {}


def _start_move(state: State, params: Params) -> Done:
    source = queue_of(params["SourceArn"])
    sources = [q for q in state["queues"].values() if q.get("dlq") == source]
    if source not in state["queues"] or queue_of(params.get("DestinationArn", source)) not in state["queues"]:
        return Fault("com.amazonaws.sqs#ResourceNotFoundException", "no such queue", 404)
    if not sources:
        return Fault("com.amazonaws.sqs#InvalidParameterValue", "must be configured as a Dead Letter Queue")
    if any(m["Status"] == "RUNNING" and m["SourceArn"] == params["SourceArn"] for m in state["moves"]):
        return Fault("com.amazonaws.sqs#UnsupportedOperation", "there is already a task running")
    state["count"] += 1
    handle = f"handle-{state['count']}"
    task = {k: v for k, v in params.items() if v is not None}
    task |= {"TaskHandle": handle, "Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 0}
    task |= {"ApproximateNumberOfMessagesToMove": state["queues"][source]["visible"]}
    task |= {"StartedTimestamp": STARTED_MS + state["count"] * 1000}
    state["moves"].insert(0, task)
    return {"TaskHandle": handle}


def _cancel_move(state: State, params: Params) -> Done:
    for task in state["moves"]:
        if task["TaskHandle"] == params["TaskHandle"] and task["Status"] == "RUNNING":
            task["Status"] = "CANCELLED"
            return {"ApproximateNumberOfMessagesMoved": task["ApproximateNumberOfMessagesMoved"]}
    return Fault("com.amazonaws.sqs#ResourceNotFoundException", "no such task", 404)


def _set_rule(goal: str) -> Callable[[State, Params], Done]:
    def change(state: State, params: Params) -> Done:
        rule = state["rules"].get(f"{bus_named(params)}/{params['Name']}")
        if rule is None:
            return Fault("ResourceNotFoundException", "no such rule", 400)
        rule["State"] = goal
        return {}

    return change


CHANGES: Mapping[tuple[str, str], Callable[[State, Params], Done]] = {
    **wire_world_callers.CHANGES,
    ("lambda", "PutFunctionConcurrency"): _put_concurrency,
    ("lambda", "DeleteFunctionConcurrency"): _delete_concurrency,
    ("lambda", "PutProvisionedConcurrencyConfig"): _put_provisioned,
    ("lambda", "DeleteProvisionedConcurrencyConfig"): _delete_provisioned,
    ("lambda", "PutFunctionScalingConfig"): _put_scaling,
    ("lambda", "PutFunctionEventInvokeConfig"): _put_invoke,
    ("lambda", "UpdateFunctionEventInvokeConfig"): _update_invoke,
    ("lambda", "DeleteFunctionEventInvokeConfig"): _delete_invoke,
    ("lambda", "PutFunctionRecursionConfig"): _put_recursion,
    ("lambda", "UpdateEventSourceMapping"): _update_mapping,
    ("lambda", "UpdateAlias"): _update_alias,
    ("lambda", "StopDurableExecution"): _stop_execution,
    ("sqs", "PurgeQueue"): _purge,
    ("sqs", "StartMessageMoveTask"): _start_move,
    ("sqs", "CancelMessageMoveTask"): _cancel_move,
    ("events", "DisableRule"): _set_rule("DISABLED"),
    ("events", "EnableRule"): _set_rule("ENABLED"),
}
