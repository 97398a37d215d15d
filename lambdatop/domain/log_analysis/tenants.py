"""Count the requests of a log by tenant, for functions with tenant isolation. Pure.

Such functions name the tenant in the platform's lines and in those of the application where their log format
is JSON (Lambda developer guide, "Monitoring Lambda functions with tenant isolation"); in text no line does.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from lambdatop.domain.log_analysis.requests import FAILED, Request


class TenantRequests(Struct, frozen=True):
    """What a log says of one tenant; `tenant` is "" for requests of which no line names it.

    `share` is that of all failed requests of the log, 0..1; None where none has failed.
    """

    tenant: str
    requests: int
    failed: int
    share: float | None


def by_tenant(requests: Iterable[Request]) -> tuple[TenantRequests, ...]:
    """Return the tenants of these requests: most failures first, then most requests, then by name."""
    counted: dict[str, list[int]] = {}
    for request in requests:
        numbers = counted.setdefault(request.tenant, [0, 0])
        numbers[0] += 1
        numbers[1] += request.status in FAILED
    failed = sum(bad for _, bad in counted.values())
    found = (
        TenantRequests(tenant, many, bad, bad / failed if failed else None)
        for tenant, (many, bad) in counted.items()
    )
    return tuple(sorted(found, key=lambda t: (-t.failed, -t.requests, t.tenant)))
