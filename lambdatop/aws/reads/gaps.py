"""Describe what could not be read: values instead of facts, gaps of a source, and sentences for a plan."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TypeVar

from lambdatop.aws.sdk.walls.allowlist import iam_action
from lambdatop.domain.errors import (
    CredentialsError,
    Denied,
    NotAnswered,
    NotSupported,
    NotThere,
    SourceError,
    Throttled,
    Unreachable,
)
from lambdatop.domain.facts.not_read import Gap, NotKnown, Reason
from lambdatop.domain.keys import Scope
from lambdatop.domain.state.events import Event, GapsObserved

T = TypeVar("T")

ENDS_THE_ROUND = (Throttled, CredentialsError, Unreachable)
"""Errors that the next call would get, too, whatever it asks for; all others concern one operation."""


def reason_of(error: SourceError) -> Reason:
    """Return why the read that ended with `error` brought nothing."""
    if isinstance(error, Denied):
        return "denied"
    if isinstance(error, NotThere):
        return "not there"
    if isinstance(error, NotSupported):
        return "not supported"
    if isinstance(error, NotAnswered):
        return "not answered"
    return "throttled" if isinstance(error, Throttled) else "failed"


def not_known(error: SourceError, service: str, operation: str) -> NotKnown:
    """Return what is stored instead of the answer; AWS may have named another action than the operation's."""
    return NotKnown(reason_of(error), error.action or iam_action(service, operation))


def gap_of(source: str, error: SourceError, service: str, operation: str, target: str | None) -> Gap:
    """Return the same as a gap of a source."""
    unread = not_known(error, service, operation)
    return Gap(source, unread.action, target, unread.reason)


class ReportedGaps:
    """The gaps that a source has reported last: it reports them again when they change."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._last: tuple[Gap, ...] = ()

    def changes(self, scope: Scope, at: float, gaps: Iterable[Gap]) -> tuple[Event, ...]:
        """Return one event when the gaps differ from those reported last, else none."""
        now = tuple(sorted(gaps, key=lambda gap: (gap.action, gap.target or "", gap.reason)))
        if now == self._last:
            return ()
        self._last = now
        return (GapsObserved(scope, at, self._source, now),)


class Gaps:
    """Sentences about what could not be read of one target, for its plan."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    async def read(self, action: str, unknown: str, work: Awaitable[T]) -> T | NotKnown:
        """Return the answer, or NotKnown and keep a sentence: `unknown` is what is unknown then."""
        try:
            return await work
        except SourceError as error:
            found = NotKnown(reason_of(error), error.action or action)
            if found.reason != "not answered":  # the plan says so where it matters
                self.sentences.append(f"{_why(found, action, error)}, so {unknown} unknown")
            return found


def _why(found: NotKnown, action: str, error: SourceError) -> str:
    if found.reason == "denied":
        return f"{found.action} is denied"
    return (
        found.why
        if found.reason in ("not there", "not supported")
        else f"{action} failed ({error.code or error})"
    )
