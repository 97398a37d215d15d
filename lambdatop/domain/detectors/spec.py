"""Describe a detector: what it states, what it reads, where it stands in causal order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import asdict

from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.settings.thresholds import DetectorSettings

Detect = Callable[[EvaluationContext], Iterable[Finding]]


class DetectorSpec(Struct, frozen=True):
    """Everything that is known of a detector besides its thresholds; each rule's module exports one as SPEC.

    `causal` orders what explains what: of the findings of one incident the one with the lowest number is
    the cause (a change explains a full disk, a full disk explains errors). `says` is what a finding states,
    `formula` its rule with the names of its thresholds in braces, which `rule` fills in, `source` the
    numbers that it reads, `traps` what else may look like it, `suggests` the mitigations that may fit, best
    first.
    """

    name: str
    detect: Detect
    causal: int
    says: str
    formula: str
    source: str
    traps: str
    suggests: tuple[str, ...]

    def rule(self, limits: DetectorSettings) -> str:
        """Return the rule with the thresholds in force."""
        section = getattr(limits, self.name, None)
        return self.formula if section is None else self.formula.format_map(asdict(section))
