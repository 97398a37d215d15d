"""The registry of detectors: one pure file each, `detect(world, now, settings)` → findings.

A detector reads the World and nothing else, so the order in which events arrived cannot change what it
says. A detector name of the contract that is not in REGISTRY is not built in this version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lambdatop.domain.detectors import dlq_growth, error_rate, sqs_redelivery, throttled
from lambdatop.domain.finding import Finding, continue_from
from lambdatop.domain.settings import Settings
from lambdatop.domain.world import World

Detect = Callable[[World, float, Settings], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Detector:
    """One detector with what the documentation says of it."""

    name: str
    detect: Detect
    formula: str
    traps: str


REGISTRY: Mapping[str, Detector] = {
    module.NAME: Detector(module.NAME, module.detect, module.FORMULA, module.TRAPS)
    for module in (sqs_redelivery, dlq_growth, error_rate, throttled)
}


def detect_all(
    world: World, now: float, settings: Settings, previous: Iterable[Finding] = ()
) -> tuple[Finding, ...]:
    """All findings of this round, worst first; `since` continues from the previous round."""
    found = [f for d in REGISTRY.values() for f in d.detect(world, now, settings)]
    return continue_from(previous, found)
