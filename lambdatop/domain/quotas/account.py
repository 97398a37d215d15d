"""Make the account's quota rows: concurrency and who takes it, request rate, code storage, Lambda's API."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from heapq import nsmallest
from typing import NamedTuple

from msgspec.structs import replace

from lambdatop.domain.facts import quota_limits as q
from lambdatop.domain.facts.durable import RUNNING_METRIC
from lambdatop.domain.facts.function import LEAST_UNRESERVED, reservable
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.facts.series import EMPTY
from lambdatop.domain.keys import Key
from lambdatop.domain.quotas.scope_view import ScopeView, row
from lambdatop.domain.sources import METRICS
from lambdatop.domain.state.snapshot import QuotaRow

CONCURRENCY_ROW = "concurrent executions"
POOL_ROW = "unreserved pool"
TOP = 5
ENVIRONMENTS = "environments"
LEAST_SPAN_S = 30.0
"""Our own call rate is told from this span on, s."""


class Claim(NamedTuple):
    """What one function takes of the account's concurrency: environments, and whether they are reserved."""

    key: Key
    kind: str
    amount: float


def account_rows(view: ScopeView) -> Iterator[QuotaRow]:
    """Yield all of them; none of the concurrency before GetAccountSettings was read."""
    if view.account is not None:
        yield from _concurrency(view)
        yield from _storage(view)
    yield from _requests(view)
    yield from _durable(view)
    yield from _api(view)


def claims(view: ScopeView) -> list[Claim]:
    """Return what each function claims, largest first.

    A reservation counts whole, used or not (of a function with both only the reserved part, as AWS counts),
    then provisioned concurrency, and of all other functions what executes.
    """
    found = []
    world = view.world
    takers = {key for key, number in world.reserved.items() if number is not None}
    takers |= world.provisioned.keys() | view.levels.keys()
    for key in takers.intersection(view.functions):
        reserved = world.reserved.get(key)
        provisioned = sum(p.allocated for p in world.provisioned.get(key, (0.0, ()))[1])
        running = view.running(key) or 0.0
        if reserved is not None:
            found.append(Claim(key, "reserved", float(reserved)))
            continue
        if provisioned:
            found.append(Claim(key, "provisioned", float(provisioned)))
        beyond = running - provisioned
        if beyond > 0:
            found.append(Claim(key, "executing", beyond))
    return sorted((c for c in found if c.amount > 0), key=lambda c: (-c.amount, c.key))


def _concurrency(view: ScopeView) -> Iterator[QuotaRow]:
    account = view.account
    most = or_none(account.concurrency_limit) if account is not None else None
    if not most or account is None:
        return
    left = account.left
    if isinstance(left, NotKnown):
        yield _without_reservations(view, float(most), left)
        return
    limit, reserved = float(most), float(most - left)
    used, points, source, note = _claimed(view, f"at least the {reserved:.0f} that are reserved")
    as_of = view.world.accounts_at.get(view.scope, view.now)
    taken = claims(view)
    first = _first_throttled(view, taken)
    whole = row(
        CONCURRENCY_ROW,
        used,
        limit,
        ENVIRONMENTS,
        source,
        code=q.CONCURRENCY,
        points=points,
        as_of=as_of,
        note=note,
        target=_quota(view, CONCURRENCY_ROW),
    )
    stack = () if used is None else _stack(taken, used, reserved)
    yield replace(_with_consumers(whole, taken), stack=stack, first_throttled=first)
    free = [c for c in taken if c.kind != "reserved"]
    pool = row(
        POOL_ROW,
        None if used is None else max(0.0, used - reserved),
        float(left),
        ENVIRONMENTS,
        source,
        as_of=as_of,
        points=tuple((t, max(0.0, v - reserved)) for t, v in points),
        note=f"what reservations leave; AWS keeps {LEAST_UNRESERVED} of it that no reservation may take",
        target=_quota(view, POOL_ROW),
    )
    yield replace(_with_consumers(pool, free), first_throttled=first)
    held = row(
        "reserved by functions",
        reserved,
        limit,
        ENVIRONMENTS,
        "GetAccountSettings",
        as_of=as_of,
        own=True,
        note=f"{left} left for functions without a reservation, of which {reservable(left)} can be reserved",
    )
    yield _with_consumers(held, [c for c in taken if c.kind == "reserved"])


def _without_reservations(view: ScopeView, limit: float, left: NotKnown) -> QuotaRow:
    """Return the row of the whole account where what reservations leave is not known."""
    used, points, source, note = _claimed(view, "")
    words = f"what is reserved of it is {left.words}"
    made = row(
        CONCURRENCY_ROW,
        used,
        limit,
        ENVIRONMENTS,
        source,
        code=q.CONCURRENCY,
        points=points,
        as_of=view.world.accounts_at.get(view.scope, view.now),
        note=f"{note}; {words}" if note else words,
        target=_quota(view, CONCURRENCY_ROW),
    )
    taken = claims(view)
    return replace(_with_consumers(made, taken), first_throttled=_first_throttled(view, taken))


def _claimed(view: ScopeView, least: str) -> tuple[float | None, tuple[tuple[float, float], ...], str, str]:
    """Return what is claimed now, its points, its source, and a note where it is an approximation.

    `least` says how much is claimed for certain, "" where that is not known.
    """
    metric = "ClaimedAccountConcurrency"
    level = view.level(view.whole, metric)
    if level is not None:
        return level, view.points(view.whole, metric, "Maximum"), f"GetAccountSettings, {metric}", ""
    executing = view.level(view.whole, "ConcurrentExecutions")
    if executing is not None:
        points = view.points(view.whole, "ConcurrentExecutions", "Maximum")
        words = f"{metric} is not published: executions only, idle reservations come on top"
        return executing, points, "GetAccountSettings, ConcurrentExecutions", words
    unread = view.world.unread(METRICS)
    why = unread.why if unread.reason != "not asked" else f"{metric} has no point of the last minutes"
    note = f"what is used is not known ({why})"
    return None, (), "GetAccountSettings", f"{note}: {least}" if least else note


def _with_consumers(made: QuotaRow, taken: list[Claim]) -> QuotaRow:
    """Return the row with the functions that claim most of it."""
    amounts: dict[Key, float] = defaultdict(float)
    for claim in taken:
        amounts[claim.key] += claim.amount
    top = sorted(amounts.items(), key=lambda p: (-p[1], p[0]))[:TOP]
    return replace(made, consumers=tuple((k.id, v) for k, v in top), top=top[0][0] if top else None)


def _stack(taken: list[Claim], used: float, reserved: float) -> tuple[tuple[str, float], ...]:
    """Return the claim by kind, exact where possible: the remainder executes without a reservation."""
    provisioned = sum(c.amount for c in taken if c.kind == "provisioned")
    executing = max(0.0, used - reserved - provisioned)
    parts = (("reserved", reserved), ("provisioned", provisioned), ("executing", executing))
    return tuple((kind, amount) for kind, amount in parts if amount > 0)


def _first_throttled(view: ScopeView, taken: list[Claim]) -> str:
    """Return who is throttled first when the account's concurrency runs out."""
    missing = object()
    known = [view.world.reserved.get(key, missing) for key in view.functions]
    unread, kept = known.count(missing), sum(1 for number in known if number and number is not missing)
    free = unread + known.count(None)
    if not free:
        return "nobody: every function has a reservation of its own"
    by_use: dict[Key, None] = dict.fromkeys(c.key for c in taken if c.kind == "executing")
    names = ", ".join(k.id for k in list(by_use)[:3])
    count = f"{free:,} functions" if free > 1 else "1 function"
    others = f"; the {kept:,} with one keep it" if kept else ""
    others += f" ({unread:,} not read yet)" if unread else ""
    return (
        f"{count} without a reservation{f', {names} first' if names else ''}: synchronous callers get 429, "
        f"asynchronous events are tried again until they are too old{others}"
    )


def _requests(view: ScopeView) -> Iterator[QuotaRow]:
    most = or_none(view.account.concurrency_limit) if view.account is not None else None
    if not most:
        return
    minutes: dict[int, float] = defaultdict(float)
    latest: list[tuple[float, Key]] = []
    start, end = view.over.start, view.over.end
    for key, told in view.told:
        series = told.series.get(("Invocations", "Sum"), EMPTY)
        if not series.times or series.times[-1] < start:
            continue
        first, last = bisect_left(series.times, start), bisect_left(series.times, end)
        for at, value in zip(series.times[first:last], series.values[first:last], strict=True):
            minutes[at] += value / 60
        mean = series.sum(view.recent.start, end) / 60 / view.recent.minutes
        if mean > 0:
            latest.append((mean, key))
    if not minutes:
        return
    points = tuple((float(at), rate) for at, rate in sorted(minutes.items()))
    made = row(
        "request rate",
        points[-1][1] if points[-1][0] >= view.recent.start else None,
        float(q.REQUESTS_PER_ENVIRONMENT * most),
        "requests/s",
        "10 x the concurrency limit, Invocations",
        points=points,
        as_of=view.as_of(view.whole),
        note="every invocation counted; asynchronous ones have no such limit",
        target=_quota(view, "request rate"),
    )
    top = nsmallest(TOP, latest, key=lambda p: (-p[0], p[1]))
    yield replace(
        made,
        consumers=tuple((key.id, rate) for rate, key in top),
        top=top[0][1] if top else None,
        first_throttled="synchronous callers of every function, whatever its concurrency",
    )


def _durable(view: ScopeView) -> Iterator[QuotaRow]:
    """Yield the running durable executions, where a function is durable."""
    durable = [key for key in view.functions if view.world.functions[key].durable]
    if not durable:
        return
    limit = view.limits.get(q.RUNNING_DURABLE)
    most = limit.value
    if limit.assumed and view.scope.region in q.LARGE_REGIONS:
        most = float(q.RUNNING_EXECUTIONS_LARGE)
    used = view.level(view.whole, RUNNING_METRIC)
    unread = f"{RUNNING_METRIC} has no point of the last minutes; " if used is None else ""
    made = row(
        "durable executions",
        used,
        most,
        "executions",
        f"{RUNNING_METRIC}; limit: {limit.origin}",
        code=q.RUNNING_DURABLE,
        points=view.points(view.whole, RUNNING_METRIC, "Maximum"),
        as_of=view.as_of(view.whole),
        note=f"{unread}those that run, of {len(durable)} durable functions",
        assumed=limit.assumed,
        target=_quota(view, "durable executions"),
    )
    yield replace(made, top=durable[0] if len(durable) == 1 else None)


def _storage(view: ScopeView) -> Iterator[QuotaRow]:
    account = view.account
    most = or_none(account.code_size_limit_bytes) if account is not None else None
    if account is None or not most:
        return
    stored, many = or_none(account.code_size_bytes), or_none(account.function_count)
    sizes = nsmallest(
        TOP,
        ((f.code_size_bytes, k) for k in view.functions if (f := view.world.functions[k]).code_size_bytes),
        key=lambda p: (-p[0], p[1]),
    )
    made = row(
        "code storage",
        None if stored is None else float(stored),
        float(most),
        "bytes",
        "GetAccountSettings",
        code=q.CODE_STORAGE,
        as_of=view.world.accounts_at.get(view.scope, view.now),
        note=f"{'all' if many is None else many} functions with all their versions and layers",
        target=_quota(view, "code storage"),
        fixed=True,
    )
    yield replace(
        made,
        consumers=tuple((key.id, float(size)) for size, key in sizes),
        first_throttled="deployments: a new version or layer is refused, nothing that runs",
    )


def _api(view: ScopeView) -> Iterator[QuotaRow]:
    """Yield control plane's requests/s: the account's where a usage metric is known, else our own share."""
    limit = view.limits.get(q.CONTROL_PLANE)
    key, others = (
        _quota(view, q.CONTROL_PLANE),
        "what others call is not readable: no usage metric of it is known",
    )
    own = _own_calls(view)
    used, source, note = own, "our own calls", others
    if limit.usage is not None:
        calls = view.level(key, limit.usage.metric, limit.usage.stat)
        if calls is not None:
            used, source, note = calls / 60, f"{limit.usage.namespace} {limit.usage.metric}", ""
    if used is None:
        return
    made = row(
        "Lambda API rate",
        used,
        limit.value,
        "requests/s",
        f"{source}; limit: {limit.origin}",
        code=q.CONTROL_PLANE,
        note=note,
        assumed=limit.assumed,
        target=key,
    )
    shares = (("lambdatop", own),) if own else ()
    yield replace(
        made, consumers=shares, first_throttled="deployments, consoles and mitigations of the whole account"
    )


def _own_calls(view: ScopeView) -> float | None:
    """Return the requests/s of this process, over the last minutes."""
    seen = view.world.lambda_calls
    if len(seen) < 2 or seen[-1][0] - seen[0][0] < LEAST_SPAN_S:
        return None
    return (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])


def _quota(view: ScopeView, name: str) -> Key:
    return Key(view.scope, "quota", name)
