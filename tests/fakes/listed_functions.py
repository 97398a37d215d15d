"""A source that lists one function, for commands that need no more of an account."""

from __future__ import annotations

from collections.abc import Sequence

from fakes.entries import SCOPE, WORKER

from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.events import Event, FunctionsListed

NOW = 1_800_000_000.0
GROUP = "/platform/orders"


class Functions:
    """The list of functions."""

    name = "functions"

    async def collect(self, view: View) -> Sequence[Event]:
        """Return one function."""
        return (FunctionsListed(SCOPE, NOW, (FunctionFacts(WORKER, "arn", log_group=GROUP),)),)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no floor."""
        return 0.0, ""
