"""Find the detectors: each module in `rules` exports one SPEC, whose `detect(context)` gives findings.

A detector reads its evaluation context and nothing else, so the order in which events arrived cannot change
its findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple

from lambdatop.domain.detectors import rules
from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.plans.finding import Finding, continue_from
from lambdatop.domain.sections import section


def _found() -> dict[str, DetectorSpec]:
    """Return every SPEC of a module in `rules`, by name, in causal order."""
    names = sorted(module.name for module in iter_modules(rules.__path__))
    specs = [import_module(f"{rules.__name__}.{name}").SPEC for name in names]
    return {spec.name: spec for spec in sorted(specs, key=lambda spec: spec.causal)}


REGISTRY: Mapping[str, DetectorSpec] = _found()


class Detected(NamedTuple):
    """The findings of a round, worst first, and a sentence for each detector that failed."""

    findings: tuple[Finding, ...]
    failed: tuple[str, ...]


def detect_all(context: EvaluationContext, previous: Iterable[Finding] = ()) -> Detected:
    """Return all findings of this round; `since` continues from the previous round.

    Where a detector fails, its findings of the previous round stay: not knowing does not mean that all is
    well.
    """
    found: list[Finding] = []
    failed: list[str] = []
    before = tuple(previous)
    for name, detector in REGISTRY.items():
        context.give_way()

        def detect(detector: DetectorSpec = detector) -> list[Finding]:
            return list(detector.detect(context))

        def instead(why: str, name: str = name) -> list[Finding]:
            failed.append(why)
            return [finding for finding in before if finding.detector == name]

        found += section(f"the findings of {name}", detect, instead)
    return Detected(continue_from(before, found), tuple(failed))
