"""Detect loop_topology: the event graph contains a cycle."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.graph.topology import Cycle, graph, stopped_by_aws
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "loop_topology"
SUGGESTS = ("disable_trigger", "stop_recursion", "disable_rule")


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per cycle that nothing would stop; for merely possible cycles, one per function."""
    told: set[Key] = set()
    ranked = sorted(graph(context.world).cycles, key=lambda c: _severity(context, c)[0] != "warning")
    for cycle in ranked:
        functions = [key for key in cycle.functions if key in context.world.functions]
        if not functions or told.intersection(functions):
            continue
        told.update(functions)
        yield _finding(context, cycle, _target(context, functions))


def _target(context: EvaluationContext, functions: list[Key]) -> Key:
    """Return the function that represents the cycle: the former one while it stands, else the busiest."""
    return max(functions, key=lambda k: (context.stands(NAME, k), _runs(context, k), k))


def _runs(context: EvaluationContext, key: Key) -> float:
    over = context.window(key, context.limits.suspected_loop.window_min)
    return context.world.metric(key, "Invocations").sum(over.start, over.end)


def _severity(context: EvaluationContext, cycle: Cycle) -> tuple[Severity, str]:
    """Return how severe a cycle is by itself, and why."""
    if cycle.disabled:
        return "info", "a disabled mapping interrupts it"
    if cycle.only_failures:
        return "info", "only failures travel this way"
    if not cycle.certain:
        return "info", "possible: a function knows the next hop, whether it writes there is not visible"
    stopped, why = stopped_by_aws(context.world, cycle)
    return ("warning" if stopped is False else "info"), why


def _finding(context: EvaluationContext, cycle: Cycle, key: Key) -> Finding:
    facts, cycle = context.world.functions[key], cycle.starting_at(key)
    severity, why = _severity(context, cycle)
    certain = sum(edge.certain for edge in cycle.edges)
    others = sum(1 for c in graph(context.world).through[key] if set(c.nodes) != set(cycle.nodes))
    can = "loop without end" if severity == "warning" else "could loop"
    polled = any("event source mapping" in via for via in cycle.via)
    ruled = any(via.startswith("rule ") for via in cycle.via)
    fits = {"disable_trigger": polled, "stop_recursion": "switched off" in why, "disable_rule": ruled}
    return Finding(
        NAME,
        severity,
        Ref(key, facts.arn, facts.name),
        f"{facts.name}: events {can}, {cycle.path}",
        context.now,
        (
            ("path", cycle.path),
            ("via", ", ".join(cycle.via)),
            ("certain_hops", certain),
            ("hops", len(cycle.edges)),
            ("judgement", why),
            ("stopped_by_aws", stopped_by_aws(context.world, cycle)[1]),
            ("other_cycles", others or None),
        ),
        tuple(name for name in SUGGESTS if fits[name]),
        f"{len(cycle.edges)} hops lead from {facts.name} back to it, {certain} of them certain; {why}",
        tuple(k for k in cycle.keys if k.kind in ("function", "queue")) if severity != "info" else (key,),
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=40,
    says="the event graph contains a cycle",
    formula=(
        "a closed path of mappings, redrive policies, destinations, subscriptions, notifications, "
        "rules, and resources that a function's environment names; warning when each hop is certain and"
        " AWS would not stop the loop"
    ),
    source="configuration of functions, mappings, queues, topics, buses and buckets; resource policies",
    traps=(
        "an environment variable says that a function knows a table, not that it writes there; a hop "
        "that only failures take; a disabled mapping; a filter, or a condition in the code, that ends "
        "the cycle"
    ),
    suggests=SUGGESTS,
)
