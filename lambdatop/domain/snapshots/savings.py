"""Compute what stopping saves, in USD per hour, from a plan and the present cost. Pure.

    runs                  all that the function costs because it runs; provisioned concurrency goes on
    some runs             at most that: which runs are meant cannot be told
    runs by a trigger     the same; at most that where others invoke the function, too
    runs above a cap      the share of running time above the cap: 1 - cap / executions at once on average;
                          what is put off by the cap may be paid for later
    async attempts        attempts of asynchronous events beyond the first
    receives              receives of the queue's messages that are repeats, of each function it feeds

A plan whose target's burn is not known saves an unknown amount: None, never a guess.
"""

from __future__ import annotations

from msgspec.structs import replace

from lambdatop.domain.facts.callers import OFF
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.registry import planner
from lambdatop.domain.plans.plan import Plan, Saving
from lambdatop.domain.state.snapshot import FunctionRow, Snapshot, StormRow

RESERVED = "reserved_concurrency"


def saving(plan: Plan, snapshot: Snapshot) -> Saving | None:
    """Return what a plan saves per hour.

    None where it saves nothing by its nature, or the cost is not known.
    """
    if plan.undoes is not None:
        return None
    saves, target = planner(plan.mitigation).saves, plan.target.key
    if saves in ("runs", "some runs"):
        return _all(_row(snapshot, target), at_most=saves == "some runs")
    if saves == "runs by a trigger":
        return _trigger(snapshot, target)
    if saves == "runs above a cap":
        return _cap(_row(snapshot, target), plan.after.get(RESERVED))
    if saves == "async attempts":
        again = [s for s in snapshot.storms if s.function == target and s.invocation == "push async"]
        return _repeats(again, "attempts of asynchronous events beyond the first")
    if saves == "receives":
        fed = [s for s in snapshot.storms if s.queue is not None and s.queue.facts.key == target]
        return _repeats(fed, f"repeated receives from {target.id}")
    return None


def _row(snapshot: Snapshot, function: Key) -> FunctionRow | None:
    return next((row for row in snapshot.functions if row.key == function), None)


def _all(row: FunctionRow | None, *, at_most: bool = False) -> Saving | None:
    if row is None or row.burn is None:
        return None
    why = f"burn of {row.facts.name} now"
    if row.burn.provisioned:
        why += f"; ${row.burn.provisioned:.4g}/h of provisioned concurrency goes on"
    return Saving(row.burn.usage, row.burn.wasted, why, at_most)


def _trigger(snapshot: Snapshot, mapping: Key) -> Saving | None:
    """Return the whole cost if no other trigger is known: metrics do not separate runs by trigger."""
    found = next((m.facts for m in snapshot.mappings if m.facts.key == mapping), None)
    if found is None:
        return None
    others = [m for m in snapshot.mappings if m.facts.function == found.function and m.facts.key != mapping]
    others_push = (s for s in snapshot.storms if s.function == found.function and s.mapping is None)
    pushed = any(s.state not in OFF for s in others_push)
    shared = pushed or any(m.facts.enabled for m in others)
    saved = _all(_row(snapshot, found.function), at_most=shared)
    if saved is None or not shared:
        return saved
    return replace(saved, why=f"{saved.why}; it has other triggers, which go on")


def _cap(row: FunctionRow | None, wanted: object) -> Saving | None:
    if row is None or row.burn is None or not isinstance(wanted, int):
        return None
    running, burn = row.burn.running, row.burn
    if running <= wanted:
        words = f"{running:.1f} run at once on average, the cap is {wanted}: it cuts peaks only"
        return Saving(0.0, None, words)
    share = 1 - wanted / running
    words = f"{running:.1f} run at once on average, {wanted} at the cap: {share:.0%} of the burn of "
    words += f"{row.facts.name} now; work that waits is paid for later"
    return Saving(
        burn.usage * share, None if burn.wasted is None else burn.wasted * share, words, at_most=True
    )


def _repeats(storms: list[StormRow], what: str) -> Saving | None:
    known = [s.wasted_usd_per_hour for s in storms if s.wasted_usd_per_hour is not None]
    if not known:
        return None
    return Saving(sum(known), sum(known), what)
