"""The program inside an execution environment of the demo: loads a handler, answers one event at a time.

The server installs this file's text in the place of ministack's own worker (same line protocol on stdin and
stdout), because that one dies with every exception, hides the exception's type, and loads the SDK even for
functions that never use it. It runs in a bare Python process, so it may import nothing of ours.

stderr carries the function's output: ``US epoch-ms US text`` for each line, ``US US`` after each answer.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO

MARK = "\x1f"
_TASK_ROOT = "/var/task"
_REQUEST_ID = "_LAMBDATOP_REQUEST_ID"


class Output:
    """A text stream that stamps each line with the moment (epoch ms) at which it was finished."""

    def __init__(self, raw: TextIO) -> None:
        """Write through to ``raw``."""
        self._raw = raw
        self._open = ""

    def write(self, text: str) -> int:
        """Pass on the finished lines; keep the open one."""
        *whole, self._open = (self._open + text).split("\n")
        for line in whole:
            self._raw.write(f"{MARK}{int(time.time() * 1000)}{MARK}{line}\n")
        return len(text)

    def flush(self) -> None:
        """Push out what was passed on."""
        self._raw.flush()

    def isatty(self) -> bool:
        """Say that nobody sits here."""
        return False

    def end(self) -> None:
        """Finish an open line and tell the reader that the answer follows."""
        if self._open:
            self.write("\n")
        self._raw.write(f"{MARK}{MARK}\n")
        self._raw.flush()


class Context:
    """What AWS hands to a handler beside the event."""

    identity = None
    client_context = None

    def __init__(self, init: dict[str, Any], ctx: dict[str, Any], deadline: float) -> None:
        """Take the environment's constants and the invocation's own values."""
        self.function_name = init.get("function_name", "")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        self.memory_limit_in_mb = init.get("memory", 128)
        self.invoked_function_arn = ctx.get("invoked_function_arn", init.get("arn", ""))
        self.aws_request_id = ctx.get("request_id", "")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/" + self.function_name)
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before the timeout."""
        return max(0, int((self._deadline - time.time()) * 1000))


def _failure(error: Exception, code_dir: str) -> dict[str, Any]:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    trace = [text.replace(code_dir, _TASK_ROOT) for text in traceback.format_list(frames)]
    return {"type": type(error).__name__, "message": str(error), "trace": trace}


def _peak_memory_mb() -> int:
    """Return this process's own peak; ru_maxrss would inherit the server's across fork."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) // 1024
    except OSError:
        pass  # Not Linux.
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024) if sys.platform == "darwin" else peak // 1024


def _names_the_sdk(code_dir: str) -> bool:
    for entry in os.scandir(code_dir):
        if entry.name.endswith(".py"):
            with open(entry.path, "rb") as source:
                if b"boto" in source.read():
                    return True
    return False


def _configure_logging() -> None:
    """Give the root logger the line format of AWS's Python runtime."""
    import logging

    class Formatter(logging.Formatter):
        converter = staticmethod(time.gmtime)

        def format(self, record: logging.LogRecord) -> str:
            record.aws_request_id = os.environ.get(_REQUEST_ID, "")
            return super().format(record)

    if not logging.root.handlers:
        layout = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(Formatter(layout, "%Y-%m-%dT%H:%M:%S"))
        logging.root.addHandler(handler)


def _load(init: dict[str, Any]) -> Callable[[Any, Context], Any]:
    code_dir = init["code_dir"]
    os.environ.update(init.get("env", {}))
    sys.path.insert(0, code_dir)
    for layer in filter(None, os.environ.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep)):
        sys.path[:0] = [layer, os.path.join(layer, "python")]
    if _names_the_sdk(code_dir):
        # Appended by the server: carries the recursive-loop depth to whatever the function calls.
        globals().get("_ms_install_invoke_depth", lambda: None)()
    module = importlib.import_module(init["module"])
    if "logging" in sys.modules:
        _configure_logging()
    handler: Callable[[Any, Context], Any] = getattr(module, init["handler"])
    return handler


def _load_failure(error: Exception, module: str) -> str:
    if isinstance(error, AttributeError):
        return f"Runtime.HandlerNotFound: {error}"
    if isinstance(error, SyntaxError):
        return f"Runtime.UserCodeSyntaxError: Syntax error in module '{module}': {error}"
    if isinstance(error, ImportError):
        return f"Runtime.ImportModuleError: Unable to import module '{module}': {error}"
    return f"{type(error).__name__}: {error}"


def _apply(ctx: dict[str, Any]) -> None:
    """Put the values that change with each invocation where AWS puts them: into the environment."""
    values = {
        "_X_AMZN_TRACE_ID": ctx.get("trace_id"),
        "_MINISTACK_INVOKE_DEPTH": ctx.get("depth"),
        _REQUEST_ID: ctx.get("request_id"),
        **(ctx.get("durable") or {}),
    }
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = str(value)


def _answer(
    handler: Callable[[Any, Context], Any], init: dict[str, Any], message: dict[str, Any]
) -> dict[str, Any]:
    ctx = message.get("ctx") or {}
    _apply(ctx)
    context = Context(init, ctx, time.time() + float(os.environ.get("_LAMBDA_TIMEOUT", "3")))
    answer: dict[str, Any] = {"status": "ok", "result": None}
    began = time.perf_counter()
    try:
        result = handler(message["event"], context)
        try:
            json.dumps(result)
            answer["result"] = result
        except (TypeError, ValueError) as error:
            text = f"Unable to marshal response: {error}"
            answer["failure"] = {"type": "Runtime.MarshalError", "message": text, "trace": []}
    except Exception as error:  # Whatever the function raises is its result.
        answer["failure"] = _failure(error, init["code_dir"])
    answer["duration_ms"] = (time.perf_counter() - began) * 1000
    answer["memory_mb"] = _peak_memory_mb()
    return answer


def run() -> None:
    """Speak the worker protocol until stdin ends."""
    protocol = sys.stdout
    output: Any = Output(sys.stderr)
    sys.stdout = sys.stderr = output

    def say(answer: dict[str, Any]) -> None:
        output.end()
        protocol.write(json.dumps(answer) + "\n")
        protocol.flush()

    init = json.loads(sys.stdin.readline())
    try:
        handler = _load(init)
    except Exception as error:  # Whatever the module raises is a failed init.
        say({"status": "error", "error": _load_failure(error, init["module"])})
        return
    say({"status": "ready", "cold": True})
    for line in sys.stdin:
        say(_answer(handler, init, json.loads(line)))
