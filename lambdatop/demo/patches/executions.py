"""Every execution passes here: counted in the ledger, logged in AWS's shape, answered in AWS's shape."""

from __future__ import annotations

import functools
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdatop.demo.emulator import _ministack as _private
from lambdatop.demo.emulator import platform_lines
from lambdatop.demo.emulator.execution import CURRENT, Execution, cause
from lambdatop.demo.emulator.ledger import Ledger
from lambdatop.demo.emulator.log_writer import LogWriter, group_name, stream_name
from lambdatop.demo.emulator.metric_store import Scope
from lambdatop.demo.emulator.runtime_worker import KILLED, MARK
from lambdatop.demo.patches import control_plane

# How long to wait for the rest of a dead worker's output, in seconds.
_OUTPUT_GRACE_S = 0.25


@dataclass(slots=True)
class Environment:
    """One execution environment: a worker process from its start to its end, with its own log stream."""

    stream: str
    started: float
    init_ms: float
    used: bool = False


def here() -> Scope:
    """Return the account and region that the present thread of control works for."""
    account, region = _private.get("core.responses.get_account_id"), _private.get("core.responses.get_region")
    return Scope(account(), region())


def worker_source() -> str:
    """Return the program that runs inside environments: ours, with ministack's loop guard appended."""
    own = (Path(__file__).parents[1] / "emulator" / "runtime_worker.py").read_text(encoding="utf-8")
    return f"{own}\n\n{_private.get('core.lambda_runtime.INVOKE_DEPTH_BOOTSTRAP')}\n\nrun()\n"


def parse_output(text: str) -> list[tuple[int, str]]:
    """Return (epoch ms, line) of a worker's raw output; a line without a stamp counts as now."""
    lines = []
    for line in text.splitlines():
        if line == MARK * 2:
            continue
        _, *rest = line.split(MARK, 2)
        stamped = len(rest) == 2 and rest[0].isdigit()
        lines.append((int(rest[0]), rest[1]) if stamped else (int(time.time() * 1000), line))
    return lines


class ExecutionRepair:
    """Wraps the places where ministack refuses, starts, runs and ends an execution."""

    def __init__(self, ledger: Ledger, logs: LogWriter) -> None:
        """Count in ``ledger``, log through ``logs``."""
        self._ledger = ledger
        self._logs = logs
        self.on_begin: list[Callable[[Execution, Any], None]] = []
        self._taking = threading.Lock()

    def install(self) -> None:
        """Put the wrappers in place."""
        _private.replace("core.lambda_runtime._PYTHON_WORKER_SCRIPT", lambda _: worker_source())
        _private.replace("core.lambda_runtime.Worker._drain_stderr_bounded", _until_mark)
        _private.replace("core.lambda_runtime.Worker._spawn", self._spawn)
        _private.replace("core.lambda_runtime.Worker.invoke", self._invoke)
        # ministack's own metrics and log lines would count and show each run a second time, wrongly.
        _private.replace("services.lambda_svc._emit_lambda_metrics", _silent)
        _private.replace("services.lambda_svc._emit_lambda_logs", _silent)
        _private.replace("services.lambda_svc._acquire_execution_slot", self._acquire)
        _private.replace("services.lambda_svc._execute_function_dispatch", self._dispatch)

    def _acquire(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def acquire(func: dict[str, Any], config: dict[str, Any]) -> Any:
            # An invocation holds a copy of the function's record; the cap of this moment counts.
            live = _private.get("services.lambda_svc._functions").get(config.get("FunctionName")) or func
            with self._taking:
                full = control_plane.pool_is_full(here(), live, config)
                slot, limit = (None, "account") if full else original(live, config)
            if slot is None:
                self._ledger.throttled(here(), config.get("FunctionName", "unknown"))
            return slot, limit

        return acquire

    def _dispatch(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def dispatch(
            func: dict[str, Any], config: dict[str, Any], event: Any, request_id: str, started: float
        ) -> Any:
            why = cause()
            name = config.get("FunctionName", "unknown")
            execution = Execution(here(), name, why.request_id or request_id, why, started=started)
            live = _private.get("services.lambda_svc._functions").get(name) or func
            execution.reserved = control_plane.is_set_aside(live, config)
            self._ledger.begin(execution)
            for hook in self.on_begin:
                hook(execution, event)
            token = CURRENT.set(execution)
            try:
                result = original(func, config, event, execution.request_id, started)
                _note_unseen_error(execution, result)
            except Exception as error:
                execution.error_type, execution.error_message = "Runtime.Unknown", str(error)
                raise
            finally:
                CURRENT.reset(token)
                self._ledger.finish(execution)
            return _shaped(result, execution)

        return dispatch

    def _spawn(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def spawn(worker: Any) -> None:
            began, clock = time.time(), time.perf_counter()
            worker.lambdatop_environment = environment = Environment(stream_name(worker.config), began, 0.0)
            line = platform_lines.init_start(worker.config.get("Runtime", ""), here().region)
            self._write(worker, [(int(began * 1000), line)])
            try:
                original(worker)
            finally:
                environment.init_ms = (time.perf_counter() - clock) * 1000
                self._write(worker, parse_output(worker._drain_stderr_bounded()))

        return spawn

    def _invoke(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def invoke(worker: Any, event: Any, request_id: str, **context: Any) -> Any:
            execution = CURRENT.get()
            if execution is None:
                return original(worker, event, request_id, **context)
            try:
                _private.get("core.lambda_runtime.ensure_spawned")(worker)
            except RuntimeError as failure:
                return self._init_failed(worker, execution, str(failure))
            environment: Environment = worker.lambdatop_environment
            execution.environment, execution.cold = environment.stream, not environment.used
            environment.used = True
            version = worker.config.get("Version", "$LATEST")
            self._write(
                worker, [(int(time.time() * 1000), platform_lines.start(request_id, version))], execution
            )
            context["durable"] = {**(context.get("durable") or {}), **_log_variables(worker)}
            clock = time.perf_counter()
            answer = original(worker, event, request_id, **context)
            execution.duration_ms = answer.get("duration_ms", (time.perf_counter() - clock) * 1000)
            self._conclude(worker, execution, answer)
            return answer

        return invoke

    def _conclude(self, worker: Any, execution: Execution, answer: dict[str, Any]) -> None:
        """Read the outcome from a worker's answer and write the rest of the log."""
        lines = parse_output(answer.get("log", ""))
        now_ms = max([int(time.time() * 1000), *(at for at, _ in lines)])
        status = _read_outcome(execution, answer, worker.config)
        if execution.failed and not status:
            text = platform_lines.error(execution.error_type, execution.error_message, execution.trace)
            lines.append((now_ms, text))
        crash_type = execution.error_type if status == "error" else ""
        report = platform_lines.report(
            execution.request_id,
            duration_ms=execution.duration_ms,
            init_ms=worker.lambdatop_environment.init_ms if execution.cold else None,
            memory_size_mb=int(worker.config.get("MemorySize", 128)),
            memory_used_mb=int(answer.get("memory_mb", 0)),
            status=status,
            error_type=crash_type,
        )
        lines += [(now_ms, platform_lines.end(execution.request_id)), (now_ms, report)]
        self._write(worker, lines, execution)

    def _init_failed(self, worker: Any, execution: Execution, text: str) -> dict[str, Any]:
        """Conclude an execution whose environment could not load the function."""
        kind, _, message = text.removeprefix("Worker init failed: ").partition(": ")
        environment: Environment = worker.lambdatop_environment
        execution.environment, execution.cold = environment.stream, True
        failure = {"type": kind, "message": message or text, "trace": []}
        answer = {"status": "error", "failure": failure, "log": ""}
        self._write(
            worker, [(int(time.time() * 1000), platform_lines.start(execution.request_id, "$LATEST"))]
        )
        self._conclude(worker, execution, answer)
        return answer

    def _write(self, worker: Any, lines: list[tuple[int, str]], execution: Execution | None = None) -> None:
        if execution is not None and execution.epoch != self._ledger.epoch:
            return  # Its log group was reset away.
        if lines:
            self._logs.write(group_name(worker.config), worker.lambdatop_environment.stream, lines)
        if execution is not None:
            execution.log += [text for _, text in lines]


def _log_variables(worker: Any) -> dict[str, str]:
    return {
        "AWS_LAMBDA_LOG_GROUP_NAME": group_name(worker.config),
        "AWS_LAMBDA_LOG_STREAM_NAME": worker.lambdatop_environment.stream,
    }


def _read_outcome(execution: Execution, answer: dict[str, Any], config: dict[str, Any]) -> str:
    """Fill in the error, if any; return what REPORT says under Status ("" unless the runtime gave up)."""
    failure = answer.pop("failure", None)
    if failure is not None:
        execution.error_type, execution.error_message = failure["type"], failure["message"]
        execution.trace = tuple(failure["trace"])
        answer.update(status="error", error=failure["message"], trace="".join(failure["trace"]))
        return ""
    if answer.get("status") == "ok":
        return ""
    text = str(answer.get("error", ""))
    if text.startswith("Task timed out"):
        execution.duration_ms = float(config.get("Timeout", 3)) * 1000
        execution.error_type = "Sandbox.Timedout"
        execution.error_message = f"RequestId: {execution.request_id} Error: {text}"
        return "timeout"
    execution.error_type = "Runtime.OutOfMemory" if text == KILLED else "Runtime.ExitError"
    execution.error_message = f"RequestId: {execution.request_id} Error: {text}"
    return "error"


def _note_unseen_error(execution: Execution, result: Any) -> None:
    """Take over an error that happened before a worker could answer, such as a missing interpreter."""
    if isinstance(result, dict) and result.get("error") and not execution.failed:
        body = result.get("body") or {}
        execution.error_type = body.get("errorType") or "Runtime.Unknown"
        execution.error_message = body.get("errorMessage") or ""


def _shaped(result: Any, execution: Execution) -> Any:
    """Give a failed execution the payload of AWS, and any execution the log tail of AWS."""
    if not isinstance(result, dict):
        return result
    if execution.failed:
        body: dict[str, Any] = {"errorType": execution.error_type, "errorMessage": execution.error_message}
        if not execution.timed_out:
            body |= {"requestId": execution.request_id, "stackTrace": list(execution.trace)}
        result |= {"body": body, "error": True, "function_error": "Unhandled"}
    result["log"] = "\n".join(execution.log)
    return result


def _silent(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def silent(*_args: Any, **_kwargs: Any) -> None:
        """Do nothing: the ledger does it."""

    return silent


def _until_mark(original: Callable[..., Any]) -> Callable[..., Any]:
    """Read a worker's output up to its end mark, instead of guessing when it is over."""

    @functools.wraps(original)
    def drain(worker: Any, *args: Any, **kwargs: Any) -> Any:
        if not str(worker.config.get("Runtime", "")).startswith("python"):
            return original(worker, *args, **kwargs)
        lines: list[str] = []
        deadline = time.monotonic() + _OUTPUT_GRACE_S
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                line = worker._stderr_queue.get(timeout=remaining)
            except queue.Empty:
                break
            if line == MARK * 2:
                break
            lines.append(line)
        return "\n".join(lines)

    return drain
