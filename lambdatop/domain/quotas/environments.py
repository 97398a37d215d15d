"""Make the quota rows of environments that count apart from the account's: of tenants, and on instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec.structs import replace

from lambdatop.domain.facts import quota_limits as q
from lambdatop.domain.facts.function_state import VCPUS, CapacityProvider
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.keys import Key
from lambdatop.domain.quotas.scope_view import ScopeView, row
from lambdatop.domain.state.snapshot import QuotaRow

TENANTS_UNTOLD = "no metric tells how many there are; idle ones count"


def environment_rows(view: ScopeView) -> Iterator[QuotaRow]:
    """Yield one row for each function with tenants, and for each capacity provider with a limit."""
    for key in view.functions:
        if view.world.functions[key].per_tenant:
            yield from _tenants(view, key)
    for key, (at, provider) in sorted(view.world.capacity_providers.items()):
        if key.scope == view.scope and provider.most_vcpus:
            yield _provider(view, provider, float(provider.most_vcpus), at)


def _tenants(view: ScopeView, key: Key) -> Iterator[QuotaRow]:
    """Yield the environments that tenants may have, by the function's own concurrency or the account's."""
    reserved = view.world.reserved_of(key)
    account = or_none(view.account.concurrency_limit) if view.account is not None else None
    concurrency = account if reserved is None or isinstance(reserved, NotKnown) else reserved
    if not concurrency:
        return
    unread = f"; its reserved concurrency is {reserved.words}" if isinstance(reserved, NotKnown) else ""
    made = row(
        f"tenant environments of {key.id}",
        None,
        q.TENANT_ENVIRONMENTS * concurrency,
        "environments",
        f"{q.TENANT_ENVIRONMENTS:g} x concurrency",
        scope="function",
        as_of=view.world.functions_at.get(view.scope),
        note=f"{TENANTS_UNTOLD}{unread}",
        target=key,
    )
    yield replace(made, first_throttled="invocations of tenants that have no free environment")


def _provider(view: ScopeView, provider: CapacityProvider, most: float, at: float) -> QuotaRow:
    """Return the vCPUs of a provider's instances, those that environments have and those that are left."""
    types = provider.instance_types
    minutes: dict[float, float] = defaultdict(float)
    newest: list[float | None] = []
    for of in () if isinstance(types, NotKnown) else types:
        key = provider.measured_as(of)
        levels = [view.level(key, metric, "Sum") for metric in VCPUS]
        if levels == [None] * len(VCPUS):
            continue  # instances of this type have ended
        newest += levels
        for metric in VCPUS:
            for moment, value in view.points(key, metric, "Sum"):
                minutes[moment] += value
    known = [value for value in newest if value is not None]
    used = sum(known) if known and len(known) == len(newest) else None
    runs = sorted(
        key.id for key in view.functions if view.world.functions[key].capacity_provider == provider.key.id
    )
    why = f"not known ({types.why})" if isinstance(types, NotKnown) else "without a point of the last minutes"
    unread = "" if used is not None else f"its vCPUs are {why}; "
    made = row(
        f"vCPUs of capacity provider {provider.key.id}",
        used,
        most,
        "vCPUs",
        "ListCapacityProviders, " + " + ".join(VCPUS),
        scope="capacity provider",
        points=() if used is None else tuple(sorted(minutes.items())),
        as_of=at,
        note=f"{unread}{provider.state}; runs {', '.join(runs[:3])}{' …' if len(runs) > 3 else ''}",
        target=provider.key,
        own=True,
    )
    return replace(made, first_throttled="its functions, when their environments need more instances")
