"""Findings: what a detector states, with its evidence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.keys import Key

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


class Ref(Struct, frozen=True):
    """What a finding or a plan is about: the key for the program, ARN and name for people."""

    key: Key
    arn: str
    name: str


class Finding(Struct, frozen=True):
    """One statement about one target.

    `evidence` maps names with units (`received`, `ratio`, `dlq_growth_per_min`) to numbers or words;
    `suggests` names mitigations, best first; `since` is s since the epoch. `formula` is the detector's
    formula with the numbers filled in ("30 received / 10 deleted = 3.0 >= 1.5"). `about` are the other
    things it is about (the function behind a queue, the hog behind a throttled victim): findings that
    share one are one incident. `remedy` is what the suggestions act on where that is not the target: a
    throttled victim is helped by capping the hog.
    """

    detector: str
    severity: Severity
    target: Ref
    title: str
    since: float
    evidence: tuple[tuple[str, float | int | str | None], ...] = ()
    suggests: tuple[str, ...] = ()
    formula: str = ""
    about: tuple[Key, ...] = ()
    remedy: Key | None = None

    @property
    def identity(self) -> tuple[str, Key]:
        """What makes two findings of consecutive rounds the same one."""
        return (self.detector, self.target.key)

    @property
    def rank(self) -> int:
        """0 info, 1 warning, 2 critical."""
        return SEVERITIES.index(self.severity)


def continue_from(previous: Iterable[Finding], current: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings of this round, worst first, each keeping the `since` of the round it began in."""
    began = {f.identity: f.since for f in previous}
    kept = [replace(f, since=min(f.since, began.get(f.identity, f.since))) for f in current]
    return tuple(sorted(kept, key=lambda f: (-f.rank, f.since, f.detector, f.target.name)))


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
