"""Describe what the mutations that stand have done: their effect, and changes by others since. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from msgspec import Struct

from lambdatop.domain.facts.series import MINUTE, final_end
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.mitigations.one_by_one import ended
from lambdatop.domain.mitigations.redrive import FIELD as MOVE_TASK
from lambdatop.domain.mitigations.triggers import CHANGING
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import shows
from lambdatop.domain.settings.settings import MetricSettings
from lambdatop.domain.state.world import World

STANDS_S = 12 * 3600.0
"""Mutations older than this are history: their state is not looked at any more."""

BEFORE_MIN = 5
FALLEN = 0.5
"""Invocations have fallen when at most this share of what was before is left."""


class Changed(NamedTuple):
    """A field that differs from what we set."""

    field: str
    ours: Any
    now: Any


class Aftermath(Struct, frozen=True):
    """The present effect of an applied mutation.

    `effect` says in words what the metrics show, "" where none could; `proven` whether they show what was
    wanted, None while nothing can be told. `expires_at` is when events that wait because of it begin to
    expire (s since the epoch), `at_latest` that it may be sooner.
    """

    entry_id: str
    changed: tuple[Changed, ...] = ()
    effect: str = ""
    proven: bool | None = None
    expires_at: float | None = None
    at_latest: bool = False


def standing(entries: Iterable[Entry], scope: Scope, now: float) -> tuple[Entry, ...]:
    """Return applied mutations of `scope` that no newer one of ours has replaced, newest first."""
    claimed: set[tuple[Key, str]] = set()
    found: list[Entry] = []
    for entry in reversed(tuple(entries)):
        if entry.target.scope != scope or now - entry.at > STANDS_S:
            continue
        if entry.outcome not in ("applied", "unknown", "open"):
            continue
        if ended(entry.after):
            continue  # nobody changes that, and there may be a thousand of them
        mine = {(entry.target, field) for field in entry.after}
        if entry.outcome == "applied" and mine - claimed:
            found.append(entry)
        claimed |= mine
    return tuple(found)


def aftermaths(world: World, now: float, metrics: MetricSettings) -> tuple[Aftermath, ...]:
    """Return the aftermath of every mutation that stands, newest first."""
    found = (entry for scope in world.targets for entry in standing(world.journal, scope, now))
    return tuple(_aftermath(world, entry, now, metrics) for entry in found)


def _aftermath(world: World, entry: Entry, now: float, metrics: MetricSettings) -> Aftermath:
    effect, proven = _effect(world, entry, now, metrics)
    waits = entry.after.get("state") == "Disabled"
    known = entry.deadline if entry.deadline is not None else entry.deadline_latest
    at_latest = waits and known is not None and entry.deadline is None
    changed = tuple(_changed(world, entry, now))
    return Aftermath(entry.id, changed, effect, proven, known if waits else None, at_latest)


def _changed(world: World, entry: Entry, now: float) -> Iterator[Changed]:
    """Yield fields that were read after the outcome and differ from what we set.

    An outcome in the future is from before somebody set the clock back, so what is read now came after it.
    """
    since = entry.outcome_at or entry.at
    since = since if since <= now else float("-inf")
    for field, ours in entry.after.items():
        read = world.controls.get((entry.target, field))
        if read is None or field == MOVE_TASK or not since < read[0] <= now:
            continue
        if read[1] in CHANGING or shows({field: read[1]}, {field: ours}):
            continue
        yield Changed(field, ours, read[1])


def _effect(world: World, entry: Entry, now: float, metrics: MetricSettings) -> tuple[str, bool | None]:
    """Return what the published minutes since the mutation show."""
    if MOVE_TASK in entry.after:
        return _progress(world, entry)
    function = _function(world, entry)
    kind = _kind(entry)
    if function is None or not kind:
        return "", None
    if now < entry.at:
        return "when it was done is not known: the clock was set back since", None
    # A compressed timeline publishes some seconds as a minute: so long ago did it happen there.
    at = now - (now - entry.at) * metrics.times
    invocations = world.metric(function, "Invocations")
    before = invocations.sum(int(at) - BEFORE_MIN * MINUTE, int(at)) / BEFORE_MIN
    start, end = int(at // MINUTE + 1) * MINUTE, final_end(now, metrics.publish_delay_s)
    fetched = world.metrics_at.get(function)
    if end <= start or fetched is None or fetched < end:
        return "not visible yet: AWS publishes minutes late", None
    after = invocations.sum(end - MINUTE, end)
    words = f"{before:,.0f} → {after:,.0f} invocations/min"
    if kind == "start":
        return (words, True) if after else ("set; no traffic to prove it", None)
    if not before and not after:
        return "set; no traffic to prove it", None
    throttles = world.metric(function, "Throttles").sum(start, end)
    words += f", {throttles:,.0f} throttled since" if throttles else ""
    return words, after <= FALLEN * before


def _progress(world: World, entry: Entry) -> tuple[str, bool | None]:
    """Return how far a redrive has come; a queue that was read before the start shows nothing."""
    history = world.queues.get(entry.target)
    if history is None or not history.facts.redrive or history.facts.at <= entry.at:
        return "not seen yet", None
    queue = history.facts
    of = f" of about {queue.to_move:,}" if queue.to_move >= 0 else ""
    done = {"COMPLETED": True, "FAILED": False, "CANCELLED": False}.get(queue.redrive)
    return f"{queue.redrive}: {queue.moved:,}{of} moved", done


def _kind(entry: Entry) -> str:
    """Return whether it was to stop invocations or to start them; "" for what no metric shows."""
    # All planners come with it, which commands that change nothing do without.
    from lambdatop.domain.mitigations.provisioned import FIELD
    from lambdatop.domain.mitigations.registry import REGISTRY

    if any(field.startswith(FIELD) for field in entry.after):
        return ""
    spec = REGISTRY.get(entry.mitigation)
    if (spec and spec.stops) or entry.after.get("reserved_concurrency") == 0:
        return "stop"
    if entry.after.get("state") == "Disabled":
        return "stop"
    if (spec and spec.starts) or entry.after.get("state") == "Enabled":
        return "start"
    from_zero = entry.before.get("reserved_concurrency", 1) == 0
    return "start" if from_zero and "reserved_concurrency" in entry.after else ""


def _function(world: World, entry: Entry) -> Key | None:
    if entry.target.kind == "function":
        return entry.target
    mapping = world.mappings.get(entry.target)
    return mapping.function if mapping else None
