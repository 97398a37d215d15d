"""Make each function's quota rows: reservation, provisioned concurrency, request and scaling rates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from msgspec.structs import replace

from lambdatop.domain.facts import quota_limits as q
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.keys import Key
from lambdatop.domain.quotas.scope_view import Candidate, ScopeView, fullest, row
from lambdatop.domain.state.snapshot import QuotaRow

SHORT_MS = 100.0
"""Mean duration below which the rate of requests is reached before the concurrency (10/s each)."""

STEEP = 0.25


def function_rows(view: ScopeView) -> Iterator[QuotaRow]:
    """Yield the rows of high use, and the fullest of each kind."""
    world, exist = view.world, set(view.functions)
    reserving = [(key, number) for key, number in world.reserved.items() if number and key in exist]
    yield from fullest(_reserved(view, key, float(number)) for key, number in reserving)
    ready = [key for key, (_, found) in world.provisioned.items() if found and key in exist]
    yield from fullest(one for key in ready for one in _provisioned(view, key))
    yield from fullest(
        (one for key, number in reserving if (one := _requests(view, key, number))), at_least_one=False
    )
    yield from fullest((r for key in view.levels if (r := _scaling(view, key))), STEEP, at_least_one=False)


def unused_reservations(view: ScopeView, share: float) -> tuple[tuple[Key, int, float], ...]:
    """Return functions that used less than `share` of their reservation over an hour: reserved, maximum used.

    The largest unused part first. A function whose metrics were not asked for is not judged.
    """
    found = []
    for key in view.functions:
        reserved = view.world.reserved.get(key)
        if not reserved or key not in view.world.metrics_at:
            continue
        most = view.world.metric(key, "ConcurrentExecutions", "Maximum").max(
            view.over.end - 60 * MINUTE, view.over.end
        )
        used = most or 0.0
        if used < share * reserved:
            found.append((key, reserved, used))
    return tuple(sorted(found, key=lambda f: (f[2] - f[1], f[0])))


def _reserved(view: ScopeView, key: Key, limit: float) -> Candidate:
    used = view.running(key)
    return Candidate(f"reserved of {key.id}", used, limit, partial(_reserved_row, view, key, used, limit))


def _reserved_row(view: ScopeView, key: Key, used: float | None, limit: float) -> QuotaRow:
    made = row(
        f"reserved of {key.id}",
        used,
        limit,
        "environments",
        "GetFunctionConcurrency, ConcurrentExecutions",
        scope="function",
        as_of=view.as_of(key),
        target=key,
        own=True,
        points=view.points(key, "ConcurrentExecutions", "Maximum"),
    )
    return replace(made, first_throttled=f"{key.id} alone: others are not touched", top=key)


def _provisioned(view: ScopeView, key: Key) -> Iterator[Candidate]:
    for one in view.world.provisioned[key][1]:
        alias = Key(view.scope, "alias", f"{key.id}:{one.qualifier}")
        ready = float(one.available or one.allocated)
        level = view.level(alias, q.UTILISATION)
        used = 0.0 if level is None and view.measured(alias) else None if level is None else level * ready
        make = partial(_provisioned_row, view, key, alias, one, used, ready)
        yield Candidate(f"provisioned of {alias.id}", used, ready, make)


def _provisioned_row(
    view: ScopeView, key: Key, alias: Key, one: q.Provisioned, used: float | None, ready: float
) -> QuotaRow:
    spilled = view.world.metric(alias, q.SPILLOVER).sum(view.recent.start, view.recent.end)
    words = []
    if one.status and one.status != "READY":
        words.append(f"{one.status}: {one.allocated} of {one.requested} allocated, unusable until all are")
    if view.level(alias, q.UTILISATION) is None:
        idle = "no invocation lately, so no utilisation"
        words.append(idle if view.measured(alias) else "its utilisation is not known")
    if spilled:
        words.append(f"{spilled:.0f} invocations spilled over to standard concurrency")
    made = row(
        f"provisioned of {alias.id}",
        used,
        ready,
        "environments",
        f"GetProvisionedConcurrencyConfig, {q.UTILISATION}",
        scope="function",
        as_of=view.as_of(alias),
        points=tuple((t, v * ready) for t, v in view.points(alias, q.UTILISATION, "Maximum")),
        note=", ".join(words),
        target=key,
        own=True,
    )
    return replace(made, top=key, first_throttled="nobody: what is beyond it starts cold in the pool")


def _requests(view: ScopeView, key: Key, reserved: int) -> Candidate | None:
    """Return the request rate of a short function with a reservation.

    10/s per unit, whatever its concurrency shows.
    """
    start, end = view.recent.start, view.recent.end
    runs = view.world.metric(key, "Invocations").sum(start, end)
    if not runs or view.world.metric(key, "Duration").sum(start, end) / runs >= SHORT_MS:
        return None
    newest = view.world.metric(key, "Invocations").window(view.over.start, end)[-1] / 60
    limit = float(q.REQUESTS_PER_ENVIRONMENT * reserved)
    make = partial(_requests_row, view, key, newest, limit)
    return Candidate(f"request rate of {key.id}", newest, limit, make)


def _requests_row(view: ScopeView, key: Key, used: float, limit: float) -> QuotaRow:
    points = tuple((t, v / 60) for t, v in view.points(key, "Invocations", "Sum"))
    made = row(
        f"request rate of {key.id}",
        used,
        limit,
        "requests/s",
        "10 x its reserved concurrency, Invocations",
        scope="function",
        as_of=view.as_of(key),
        points=points,
        own=True,
        note="asynchronous invocations are counted too, though they have no such limit",
        target=key,
    )
    return replace(made, top=key, first_throttled=f"synchronous callers of {key.id}")


def _scaling(view: ScopeView, key: Key) -> Candidate | None:
    """Return steepest step between two minutes; a maximum per minute hides how fast it was reached within."""
    limit = view.limits.get(q.SCALING_RATE)
    if (view.running(key) or 0.0) < STEEP * limit.value:
        return None
    points = view.points(key, "ConcurrentExecutions", "Maximum")[-6:]
    step = max((b[1] - a[1] for a, b in pairwise(points) if b[0] - a[0] == MINUTE), default=0.0)
    if step <= 0:
        return None
    most = limit.value * q.REFILL_PER_MIN
    return Candidate(f"scaling rate of {key.id}", step, most, partial(_scaling_row, view, key, step, limit))


def _scaling_row(view: ScopeView, key: Key, step: float, limit: q.QuotaLimit) -> QuotaRow:
    words = f"{limit.value:,.0f} environments per 10 s; minute figures hide faster steps within a minute"
    made = row(
        f"scaling rate of {key.id}",
        step,
        limit.value * q.REFILL_PER_MIN,
        "environments/min",
        f"ConcurrentExecutions; limit: {limit.origin}",
        code=q.SCALING_RATE,
        scope="function",
        as_of=view.as_of(key),
        note=words,
        assumed=limit.assumed,
        target=key,
        own=True,
    )
    return replace(made, top=key, first_throttled=f"{key.id} alone, although its limits look free")
