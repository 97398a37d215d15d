"""Make quota rows of limits that one deployment or one request reaches: functions that come near."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from lambdatop.domain.facts import quota_limits as q
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.series import EMPTY, MINUTE, KnownSeries
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.digest import digest
from lambdatop.domain.quotas.scope_view import Candidate, ScopeView, fullest, row
from lambdatop.domain.state.snapshot import QuotaRow

SHOWN_FROM = 0.8
LOG_MIN = 15
"""How far back the log is looked through for limits that were hit, minutes."""

DEPLOYMENT = "the next deployment: what runs is not touched"


def static_rows(view: ScopeView) -> Iterator[QuotaRow]:
    """Yield functions above 80 % of a static limit, the fullest of each limit first."""
    kinds: dict[str, list[QuotaRow]] = {}
    least = {
        code: SHOWN_FROM * view.limits.get(code).value for code in (q.PACKAGE_DIRECT, q.ENVIRONMENT, q.LAYERS)
    }
    for key in view.functions:
        facts = view.world.functions[key]
        big = facts.code_size_bytes + facts.layers_size_bytes >= least[q.PACKAGE_DIRECT]
        if big or facts.layers >= least[q.LAYERS] or (facts.environment_bytes or 0) >= least[q.ENVIRONMENT]:
            for made in _listed(view, facts):
                kinds.setdefault(made.name.partition(" of ")[0], []).append(made)
    for key in view.world.triggers:
        known = view.world.functions.get(key)
        for made in _policy(view, known) if known is not None and key.scope == view.scope else ():
            kinds.setdefault("resource policy", []).append(made)
    kinds["timeout"] = [made for key, told in view.told for made in _timeout(view, key, told)]
    for key in view.world.logs:
        for made in _hit(view, key):
            kinds.setdefault(made.name.partition(" of ")[0], []).append(made)
    for rows in kinds.values():
        found = (Candidate(made.name, made.used, made.limit, partial(_same, made)) for made in rows)
        yield from fullest(found, SHOWN_FROM, at_least_one=False)


def _same(made: QuotaRow) -> QuotaRow:
    return made


def _listed(view: ScopeView, facts: FunctionFacts) -> Iterator[QuotaRow]:
    """Yield the limits that ListFunctions shows; none below 80 %."""
    zipped = facts.code_size_bytes + facts.layers_size_bytes
    if facts.package_type == "Zip" and zipped:
        yield from _package(view, facts, zipped)
    if facts.environment_bytes:
        yield from _near(
            view, facts, "environment", q.ENVIRONMENT, facts.environment_bytes, "bytes", "ListFunctions"
        )
    if facts.layers:
        yield from _near(view, facts, "layers", q.LAYERS, facts.layers, "layers", "ListFunctions")


def _policy(view: ScopeView, facts: FunctionFacts) -> Iterator[QuotaRow]:
    """Yield the resource policy, which is read function by function."""
    triggers = view.world.triggers_of(facts.key)
    if triggers.policy_bytes:
        yield from _near(
            view, facts, "resource policy", q.RESOURCE_POLICY, triggers.policy_bytes, "bytes", "GetPolicy"
        )


def _near(
    view: ScopeView,
    facts: FunctionFacts,
    what: str,
    code: str,
    used: float,
    unit: str,
    source: str,
    note: str = "",
) -> Iterator[QuotaRow]:
    limit = view.limits.get(code)
    if used < SHOWN_FROM * limit.value:
        return
    made = row(
        f"{what} of {facts.name}",
        float(used),
        limit.value,
        unit,
        f"{source}; limit: {limit.origin}",
        code=code,
        scope="function",
        as_of=view.world.functions_at.get(view.scope, view.now),
        note=note,
        assumed=limit.assumed,
        target=facts.key,
        fixed=True,
    )
    yield replace(made, first_throttled=DEPLOYMENT, top=facts.key)


def _package(view: ScopeView, facts: FunctionFacts, zipped: int) -> Iterator[QuotaRow]:
    """Yield the zipped size, all that a list shows: a lower bound of the unzipped one."""
    unzipped = view.limits.get(q.PACKAGE_UNZIPPED).value
    if zipped >= SHOWN_FROM * unzipped:
        words = "zipped, with layers: unzipped it is larger still"
        yield from _near(view, facts, "package", q.PACKAGE_UNZIPPED, zipped, "bytes", "ListFunctions", words)
    elif facts.code_size_bytes <= view.limits.get(q.PACKAGE_DIRECT).value:
        words = "zipped; the limit of a direct upload, from S3 it may be larger"
        size = facts.code_size_bytes
        yield from _near(view, facts, "package", q.PACKAGE_DIRECT, size, "bytes", "ListFunctions", words)


def _timeout(view: ScopeView, key: Key, told: KnownSeries) -> Iterator[QuotaRow]:
    """Yield the longest run of the last minutes against the function's own timeout."""
    durations = told.series.get(("Duration", "Maximum"), EMPTY)
    longest = durations.max(view.recent.start, view.recent.end) if durations.times else None
    if longest is None:
        return
    facts = view.world.functions[key]
    own_s = facts.longest_run_s
    if not own_s or longest < SHOWN_FROM * own_s * 1000:
        return
    limit = view.limits.get(q.TIMEOUT)
    most = max(limit.value, q.MANAGED_TIMEOUT_S) if facts.managed_instances else limit.value
    raised = own_s < most
    words = f"AWS allows {limit.value:,.0f} s ({limit.origin})" if raised else "it cannot be raised further"
    if raised and facts.managed_instances:
        words += f", {most:,.0f} s for asynchronous events and most event source mappings"
    made = row(
        f"timeout of {facts.name}",
        longest / 1000,
        own_s,
        "s",
        "Duration, ListFunctions",
        code=q.TIMEOUT,
        scope="function",
        as_of=view.as_of(facts.key),
        note=words,
        assumed=limit.assumed,
        target=facts.key,
        own=raised,
        fixed=True,
    )
    ends = "fails, while its code may run on," if facts.managed_instances else "is killed"
    yield replace(
        made, first_throttled=f"the invocation itself: it {ends} and, but for synchronous ones, repeated"
    )


def _hit(view: ScopeView, key: Key) -> Iterator[QuotaRow]:
    """Yield limits that the log shows as hit; the use between hits is not known."""
    facts = view.world.functions.get(key)
    if facts is None or key.scope != view.scope:
        return
    since = view.now - LOG_MIN * MINUTE / view.settings.metrics.times
    hits: dict[str, int] = {}
    for failure in digest(view.world.logs[key]).since(since).failures:
        hits[failure.signature] = hits.get(failure.signature, 0) + 1
    for signature, count in sorted(hits.items()):
        known = _limit_of(view, signature, facts)
        if known is None:
            continue
        what, code, value, unit, assumed = known
        times = "once" if count == 1 else f"{count} times"
        made = row(
            f"{what} of {facts.name}",
            value,
            value,
            unit,
            "log, by the wording of the runtime",
            code=code,
            scope="function",
            as_of=view.world.logs[key].at,
            assumed=assumed,
            target=key,
            note=f"hit {times} in {LOG_MIN} min; how full it is in between is not known",
            fixed=True,
        )
        yield replace(made, first_throttled="the invocation that hits it")


def _limit_of(
    view: ScopeView, signature: str, facts: FunctionFacts
) -> tuple[str, str, float, str, bool] | None:
    """Return name, code, value, unit, and whether it is assumed, of the limit behind a failure."""
    if signature == "disk_full":
        return "/tmp", "", float(facts.ephemeral_mb * q.MB), "bytes", False
    if signature == "too_many_files":
        if facts.managed_instances:
            return "file descriptors", q.DESCRIPTORS, q.MANAGED_DESCRIPTORS, "descriptors", False
        limit = view.limits.get(q.DESCRIPTORS)
        return "file descriptors", limit.code, limit.value, "descriptors", limit.assumed
    if signature == "payload_too_large":
        limit = view.limits.get(q.PAYLOAD_SYNC)
        return "synchronous payload", limit.code, limit.value, "bytes", limit.assumed
    return None
