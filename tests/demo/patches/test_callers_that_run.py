"""Schedules, pipes and state machines of the emulator really run functions, and really stop."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from demo.clients import Aws, wait_for

from lambdatop.demo.process.launch import start

pytestmark = pytest.mark.wire

ROLE = "arn:aws:iam::123456789012:role/test"
TIMES = 120
"""So many times faster pass minutes here: `rate(1 minute)` is each half second."""
SAYS = "import json\ndef handler(event, context):\n    print('got', json.dumps(event))\n"
FAILS = f"{SAYS}    raise ValueError('no')\n"
OFF: dict[str, Any] = {"FlexibleTimeWindow": {"Mode": "OFF"}}


@pytest.fixture(scope="module")
def quick() -> Iterator[Aws]:
    with start(deploy=False, compression=TIMES, async_retry_s=0.1) as demo:
        aws = Aws(demo)
        yield aws
        aws.close()


@pytest.fixture(autouse=True)
def clean(quick: Aws) -> None:
    quick.demo.reset()


def arn(aws: Aws, name: str) -> str:
    return f"arn:aws:lambda:{aws.demo.region}:{aws.demo.account}:function:{name}"


def events(aws: Aws, name: str) -> list[Any]:
    """Return what a function was called with so far."""
    if not aws.counted(name)["finished"]:
        return []
    words = [event["message"] for event in aws.log(f"/aws/lambda/{name}")]
    return [json.loads(line.removeprefix("got ")) for line in words if line.startswith("got ")]


def runs(aws: Aws, name: str) -> Counter[str]:
    """Return how often a function was called, by the member `run` of its event."""
    return Counter(str(event["run"]) for event in events(aws, name))


def schedule(aws: Aws, name: str, **changes: Any) -> dict[str, Any]:
    made = {
        "Name": name,
        "ScheduleExpression": "rate(1 minute)",
        "Target": {"Arn": arn(aws, "worker"), "RoleArn": ROLE, "Input": json.dumps({"run": name})},
    }
    return OFF | made | changes


def test_a_schedule_fires_by_the_demos_minutes_until_it_is_disabled(quick: Aws) -> None:
    quick.function("worker", SAYS)
    for name in ("one", "other"):
        quick.scheduler.create_schedule(**schedule(quick, name))
    wait_for(lambda: runs(quick, "worker")["one"] >= 2)
    quick.scheduler.update_schedule(**schedule(quick, "one", State="DISABLED"))
    # What it had sent already arrives before the other schedule fires twice more.
    until = runs(quick, "worker")["other"] + 2
    wait_for(lambda: runs(quick, "worker")["other"] >= until)
    before = runs(quick, "worker")["one"]
    wait_for(lambda: runs(quick, "worker")["other"] >= until + 4)
    assert runs(quick, "worker")["one"] == before
    quick.scheduler.update_schedule(**schedule(quick, "one"))
    wait_for(lambda: runs(quick, "worker")["one"] > before)
    counted = quick.counted("worker")
    assert counted["async_received"] >= counted["finished"] > 0  # as events, not as calls


def send(aws: Aws, *bodies: str) -> None:
    for body in bodies:
        aws.sqs.send_message(QueueUrl="jobs", MessageBody=body)


def pipe(aws: Aws, size: int, **attributes: str) -> None:
    source = aws.queue("jobs", **attributes)
    part = {"SqsQueueParameters": {"BatchSize": size}}
    aws.pipes.create_pipe(
        Name="carrier", RoleArn=ROLE, Source=source, Target=arn(aws, "worker"), SourceParameters=part
    )


def test_a_pipe_hands_a_batch_over_and_deletes_it(quick: Aws) -> None:
    quick.function("worker", SAYS)
    pipe(quick, 2)
    assert quick.pipes.describe_pipe(Name="carrier")["SourceParameters"]["SqsQueueParameters"] == {
        "BatchSize": 2
    }
    send(quick, "a", "b", "c")
    wait_for(lambda: quick.demo.ledger()["queues"]["jobs"]["deleted"] == 3)
    batches = events(quick, "worker")
    assert all(isinstance(batch, list) and len(batch) <= 2 for batch in batches)
    assert sorted(record["body"] for batch in batches for record in batch) == ["a", "b", "c"]
    assert batches[0][0]["eventSource"] == "aws:sqs"


def test_a_pipe_leaves_what_failed_to_the_queue_and_its_dead_letters(quick: Aws) -> None:
    quick.function("worker", FAILS)
    dead = quick.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    pipe(quick, 10, VisibilityTimeout="0", RedrivePolicy=policy)
    send(quick, "a")
    wait_for(lambda: quick.demo.ledger()["queues"].get("dead", {}).get("arrived_by_redrive") == 1)
    receives = [
        r["attributes"]["ApproximateReceiveCount"] for batch in events(quick, "worker") for r in batch
    ]
    assert receives == ["1", "2"]
    assert quick.demo.ledger()["queues"]["jobs"]["deleted"] == 0


def test_a_stopped_pipe_takes_nothing_and_goes_on_where_it_was(quick: Aws) -> None:
    quick.function("worker", SAYS)
    pipe(quick, 1)
    send(quick, "a")
    wait_for(lambda: quick.demo.ledger()["queues"]["jobs"]["deleted"] == 1)
    quick.pipes.stop_pipe(Name="carrier")
    quick.queue("gauge")
    source = f"arn:aws:sqs:{quick.demo.region}:{quick.demo.account}:gauge"
    quick.pipes.create_pipe(Name="gauge", RoleArn=ROLE, Source=source, Target=arn(quick, "worker"))
    send(quick, "b")
    for body in ("x", "y"):  # twice the poller has come past the stopped pipe
        quick.sqs.send_message(QueueUrl="gauge", MessageBody=body)
        wait_for(lambda body=body: body in bodies(quick))  # type: ignore[misc]
    assert "b" not in bodies(quick)
    quick.pipes.start_pipe(Name="carrier")
    wait_for(lambda: "b" in bodies(quick))


def bodies(aws: Aws) -> set[str]:
    return {record["body"] for batch in events(aws, "worker") for record in batch}


def machine(aws: Aws, name: str) -> str:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30, "BackoffRate": 1.0, "MaxAttempts": 9_999}]
    task = {"Type": "Task", "Resource": arn(aws, "worker"), "Retry": retry, "End": True}
    definition = json.dumps({"StartAt": "Call", "States": {"Call": task}})
    made = aws.stepfunctions.create_state_machine(name=name, definition=definition, roleArn=ROLE)
    return str(made["stateMachineArn"])


def begin(aws: Aws, machine_arn: str, run: str) -> str:
    made = aws.stepfunctions.start_execution(stateMachineArn=machine_arn, input=json.dumps({"run": run}))
    return str(made["executionArn"])


def test_a_stopped_execution_invokes_nothing_more(quick: Aws) -> None:
    quick.function("worker", FAILS)
    fulfilment = machine(quick, "fulfilment")
    one, _ = begin(quick, fulfilment, "one"), begin(quick, fulfilment, "other")
    # Retry intervals pass like minutes: 30 s are a quarter of a second.
    wait_for(lambda: min(runs(quick, "worker")[run] for run in ("one", "other")) >= 3)
    quick.stepfunctions.stop_execution(executionArn=one)
    until = runs(quick, "worker")["other"] + 1
    wait_for(lambda: runs(quick, "worker")["other"] >= until)
    before = runs(quick, "worker")["one"]
    wait_for(lambda: runs(quick, "worker")["other"] >= until + 4)
    assert runs(quick, "worker")["one"] == before
    assert quick.stepfunctions.describe_execution(executionArn=one)["status"] == "ABORTED"


def test_executions_that_a_reset_forgets_end_too(quick: Aws) -> None:
    quick.function("worker", FAILS)
    begin(quick, machine(quick, "fulfilment"), "forgotten")
    wait_for(lambda: runs(quick, "worker")["forgotten"] >= 2)
    quick.demo.reset()
    quick.function("worker", FAILS)
    begin(quick, machine(quick, "fulfilment"), "new")
    wait_for(lambda: runs(quick, "worker")["new"] >= 4)
    assert runs(quick, "worker")["forgotten"] <= 1  # what was under way when everything was forgotten
