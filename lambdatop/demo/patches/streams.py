"""Mappings: which source an execution comes from, how old its records are, and pollers that do not wait.

ministack polls all kinds of sources in one thread and runs stream handlers in it, so that a slow Kinesis
function delays every queue; here every shard has a thread of its own (``stream_followers.py``).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.execution import CAUSE, Cause, Execution
from lambdatop.demo.emulator.failure_record import arrival
from lambdatop.demo.emulator.ledger import Ledger
from lambdatop.demo.emulator.ledger_sources import SourceLedger
from lambdatop.demo.patches.aliases import effective
from lambdatop.demo.patches.executions import here
from lambdatop.demo.patches.stream_followers import Followers

_POLLERS = {
    "kinesis": "services.lambda_svc._poll_kinesis",
    "dynamodb": "services.lambda_svc._poll_dynamodb_streams",
}


class StreamRepair:
    """Wraps the pollers and the stream's put operations."""

    def __init__(self, ledger: Ledger, sources: SourceLedger) -> None:
        """Publish iterator ages in ``ledger`` and stream counters in ``sources``."""
        self._ledger = ledger
        self._sources = sources

    def install(self) -> None:
        """Put the wrappers in place and start to follow the streams."""
        _ministack.replace("services.lambda_svc._run_sqs_batch", _from_queue)
        for name in _POLLERS.values():
            _ministack.replace(name, _elsewhere)
        Followers(self._ledger).start()
        for name in ("services.kinesis._put_record", "services.kinesis._put_records"):
            _ministack.replace(name, self._counted)

    def on_begin(self, execution: Execution, event: Any) -> None:
        """Publish how old a stream batch is at the moment when it is handed over."""
        if execution.cause.source not in _POLLERS:
            return
        last = event["Records"][-1]
        at = time.time()
        age_s = at - arrival(last)
        self._ledger.iterator_age(execution.scope, execution.function, age_s, at)
        if execution.cause.source == "kinesis":
            stream = last["eventSourceARN"].rsplit("/", 1)[-1]
            self._sources.read(execution.scope, stream, age_s, at)

    def _counted(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def put(data: dict[str, Any]) -> Any:
            answer = original(data)
            name, stream = _ministack.get("services.kinesis._resolve_stream")(data)
            if stream and answer[0] == 200:
                records = data.get("Records") or [data]
                # Base64 carries three bytes in four characters.
                size = sum(len(str(r.get("Data", ""))) * 3 // 4 for r in records)
                self._sources.incoming(here(), name, len(records), size)
            return answer

        return put


def _from_queue(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def run(mapping: dict[str, Any], function: dict[str, Any], *args: Any) -> None:
        drawn, _ = effective(mapping["FunctionName"], mapping.get("Qualifier"))
        token = CAUSE.set(Cause("sqs"))
        try:
            original(mapping, drawn or function, *args)
        finally:
            CAUSE.reset(token)
            # ministack pauses the whole mapping for a second after each failure, AWS does not. Nothing
            # can spin: a failed message stays invisible for its visibility timeout.
            _ministack.get("services.lambda_svc._esm_backoff_until").pop(mapping["UUID"], None)

    return run


def _elsewhere(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def poll() -> bool:
        """Find nothing: other threads read this kind."""
        return False

    return poll
