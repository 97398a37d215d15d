"""What happens to a test that does not end: it fails, and says where every thread and every task stood.

pytest-timeout knows how long each test may take (`timeout` in pyproject.toml, or a mark). Here is what
comes then. A signal ends the wait of the main thread, and all stacks stand in the report of that test alone.
It comes again and again, since a loop may swallow it. A test that still goes on `GRACE` later, for example
inside of one call of C, ends the process, and with it the run (`--max-worker-restart=0`).
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

import pytest
import pytest_timeout
from _pytest.faulthandler import fault_handler_stderr_fd_key

GRACE = "timeout_grace"
PATIENCE_S = 60.0
"""How long a test waits for what must come; a busy machine is no reason for it not to come."""
AGAIN_S = 2.0
"""Between two signals."""
_LIMIT = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the grace."""
    parser.addini(GRACE, "seconds after its timeout at which a test ends the whole process", default="60")


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool | None:
    """Arm both limits; where there can be no signal, pytest-timeout ends the process from a thread."""
    if settings.method != "signal" or threading.current_thread() is not threading.main_thread():
        return None
    _arm(item, settings.timeout)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> None:
    """Disarm."""
    if _LIMIT in item.stash:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Give the teardown a time of its own: pytest lets go of all limits when a test has failed."""
    limit = item.stash.get(_LIMIT, 0.0)
    if limit:
        _arm(item, limit)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> None:
    """Give every place of a traceback a line: pytest ends the run over one that has none.

    Some instructions belong to no line, and a signal comes at any of them.
    """
    if call.excinfo is not None:
        error = call.excinfo.value
        call.excinfo = pytest.ExceptionInfo.from_exception(error.with_traceback(_lined(error.__traceback__)))


def _lined(trace: TracebackType | None) -> TracebackType | None:
    if trace is None:
        return None
    line: int | None = trace.tb_lineno
    first = trace.tb_frame.f_code.co_firstlineno
    return TracebackType(
        _lined(trace.tb_next), trace.tb_frame, trace.tb_lasti, first if line is None else line
    )


def _arm(item: pytest.Item, limit_s: float) -> None:
    def too_long(_: int, frame: FrameType | None) -> None:
        __tracebackhide__ = True
        if pytest_timeout.is_debugging():
            return  # somebody looks at it
        pytest.fail(f"Timeout (>{limit_s:g} s)\n{stacks(frame)}", pytrace=False)

    item.stash[_LIMIT] = limit_s
    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, limit_s, AGAIN_S)
    grace_s = float(item.config.getini(GRACE))
    stderr = item.config.stash[fault_handler_stderr_fd_key]
    faulthandler.dump_traceback_later(limit_s + grace_s, exit=True, file=stderr)


def stacks(main: FrameType | None) -> str:
    """Return where each thread runs (this one at `main`), and what each unfinished asyncio task waits for."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    own = threading.get_ident()
    found = []
    for ident, frame in sys._current_frames().items():
        shown = main if ident == own and main is not None else frame
        found.append(f"thread {names.get(ident, '?')}\n" + "".join(traceback.format_stack(shown)))
    for task in gc.get_objects():
        if isinstance(task, asyncio.Task) and not task.done():
            found.append(f"task {task.get_name()}\n" + "".join(f"{line}\n" for line in _awaited(task)))
    return "\n".join(found)


def _awaited(task: asyncio.Task[Any]) -> Iterator[str]:
    """Yield the chain of coroutines from the outermost to what is waited for."""
    waiting: Any = task.get_coro()
    while waiting is not None:
        kind = next((k for k in ("cr", "gi", "ag") if hasattr(waiting, f"{k}_frame")), "")
        frame = getattr(waiting, f"{kind}_frame", None)
        if frame is None:
            yield f"  {waiting!r}"
            return
        yield f'  File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_qualname}'
        waiting = getattr(waiting, f"{kind}_yieldfrom" if kind == "gi" else f"{kind}_await")
