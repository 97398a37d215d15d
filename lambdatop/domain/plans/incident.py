"""One incident: findings with one cause, the cause first."""

from __future__ import annotations

from msgspec import Struct

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Severity


class Incident(Struct, frozen=True):
    """Findings that belong together.

    `severity` is the worst of them, `since` the earliest (s since the epoch); `symptoms` follow the
    cause in the order in which one explains the next; `functions` are those concerned.
    """

    cause: Finding
    symptoms: tuple[Finding, ...]
    severity: Severity
    since: float
    functions: tuple[Key, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The cause, then its symptoms."""
        return (self.cause, *self.symptoms)

    @property
    def key(self) -> tuple[str, Key]:
        """What makes it the same incident in the next round, as long as its cause stays the same."""
        return self.cause.identity
