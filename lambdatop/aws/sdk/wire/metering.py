"""Count our own requests where they are sent, retries and the SDK's own requests included.

A request that never reaches AWS (no connection) is counted, too: the figure can only be too high.
"""

from __future__ import annotations

from typing import Any

from lambdatop.domain.cost.pricing import call_usd
from lambdatop.domain.ports.runtime import Meter

_NOTE = "lambdatop_price"


def install(session: Any, meter: Meter) -> None:
    """Register on a session, behind the guard and before its first client: what is refused is not counted."""

    def price(params: Any, model: Any, context: Any, **_: Any) -> None:
        service = model.service_model.service_name
        context[_NOTE] = (service, model.name, call_usd(service, model.name, params))

    def count(request: Any, **_: Any) -> None:
        noted = request.context.get(_NOTE)
        if noted is not None:
            meter.count(*noted)

    session.register("before-parameter-build", price, unique_id="lambdatop-price")
    session.register("request-created", count, unique_id="lambdatop-count")
