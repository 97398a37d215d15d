"""The registry of detectors: one pure file each, `detect(sight)` → findings.

A detector reads its Sight and nothing else, so the order in which events arrived cannot change what it
says. A detector name of the contract that is not in REGISTRY is not built in this version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from lambdatop.domain.detectors.rules import (
    async_amplification,
    async_backlog,
    async_loss,
    batch_amplification,
    blocked_shard,
    cold_start_burst,
    cost_burn,
    dead_trigger,
    dlq_growth,
    error_burst,
    error_rate,
    log_storm,
    loop_topology,
    memory_pressure,
    near_timeout,
    poison_message,
    proactive_init,
    quota_headroom,
    recent_change,
    resource_limit,
    risky_config,
    runaway_loop,
    sqs_redelivery,
    stream_lag,
    stream_loss,
    suspected_loop,
    throttled,
    timeouts,
)
from lambdatop.domain.figures.context import Sight
from lambdatop.domain.frozen import dataclass
from lambdatop.domain.plans.finding import Finding, continue_from
from lambdatop.domain.sections import section

Detect = Callable[[Sight], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Detector:
    """One detector with what the documentation says of it.

    `formula` with its window, `source` the numbers it reads, `traps` what else may look like it,
    `suggests` the mitigations that may fit, best first.
    """

    name: str
    detect: Detect
    formula: str
    source: str
    traps: str
    suggests: tuple[str, ...]


REGISTRY: Mapping[str, Detector] = {
    module.NAME: Detector(
        module.NAME, module.detect, module.FORMULA, module.SOURCE, module.TRAPS, module.SUGGESTS
    )
    for module in (
        async_amplification,
        async_loss,
        async_backlog,
        sqs_redelivery,
        poison_message,
        batch_amplification,
        dlq_growth,
        blocked_shard,
        stream_loss,
        stream_lag,
        near_timeout,
        timeouts,
        throttled,
        runaway_loop,
        suspected_loop,
        loop_topology,
        cold_start_burst,
        proactive_init,
        memory_pressure,
        resource_limit,
        error_rate,
        error_burst,
        cost_burn,
        dead_trigger,
        log_storm,
        quota_headroom,
        risky_config,
        recent_change,
    )
}


class Detected(NamedTuple):
    """The findings of a round, worst first, and a sentence for each detector that failed."""

    findings: tuple[Finding, ...]
    failed: tuple[str, ...]


def detect_all(sight: Sight, previous: Iterable[Finding] = ()) -> Detected:
    """All findings of this round; `since` continues from the previous round.

    What a detector that fails has said last stays: that it cannot tell does not mean that all is well.
    """
    found: list[Finding] = []
    failed: list[str] = []
    before = tuple(previous)
    for name, detector in REGISTRY.items():
        sight.breathe()

        def detect(detector: Detector = detector) -> list[Finding]:
            return list(detector.detect(sight))

        def instead(why: str, name: str = name) -> list[Finding]:
            failed.append(why)
            return [finding for finding in before if finding.detector == name]

        found += section(f"the findings of {name}", detect, instead)
    return Detected(continue_from(before, found), tuple(failed))
