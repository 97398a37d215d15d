"""Detect suspected_loop: a function invokes itself through a cycle."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.series import MINUTE, Series
from lambdatop.domain.figures.comparison import against
from lambdatop.domain.figures.context import EvaluationContext, asked_from
from lambdatop.domain.figures.loop_traffic import (
    Traffic,
    backlogged,
    feeding_queue,
    grown,
    outside,
    self_fed,
    standing_at_cap,
)
from lambdatop.domain.figures.rates import began
from lambdatop.domain.figures.sudden_change import STAYS_MIN, burst
from lambdatop.domain.graph.nodes import key_of
from lambdatop.domain.graph.topology import FAILURES, POLLED, Cycle, graph, stopped_by_aws
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "suspected_loop"
SUGGESTS = ("disable_trigger", "throttle_to_zero", "stop_recursion", "disable_rule")

_RISING = 1.05
_GAIN = 1.02
JUMP = 10.0
"""What makes one event of one goes round as fast as it runs: a jump, and then no growth."""

_Reasons = tuple[tuple[str, str], ...]


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per loop, at its busiest function."""
    told: set[Key] = set()
    through = graph(context.world).through
    limits = context.limits.suspected_loop
    members = [(key, Traffic.of(context, key, limits.window_min)) for key in through]
    for key, traffic in sorted(members, key=lambda m: (-m[1].total, m[0])):
        facts = context.world.functions.get(key)
        if facts is None or key in told:
            continue
        for cycle in through[key]:
            if cycle.disabled:
                continue
            returned = cycle.only_failures
            reasons = _sent_back(context, cycle) if returned else _reasons(context, cycle, traffic)
            if reasons:
                told.update(cycle.functions)
                yield _finding(context, facts, cycle.starting_at(key), traffic, reasons)
                break


def _reasons(context: EvaluationContext, cycle: Cycle, traffic: Traffic) -> _Reasons:
    """Return evidence for a loop as (name, figures); () when there is none or it is explained otherwise."""
    key, limits = traffic.function, context.limits.suspected_loop
    least = context.limit(NAME, key, limits.min_per_min)
    factor = 1 + (limits.growth_factor - 1) * context.limit(NAME, key, 1.0)
    share = context.limit(NAME, key, limits.explained_share)
    found: list[tuple[str, str]] = []
    growing = grown(traffic, factor, limits.growth_min)
    if growing and traffic.last >= least and not backlogged(context, cycle, traffic, limits.growth_min):
        found.append(("growth", growing))
    busy = traffic.busy(least)
    if len(busy) >= limits.growth_min:
        fed = self_fed(context, cycle, traffic, busy, share)
        capped = standing_at_cap(context, cycle, traffic, limits.growth_min) if fed or cycle.certain else ""
        found += [("self_fed", fed)] if fed else []
        found += [("at_cap", capped)] if capped else []
    facts = context.world.functions.get(key)
    asked = asked_from(context, facts) if facts is not None else None
    jump = burst(context.world.metric(key, "Invocations"), traffic.end, JUMP, inf, least, asked)
    if jump and not found and not backlogged(context, cycle, traffic, STAYS_MIN):
        found.append(("jump", jump.words))
    if not found and context.stands(NAME, key) and feeding_queue(cycle, key) is None:
        # Growth ends at some limit while the loop goes on, and no queue tells.
        peak = max(traffic.counts, default=0.0)
        if traffic.last >= max(least, context.limit(NAME, key, peak)):
            found.append(("goes_on", f"{traffic.last:.0f} of {peak:.0f} invocations/min at most"))
    if not found or outside(context, cycle, traffic, 1 - limits.explained_share):
        return ()
    return tuple(found)


def _sent_back(context: EvaluationContext, cycle: Cycle) -> _Reasons:
    """Return the evidence that failures go round: who takes the dead letters sends back what fails again."""
    limits, metric = context.limits.suspected_loop, context.world.metric
    ends = {edge.target for edge in cycle.edges if edge.via in FAILURES}
    senders = [key_of(edge.target) for edge in cycle.edges if edge.source in ends and edge.via == POLLED]
    for key in senders:
        if key is None:
            continue
        over = context.window(key, limits.window_min)
        runs = metric(key, "Invocations").window(over.end - limits.growth_min * MINUTE, over.end)
        fed = {m.function for m in context.world.mappings.values() if m.source_queue in cycle.keys}
        failed = sum(metric(f, "Errors").sum(over.start, over.end) for f in fed - {key})
        if len(runs) >= limits.growth_min and min(runs) > 0 and failed:
            return (("sent_back", f"{key.id} takes dead letters {sum(runs) / len(runs):.0f} times a minute"),)
    return ()


def _finding(
    context: EvaluationContext, facts: FunctionFacts, cycle: Cycle, traffic: Traffic, reasons: _Reasons
) -> Finding:
    key, limits = facts.key, context.limits.suspected_loop
    stopped, stops = stopped_by_aws(context.world, cycle)
    dropped = context.world.metric(key, "RecursiveInvocationsDropped").sum(traffic.start, traffic.end)
    if dropped:
        stops = f"AWS stopped {dropped:.0f} chains of it"
    enough = (
        ""
        if cycle.only_failures
        else against(context, traffic.last, limits.min_per_min, 0, what=" invocations/min")
    )
    title = f"{facts.name} appears to invoke itself: {cycle.path}, {traffic.last:.0f} invocations/min"
    if stopped is False:
        title += "; AWS will not stop it"
    return Finding(
        NAME,
        _severity(context, cycle, traffic, reasons),
        Ref(key, facts.arn, facts.name),
        title,
        _since(context, traffic),
        (
            ("path", cycle.path),
            ("via", ", ".join(cycle.via)),
            (
                "certain",
                "yes" if cycle.certain else "no: the function knows the next hop, that it writes is likely",
            ),
            *reasons,
            ("invocations_per_min", traffic.last),
            ("stopped_by_aws", stops),
            ("window_min", (traffic.end - traffic.start) // MINUTE),
        ),
        _suggests(cycle, stops),
        "; ".join(filter(None, (*(words for _, words in reasons), enough))),
        cycle.keys,
    )


def _severity(context: EvaluationContext, cycle: Cycle, traffic: Traffic, reasons: _Reasons) -> Severity:
    """Return the severity; steady traffic over a merely likely hop may come from an unseen producer."""
    names = {name for name, _ in reasons}
    if "sent_back" in names:
        return "warning"
    if cycle.certain or "growth" in names or "at_cap" in names:
        return "critical"
    rising = traffic.rise > _RISING or traffic.gain(context, cycle) > _GAIN
    keeps = context.stands(NAME, traffic.function, "critical")
    return "critical" if rising or keeps else "warning"


def _since(context: EvaluationContext, traffic: Traffic) -> float:
    """Return minute (s since the epoch) from which on the function was as busy, or grew as it does now."""
    series = context.world.metric(traffic.function, "Invocations")
    least = min(context.limits.suspected_loop.min_per_min, max(traffic.counts, default=0.0))
    loud = Series(series.times, tuple(v if v >= least else 0.0 for v in series.values))
    start = began(loud, traffic.end, quiet_min=1)
    return float(start) if start is not None else context.now


def _suggests(cycle: Cycle, stops: str) -> tuple[str, ...]:
    """Return the mitigations that can break this cycle, those without loss first."""
    polled = any("event source mapping" in via for via in cycle.via)
    ruled = any(via.startswith("rule ") for via in cycle.via)
    fits = {
        "disable_trigger": polled,
        "throttle_to_zero": True,
        "stop_recursion": "switched off" in stops,
        "disable_rule": ruled,
    }
    return tuple(name for name in SUGGESTS if fits[name])


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=30,
    says="a function invokes itself through a cycle",
    formula=(
        "a cycle of the event graph through the function, and: invocations grow {growth_factor:g} times a "
        "minute for {growth_min} minutes; or its queue takes in (Sent) 0.8 to 1.25 of what gets done "
        "(Deleted) while it runs {min_per_min:g} times a minute or more; or its concurrency stands at its "
        f"cap; or invocations jump to {JUMP:g} times the most of the hour before and stay there; or "
        "dead letters "
        "are sent back while they go on failing. Critical but where the traffic is steady and a hop of the "
        "cycle is not certain"
    ),
    source="AWS/SQS Sent, Deleted, Visible; AWS/Lambda Invocations, ConcurrentExecutions; the event graph",
    traps=(
        "a ramp that a producer outside the cycle explains; a backfill, whose backlog was there before;"
        " a load test; durable functions, which replay; an outside producer that is not in the graph "
        "and sends as fast as the function works looks the same, which is why uncertain steady traffic "
        "is a warning only"
    ),
    suggests=SUGGESTS,
)
