"""Detect resource_limit: a hard limit of the environment or of a payload was hit."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import with_unit
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.memory_sizes import RunSizes, past_sizes
from lambdatop.domain.log_analysis.digest import Digest, Failed, digest
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "resource_limit"
SUGGESTS = ("rollback_alias", "tune_trigger", "disable_trigger", "throttle_to_zero")

CRITICAL_FROM = 2
"""Executions from which on the share has a meaning: one of one has none."""

_WORDS = {
    "disk_full": "its /tmp is full",
    "too_many_files": "too many open files",
    "too_many_threads": "too many processes or threads",
    "out_of_memory": "out of memory",
    "payload_too_large": "payload too large",
    "package_too_large": "package too large",
    "environment_too_large": "environment too large",
}


def limit_of(kind: str, facts: FunctionFacts) -> str:
    """Return the limit behind a kind of failure, for this function.

    Source: Lambda developer guide, "Lambda quotas", "Response streaming for Lambda functions".
    """
    managed = facts.managed_instances
    descriptors = "4,096" if managed else "1,024"
    return {
        "disk_full": f"/tmp {facts.ephemeral_mb} MB",
        "too_many_files": f"{descriptors} file descriptors",
        "too_many_threads": "those of its instance" if managed else "1,024 processes and threads",
        "out_of_memory": f"memory {with_unit(facts.memory_mb, 'MB')}",
        "payload_too_large": "6 MB synchronous, 200 MB streamed, 1 MB asynchronous",
        "package_too_large": "250 MB unzipped, layers included",
        "environment_too_large": "4 KB of environment variables",
    }[kind]


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function, listing each limit that it hit."""
    limits = context.limits.resource_limit
    since = context.log_since(limits.window_min)
    for key, tail in context.world.logs.items():
        facts = context.world.functions.get(key)
        if facts is None:
            continue
        seen = digest(tail).since(since)
        hits: dict[str, list[Failed]] = {}
        past, ran = past_sizes(facts, seen.reports), RunSizes(seen.reports if seen.failures else ())
        for failure in seen.failures:
            if failure.signature == "out_of_memory" and ran.of(failure) in past:
                continue
            if failure.signature in _WORDS:
                hits.setdefault(failure.signature, []).append(failure)
        if sum(len(lines) for lines in hits.values()) >= limits.min_lines:
            sizes = [size for f in hits.get("out_of_memory", ()) if (size := ran.of(f))]
            sized = replace(facts, memory_mb=int(max(sizes))) if sizes else facts
            yield _finding(context, sized, seen, hits)


def _finding(
    context: EvaluationContext, facts: FunctionFacts, seen: Digest, hits: dict[str, list[Failed]]
) -> Finding:
    limits = context.limits.resource_limit
    kinds = sorted(hits, key=lambda kind: (-len(_executions(hits[kind])), kind))
    affected = len(set().union(*(_executions(lines) for lines in hits.values())))
    executions = len(seen.starts) or len(seen.reports)
    share = min(1.0, affected / executions) if executions else None
    limit = context.limit(NAME, facts.key, limits.critical_share, "critical")
    bad = share is not None and share >= limit and affected >= CRITICAL_FROM
    severity: Severity = "critical" if bad else "warning"
    evidence: list[tuple[str, float | int | str | None]] = []
    for kind in kinds:
        evidence += [
            (kind, len(_executions(hits[kind]))),
            (f"{kind}_limit", limit_of(kind, facts)),
            (f"{kind}_sample", redact(hits[kind][-1].text.split("\n", 1)[0])[0][:200]),
        ]
    first, more = kinds[0], len(kinds) - 1
    of_first = len(_executions(hits[first]))
    times = "1 execution" if of_first == 1 else f"{of_first} executions"
    title = f"{facts.name}: {_WORDS[first]} ({limit_of(first, facts)}) in {times}"
    fed = any(m.enabled for m in context.world.mappings_of(facts.key))
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        f"{title}, and {more} more limits" if more > 1 else f"{title}, and one more limit" if more else title,
        min(f.at for lines in hits.values() for f in lines),
        (
            ("kinds", ", ".join(kinds)),
            *evidence,
            ("executions_hit", affected),
            ("executions", executions or None),
            ("hit_share", None if share is None else round(share, 4)),
            ("window_min", limits.window_min),
        ),
        SUGGESTS if fed else ("rollback_alias", "throttle_to_zero"),
        f"{affected} of {executions or 'unknown'} executions hit a limit over {limits.window_min} min"
        + ("" if share is None else f" = {share:.0%} (critical from {limit:.0%})"),
    )


def _executions(failures: list[Failed]) -> set[str]:
    """Return the executions behind the lines: by request, or one per line that belongs to none."""
    return {f.request_id or f"{f.stream} {f.at}" for f in failures}


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=50,
    says="a hard limit of the environment or of a payload was hit",
    formula=(
        "lines of the last {window_min} min that show a full /tmp, too many open files, threads or "
        "processes, a payload, package or environment that is too large, or memory used up; share = "
        "executions hit / START lines"
    ),
    source="log tail, by the wording of each runtime (ENOSPC, EMFILE, EAGAIN, 413, OutOfMemory)",
    traps=(
        "a line that quotes another function's or service's limit; a client's own 413; one line is one "
        "sample: the share is known only where the tail holds START lines"
    ),
    suggests=SUGGESTS,
)
