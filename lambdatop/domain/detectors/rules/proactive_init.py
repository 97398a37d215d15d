"""Detect proactive_init: environments that initialise without serving, and what that means.

Lambda prepares environments ahead of requests, so INIT_START without START is normal. Reserved concurrency
caps invocations in flight, not environments: with reserved concurrency 1 a second, idle environment is no
violation, but what it opened while it initialised (the one connection that a resource allows) is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.log_analysis.digest import Digest, Environment, Failed, digest
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "proactive_init"
SUGGESTS = ("rollback_alias", "disable_trigger", "throttle_to_zero")

SMALL = 10
"""Reserved concurrency up to which one idle environment more is worth a word."""
INIT_LIMIT_S = 10.0
"""Longest initialisation on demand; stands in where no line says how long it took."""


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function with a small reservation and environments that served no request."""
    world = context.world
    for key, tail in world.logs.items():
        facts, reserved = world.functions.get(key), world.reserved.get(key)
        if facts is None or reserved is None or not 1 <= reserved <= SMALL:
            continue
        if not tail.complete and not context.stands(NAME, key):
            # A START may be among the lines that were not read.
            continue
        early = _early(context, tail, context.stands(NAME, key))
        if early:
            yield _finding(context, facts, reserved, digest(tail), early)


def _early(context: EvaluationContext, tail: LogTail, stands: bool) -> list[tuple[Environment, float]]:
    """Return environments of the window that did not serve right after initialization, with the gap in s."""
    limits = context.limits.proactive_init
    begin = context.log_since(2 * limits.window_min if stands else limits.window_min)
    until = min(context.now, tail.at or context.now)
    seen = digest(tail).environments
    init_s = max((e.init_ms / 1000 for e in seen if e.init_ms is not None), default=INIT_LIMIT_S)
    gaps = ((e, e.idle_s(until, init_s)) for e in seen if e.init_at is not None and e.init_at >= begin)
    return [(e, gap) for e, gap in gaps if gap is not None and gap > limits.gap_s]


def _finding(
    context: EvaluationContext,
    facts: FunctionFacts,
    reserved: int,
    whole: Digest,
    early: Sequence[tuple[Environment, float]],
) -> Finding:
    limits = context.limits.proactive_init
    over = context.window(facts.key, limits.window_min)
    errors = context.world.metric(facts.key, "Errors").sum(over.start, over.end)
    failures = whole.since(context.log_since(limits.window_min)).failures
    live = [e for e in whole.environments if e.last_at >= context.log_since(limits.window_min)]
    live += [e for e, _ in early if e not in live]
    unused = [e for e, _ in early if e.start_at is None]
    breaks = reserved == 1 and len(live) > 1 and (errors > 0 or bool(failures))
    severity: Severity = "warning" if breaks else "info"
    concurrency = context.world.metric(facts.key, "ConcurrentExecutions", "Maximum").max(over.start, over.end)
    widest = max(gap for _, gap in early)
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        _title(facts.name, len(live), len(early), breaks, _connections(failures)),
        min(e.init_at or context.now for e, _ in early),
        (
            ("reserved_concurrency", reserved),
            ("environments", len(live)),
            ("unused_inits", len(unused)),
            ("proactive_inits", len(early)),
            ("longest_gap_s", round(widest, 1)),
            ("streams", ", ".join(_short(e.stream) for e, _ in early[:5])),
            ("errors", errors),
            ("failures_in_log", len(failures)),
            ("connection_failures", _connections(failures)),
            ("sample", failures[-1].text.split("\n", 1)[0][:200] if breaks and failures else None),
            ("concurrency_max", concurrency),
            ("violation", "yes" if concurrency is not None and concurrency > reserved else "no"),
            ("meaning", "reserved concurrency caps invocations in flight, not environments: normal"),
            ("window_min", limits.window_min),
        ),
        _suggests(context, facts) if breaks else ("rollback_alias",),
        f"{len(early)} of {len(live)} environments: INIT_START, then no START for {widest:.0f} s "
        f"> {limits.gap_s:g} s, reserved concurrency {reserved}",
    )


def _title(name: str, live: int, early: int, breaks: bool, refused: int) -> str:
    if not breaks:
        return f"{name}: {early} of {live} environments initialised without serving (normal)"
    holds = "holds" if refused else "may hold"
    return f"{name} fails at reserved 1: an idle environment ({early} of {live}) {holds} its connection"


def _suggests(context: EvaluationContext, facts: FunctionFacts) -> tuple[str, ...]:
    fed = any(m.enabled for m in context.world.mappings_of(facts.key))
    return SUGGESTS if fed else ("rollback_alias", "throttle_to_zero")


def _connections(failures: Sequence[Failed]) -> int:
    return sum(1 for f in failures if f.signature == "connection_exhausted")


def _short(stream: str) -> str:
    """Return the end of a stream's name, which distinguishes environments."""
    return stream.rstrip("]")[-8:]


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=70,
    says="environments that initialise without serving, and what that means",
    formula=(
        "environments (log streams) of the last {window_min} min whose INIT_START was followed by no START "
        "within {gap_s:g} s of the end of their initialisation, where reserved concurrency is 1..10"
    ),
    source=(
        "log tail: INIT_START, START, Init Duration of each stream; reserved concurrency; AWS/Lambda Errors"
    ),
    traps=(
        "normal in itself: Lambda prepares and replaces environments ahead of requests; provisioned "
        "concurrency and SnapStart initialise long before a request by design; several streams are no "
        "violation of reserved concurrency, only ConcurrentExecutions above it would be"
    ),
    suggests=SUGGESTS,
)
