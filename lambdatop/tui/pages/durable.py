"""Write the history of a durable execution as text: its status, its operations, and their errors. Pure."""

from __future__ import annotations

from lambdatop.domain.facts.durable import ExecutionHistory, Operation, RunningExecutions
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.units import span
from lambdatop.tui.pages.confirm import row, rows
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, fit, spans

STATUS_SLOT = {"RUNNING": "accent", "SUCCEEDED": "ok", "FAILED": "critical", "TIMED_OUT": "critical"}
STATE_SLOT = {"Failed": "critical", "TimedOut": "critical", "Succeeded": "ok"}
MOST_OPERATIONS = 40
"""Operations that are written, the newest."""
AGE, NAME, KIND, STATE = 6, 24, 15, 10


def found_text(found: RunningExecutions, width: int) -> Spans:
    """Return how many executions of each version run, and of which that is not known."""
    counts = [f"{of.label}: {of.words}" for of in found.versions if not isinstance(of.running, NotKnown)]
    pieces = [*rows("running", counts, width)]
    pieces += rows("not known", found.gaps, width, "warning", "warning")
    return tuple(pieces)


def history_text(history: ExecutionHistory, now: float, width: int) -> Spans:
    """Return everything about one execution, with secrets of its errors hidden."""
    pieces = [*row("status", _status(history, now), width, STATUS_SLOT.get(history.status, "warning"))]
    pieces += row("execution", history.path, width, "muted")
    if history.error:
        pieces += row("error", hidden(history.error), width, "critical")
    if isinstance(history.operations, NotKnown):
        return (*pieces, *row("history", history.operations.words, width, "warning"))
    pieces += row("invocations", _invocations(history), width, "warning" if history.failed else "")
    if history.last_failure:
        pieces += row("last failure", hidden(history.last_failure), width, "critical")
    if history.more:
        words = f"the newest {history.events:,} events; there are older ones, which were not read"
        pieces += row("history", words, width, "warning")
    for operation in history.operations[:MOST_OPERATIONS]:
        pieces += _operation(operation, now, width)
    left = len(history.operations) - MOST_OPERATIONS
    if left > 0:
        pieces += row("", f"and {left:,} older operations", width, "muted")
    return tuple(pieces)


def hidden(text: str) -> str:
    """Return a text that somebody's code wrote, with its secrets hidden."""
    return redact(text)[0]


def _status(history: ExecutionHistory, now: float) -> str:
    words = history.status
    if history.started is None:
        return words
    if history.ended is not None:
        return f"{words} after {span(max(0.0, history.ended - history.started))}"
    words += f" for {span(max(0.0, now - history.started))}"
    if history.timeout_s is not None:
        left = history.started + history.timeout_s - now
        words += (
            f", times out in {span(max(0.0, left))}" if left > 0 else ", its execution timeout has passed"
        )
    return words


def _invocations(history: ExecutionHistory) -> str:
    least = " or more" if history.more else ""
    return f"{history.invocations:,}{least} ended, {history.failed:,}{least} of them failed"


def _operation(operation: Operation, now: float, width: int) -> Spans:
    """Return one line of an operation, and its error below."""
    age = fmt.age(None if operation.at is None else now - operation.at)
    pieces = [*fit(spans((age, "muted")), AGE, "right"), Span(" ")]
    pieces += [*fit(spans(operation.name), NAME), Span(" ")]
    pieces += [*fit(spans((operation.kind, "muted")), KIND), Span(" ")]
    pieces += [*fit(spans((operation.state, STATE_SLOT.get(operation.state, ""))), STATE), Span(" ")]
    tail = f"{fmt.plural(operation.attempts, 'attempt')}"
    if operation.again_s is not None:
        tail += f", again {span(operation.again_s)} later"
    pieces += [Span(tail), Span("\n")]
    error = row("", hidden(operation.error), width, "critical") if operation.error else ()
    return (*pieces, *error)
