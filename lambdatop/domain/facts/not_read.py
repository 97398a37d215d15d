"""Describe what was not read: a value that replaces a fact, and the list of such reads.

Not known is not "no", not "none" and not AWS's default. A field that may not have been read has the type
`T | NotKnown`, so that whoever uses it has to say what holds then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, TypeVar

from msgspec import Struct

T = TypeVar("T")

Reason = Literal[
    "denied",
    "not there",
    "not supported",
    "throttled",
    "failed",
    "not answered",
    "contradictory",
    "not readable",
    "too many",
    "incomplete",
    "no point",
    "never asked",
    "left out",
    "not asked",
    "out of time",
    "over the limit",
]
"""Why something is not known: the permission is missing, the endpoint lacks the operation, AWS does not
offer it for the resource (classes of logs), AWS asked for a slower pace, the read failed, the answer left it
out, the answer's figures exclude each other, the answer is not what AWS writes there, it names more than are
kept, it is marked as incomplete, its metric has no point, this version never reads it, this mode leaves it
out, its turn has not come yet, a command that looks once had no time left, or it is beyond what lambdatop
allows itself (budget, logs that are followed at once)."""

_UNASKED: dict[Reason, str] = {
    "no point": "its metric has no point of the last minutes",
    "never asked": "lambdatop does not read it",
    "left out": "not asked: a command that looks once leaves it out",
    "not asked": "not asked yet",
    "out of time": "not asked: time ran out",
    "over the limit": "not asked: beyond the budget or limits set",
}
_OF_THE_ANSWER: dict[Reason, str] = {
    "not answered": "does not say",
    "contradictory": "contradicts itself",
    "not readable": "cannot be understood",
    "too many": "names more than are kept",
    "incomplete": "is not complete: the newest points may be missing",
}
_IN_WORDS: dict[Reason, str] = {
    "not there": "this endpoint does not have it",
    **{reason: f"the answer {words}" for reason, words in _OF_THE_ANSWER.items()},
    **_UNASKED,
}


def reason_words(reason: Reason) -> str:
    """Return a reason in words, for a place that names the action itself."""
    return _IN_WORDS.get(reason, reason)


class NotKnown(Struct, frozen=True):
    """Replaces a fact that was not read; `action` is the IAM action that reads it, "" for several."""

    reason: Reason = "not asked"
    action: str = ""

    @property
    def why(self) -> str:
        """The reason in words: `lambda:GetPolicy denied`, `not asked yet`."""
        if self.reason in _UNASKED:
            return _UNASKED[self.reason]
        action = self.action or "its read"
        if self.reason == "not there":
            return f"{action.partition(':')[2] or action} is not there at this endpoint"
        if self.reason == "not supported":
            return f"AWS offers no {action} for it"
        if self.reason in _OF_THE_ANSWER:
            return f"the answer of {action} {_OF_THE_ANSWER[self.reason]}"
        return f"{action} {self.reason}"

    @property
    def remedy(self) -> str:
        """What whoever needs it may do: `Allow lambda:GetPolicy`, `Try again in a moment`."""
        if self.reason == "denied":
            return f"Allow {self.action or 'it'}"
        if self.reason == "not supported":
            return "Ask in another way"
        if self.reason == "never asked":
            return "Look it up in AWS"
        return "Ask an endpoint that has it" if self.reason == "not there" else "Try again in a moment"

    @property
    def words(self) -> str:
        """`not known (lambda:GetPolicy denied)`."""
        return f"not known ({self.why})"


NOT_ASKED = NotKnown()
"""Its turn has not come yet: only for what is going to be asked."""
NEVER_ASKED = NotKnown("never asked")
"""No version of this read exists here: "yet" would promise one."""
NO_POINT = NotKnown("no point")


def or_none(value: T | NotKnown) -> T | None:
    """Return the value, None where it is not known: only for callers to whom None means just that."""
    return None if isinstance(value, NotKnown) else value


def with_unit(value: int | NotKnown, unit: str) -> str:
    """Return `128 MB`, or `not known (the answer of lambda:ListFunctions does not say)`."""
    return value.words if isinstance(value, NotKnown) else f"{value} {unit}"


class Gap(Struct, frozen=True):
    """One read of a source that failed, while the source's other reads may have succeeded.

    `target` is the name of the function, queue, stream, topic … that it was about, None for all of them or
    for the account; `targets` is how many a gap without a name stands for.
    """

    source: str
    action: str
    target: str | None
    reason: Reason
    targets: int = 1

    @property
    def not_known(self) -> NotKnown:
        """The value that stands in the place of what this read would have told."""
        return NotKnown(self.reason, self.action)


class SourceGaps(NamedTuple):
    """All gaps of one source as reported at `at` (s since the epoch), and the value for each target."""

    at: float
    gaps: tuple[Gap, ...]
    by_target: Mapping[str | None, NotKnown]


def source_gaps(at: float, gaps: tuple[Gap, ...]) -> SourceGaps:
    """Return the gaps of a source, indexed by target."""
    return SourceGaps(at, gaps, {gap.target: gap.not_known for gap in gaps})


_LOST: dict[Reason, str] = {
    "denied": "denied",
    "not there": "not there",
    "not supported": "not offered by AWS",
    "throttled": "throttled",
    "failed": "failed",
    "not answered": "not answered",
    "contradictory": "answered with a contradiction",
    "not readable": "not readable",
    "too many": "with more than are kept",
    "incomplete": "answered in part",
    "out of time": "not made in time",
    "over the limit": "over the limits set",
}


def lost_reads(source: str, gaps: Iterable[Gap]) -> str:
    """Return `3 reads denied, 1 read failed` for one source; "" for none and for reads that are still due."""
    counted: Counter[str] = Counter()
    for gap in gaps:
        if gap.source == source and gap.reason in _LOST:
            counted[_LOST[gap.reason]] += gap.targets
    return ", ".join(f"{n:,} {'read' if n == 1 else 'reads'} {words}" for words, n in counted.items())
