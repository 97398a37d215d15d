"""Limits that the demo really enforces: memory, open files, the payload, the account's shared concurrency."""

from __future__ import annotations

import json
import threading
from importlib.resources import files
from typing import Any

import pytest
from demo.clients import Aws, wait_for

from lambdatop.demo.patches.control_plane import unreserved_floor
from lambdatop.demo.process.launch import start

pytestmark = pytest.mark.wire

HOLD = "import time\ndef handler(event, context):\n    time.sleep(event.get('s', 0))\n    return 1\n"
HUNGRY = (
    "import time\n"
    "def handler(event, context):\n"
    "    print('unpacking')\n"
    "    held = b'x' * (event['mb'] << 20)\n"
    "    time.sleep(0.2)\n"
    "    return len(held)\n"
)
LARGE = "def handler(event, context):\n    return 'x' * event['bytes']\n"


def code_of(module: str) -> str:
    return files("lambdatop.demo.functions").joinpath(f"{module}.py").read_text(encoding="utf-8")


def body_of(answer: Any) -> dict[str, Any]:
    assert answer["FunctionError"] == "Unhandled"
    body: dict[str, Any] = json.loads(answer["Payload"].read())
    return body


def test_too_much_memory_kills_the_environment(aws: Aws) -> None:
    name = aws.function("hungry", HUNGRY, MemorySize=128, Timeout=5)
    assert json.loads(aws.invoke(name, {"mb": 16})["Payload"].read()) == 16 << 20
    body = body_of(aws.invoke(name, {"mb": 200}))
    assert body["errorType"] == "Runtime.OutOfMemory"
    assert body["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    messages = [e["message"] for e in aws.log("/aws/lambda/hungry")]
    assert "Max Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory" in messages[-1]
    assert messages[-3].startswith("unpacking")
    aws.invoke(name, {"mb": 1})
    assert aws.counted(name)["cold_starts"] == 2


def test_enough_memory_is_enough(aws: Aws) -> None:
    name = aws.function("hungry", HUNGRY, MemorySize=512, Timeout=5)
    assert "FunctionError" not in aws.invoke(name, {"mb": 200})


def test_a_socket_that_is_never_closed_uses_up_the_descriptors(aws: Aws) -> None:
    name = aws.function("relay", code_of("webhook_relay"), Timeout=5)
    event = {"hook": 1, "subscribers": 500}
    for _ in range(2):
        assert "FunctionError" not in aws.invoke(name, event)
    body = body_of(aws.invoke(name, event))
    assert (body["errorType"], body["errorMessage"]) == ("OSError", "[Errno 24] Too many open files")
    # The environment is still watched and still answers: its memory file was opened before.
    body_of(aws.invoke(name, event))
    assert aws.counted(name)["cold_starts"] == 1
    report = aws.log("/aws/lambda/relay")[-1]["message"]
    assert 1 <= int(report.partition("Max Memory Used: ")[2].split()[0]) <= 128


def test_a_full_tmp_is_a_full_disk(aws: Aws) -> None:
    name = aws.function("archiver", code_of("invoice_archiver"), Timeout=5, MemorySize=256)
    for number in range(5):
        assert "FunctionError" not in aws.invoke(name, {"invoice": number})
    body = body_of(aws.invoke(name, {"invoice": 5}))
    assert (body["errorType"], body["errorMessage"]) == ("OSError", "[Errno 28] No space left on device")


def test_an_answer_above_six_megabytes_is_refused(aws: Aws) -> None:
    name = aws.function("large", LARGE, MemorySize=512, Timeout=5)
    assert "FunctionError" not in aws.invoke(name, {"bytes": 6_291_000})
    body = body_of(aws.invoke(name, {"bytes": 6_300_000}))
    assert body["errorType"] == "Function.ResponseSizeTooLarge"
    assert "exceeded maximum allowed payload size (6291556 bytes)" in body["errorMessage"]


def test_the_floor_of_a_young_account() -> None:
    assert (unreserved_floor(1000), unreserved_floor(101), unreserved_floor(30)) == (100, 100, 10)


def test_a_hog_takes_the_shared_pool_and_no_reservation() -> None:
    with start("quota-squeeze") as demo:
        aws = Aws(demo)

        def throttled() -> bool:
            victim, reserved = aws.counted("checkout-api"), aws.counted("stock-sync")
            return bool(victim.get("throttles")) and reserved["finished"] > 3

        wait_for(throttled)
        aws.finished("session-validator", 5)
        counted = demo.ledger()["functions"]
        claimed = wait_for(lambda: aws.metric("AWS/Lambda", "ClaimedAccountConcurrency", "Maximum"))
        aws.close()
    assert counted["session-validator"]["throttles"] == counted["stock-sync"]["throttles"] == 0
    assert counted["price-importer"]["throttles"] > 0
    assert max(claimed) <= 30


def test_an_environment_that_never_serves_ends_the_session_of_the_one_that_does() -> None:
    with start("reserved-one") as demo:
        aws = Aws(demo)

        def lost() -> bool:
            return bool(demo.ledger()["functions"].get("meter-gateway", {}).get("errors", 0))

        wait_for(lost)
        events = aws.log("/aws/lambda/meter-gateway")
        served = {e["logStreamName"] for e in events if e["message"].startswith("START ")}
        begun = {e["logStreamName"] for e in events if e["message"].startswith("INIT_START ")}
        errors = [e["message"] for e in events if e["message"].startswith("[ERROR]")]
        busiest = max(
            aws.metric("AWS/Lambda", "ConcurrentExecutions", "Maximum", FunctionName="meter-gateway")
        )
        aws.close()
    assert len(begun - served) == 1
    assert "ExclusiveSessionTaken" in errors[0]
    assert "exclusive connection is in use" in errors[0]
    assert busiest == 1


def test_an_execution_ends_before_the_next_takes_its_place(aws: Aws) -> None:
    """Two calls at once of a function with one reserved execution: one runs, one is refused."""
    name = aws.function("single", HOLD, Timeout=5)
    aws.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    refused: list[str] = []

    def call() -> None:
        try:
            aws.invoke(name, {"s": 0.5})
        except aws.functions.exceptions.TooManyRequestsException as error:
            refused.append(error.response["Reason"])

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(refused) == 1
    assert aws.counted(name)["throttles"] == 1
