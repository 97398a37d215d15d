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
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO

MARK = "\x1f"
_TASK_ROOT = "/var/task"
_REQUEST_ID = "_LAMBDATOP_REQUEST_ID"
_MAX_RESPONSE_BYTES = 6_291_556
_MAX_FILES = 1024
_WATCH_S = 0.02
KILLED = "Runtime exited with error: signal: killed"


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
        """Return False: this is not a terminal."""
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


class Memory:
    """This process's memory, as its kernel counts it, held to what the function was given.

    The file is opened once: a function that has used up its file descriptors is still watched.
    """

    def __init__(self, limit_mb: int) -> None:
        """Allow ``limit_mb``."""
        self.limit_mb = limit_mb
        self.running = threading.Event()
        try:
            self._status = os.open("/proc/self/status", os.O_RDONLY)
        except OSError:
            self._status = -1  # Not Linux: nothing is enforced.

    def peak_mb(self) -> int:
        """Return this process's own peak; ru_maxrss would inherit the server's across fork."""
        if self._status >= 0:
            return self._read_kb(b"VmHWM:") // 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // (1024 * 1024) if sys.platform == "darwin" else peak // 1024

    def watch(self, exceeded: Callable[[], None]) -> None:
        """Call ``exceeded`` from a thread of its own when a running function has more than it may."""

        def look() -> None:
            while self.running.wait():
                if self._read_kb(b"VmRSS:") // 1024 >= self.limit_mb:
                    exceeded()
                time.sleep(_WATCH_S)

        if self._status >= 0:
            threading.Thread(target=look, daemon=True).start()

    def _read_kb(self, field: bytes) -> int:
        text = os.pread(self._status, 4096, 0)
        return int(text.partition(field)[2].split(maxsplit=1)[0])


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


def _limit_files() -> None:
    """Allow as many open files and sockets as an execution environment of AWS does."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MAX_FILES if hard == resource.RLIM_INFINITY else min(_MAX_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _handed_over(result: Any) -> dict[str, Any]:
    """Return the result, or why it cannot be handed over, in the words of AWS."""
    try:
        size = len(json.dumps(result))
    except (TypeError, ValueError) as error:
        kind, text = "Runtime.MarshalError", f"Unable to marshal response: {error}"
    else:
        if size <= _MAX_RESPONSE_BYTES:
            return {"result": result}
        kind = "Function.ResponseSizeTooLarge"
        text = f"Response payload size ({size} bytes) exceeded maximum allowed payload size"
        text += f" ({_MAX_RESPONSE_BYTES} bytes)."
    return {"failure": {"type": kind, "message": text, "trace": []}}


def _answer(
    handler: Callable[[Any, Context], Any], init: dict[str, Any], message: dict[str, Any], memory: Memory
) -> dict[str, Any]:
    ctx = message.get("ctx") or {}
    _apply(ctx)
    context = Context(init, ctx, time.time() + float(os.environ.get("_LAMBDA_TIMEOUT", "3")))
    answer: dict[str, Any] = {"status": "ok", "result": None}
    began = time.perf_counter()
    try:
        result = handler(message["event"], context)
        answer.update(_handed_over(result))
    except Exception as error:  # Whatever the function raises is its result.
        answer["failure"] = _failure(error, init["code_dir"])
    answer["duration_ms"] = (time.perf_counter() - began) * 1000
    answer["memory_mb"] = min(memory.peak_mb(), memory.limit_mb)
    return answer


def run() -> None:
    """Run the worker protocol until stdin ends."""
    protocol = sys.stdout
    output: Any = Output(sys.stderr)
    sys.stdout = sys.stderr = output

    speaking = threading.Lock()

    def reply(answer: dict[str, Any]) -> None:
        with speaking:
            memory.running.clear()
            output.end()
            protocol.write(json.dumps(answer) + "\n")
            protocol.flush()

    def exceeded() -> None:
        """End the process at once, as Lambda does with a function over its limits."""
        with speaking:
            if memory.running.is_set():
                last = {"status": "error", "error": KILLED, "memory_mb": memory.limit_mb}
                protocol.write(json.dumps(last) + "\n")
                protocol.flush()
                os.kill(os.getpid(), signal.SIGKILL)

    init = json.loads(sys.stdin.readline())
    memory = Memory(int(init.get("memory", 128)))
    _limit_files()
    memory.watch(exceeded)
    try:
        handler = _load(init)
    except Exception as error:  # Whatever the module raises is a failed init.
        reply({"status": "error", "error": _load_failure(error, init["module"])})
        return
    reply({"status": "ready", "cold": True})
    for line in sys.stdin:
        memory.running.set()
        reply(_answer(handler, init, json.loads(line), memory))
