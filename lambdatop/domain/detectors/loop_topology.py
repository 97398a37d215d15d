"""loop_topology: the event graph closes into a cycle (telemetry D15, section 11)."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.finding import Finding, Ref, Severity
from lambdatop.domain.scope import Key
from lambdatop.domain.sight import Sight
from lambdatop.domain.topology import Cycle, cycles, edges, path_words

NAME = "loop_topology"
FORMULA = (
    "a cycle of mappings, dead-letter queues, destinations, subscriptions, notifications, rule targets and "
    "resources that a function's environment names"
)
SOURCE = "configuration of functions, mappings, queues, topics, buses and buckets"
TRAPS = (
    "an environment variable says that a function knows a queue, not that it writes there; a function that "
    "handles its own source's dead letters; filters and conditions in the code that end the cycle"
)
SUGGESTS = ("disable_trigger", "stop_recursion")


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per cycle, at the busiest function on it."""
    for cycle in cycles(edges(sight.world)):
        functions = [key for key in cycle.keys if key in sight.world.functions]
        if functions:
            yield _finding(sight, cycle, max(functions, key=lambda k: (_runs(sight, k), k)))


def _runs(sight: Sight, key: Key) -> float:
    over = sight.window(key, sight.limits.suspected_loop.window_min)
    return sight.world.metric(key, "Invocations").sum(over.start, over.end)


def _finding(sight: Sight, cycle: Cycle, key: Key) -> Finding:
    facts = sight.world.functions[key]
    unseen = cycle.unseen_by_aws
    triggers = sight.world.triggers_of(key)
    allowed = triggers is not None and triggers.recursive_loop == "Allow"
    dangerous = cycle.certain and not cycle.only_failures and (bool(unseen) or allowed)
    severity: Severity = "warning" if dangerous else "info"
    path = path_words(cycle)
    if unseen:
        stops = f"AWS does not detect loops through {', '.join(unseen)}"
    else:
        stops = "loop detection is switched off" if allowed else "AWS stops it after about 16 hops"
    return Finding(
        NAME,
        severity,
        Ref(key, facts.arn, facts.name),
        f"events can go round: {path}",
        facts.last_modified or sight.now,
        (
            ("path", path),
            ("via", ", ".join(edge.via for edge in cycle.edges)),
            ("certain", "yes" if cycle.certain else "no: an environment variable names a resource"),
            ("only_failures", "yes" if cycle.only_failures else "no"),
            ("stopped_by_aws", stops),
        ),
        SUGGESTS,
        f"{len(cycle.edges)} hops lead back to {facts.name}",
        tuple(k for k in cycle.keys if k.kind in ("function", "queue")) if severity != "info" else (),
    )
