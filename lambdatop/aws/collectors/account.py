"""Concurrency limit, what is left of it, and code storage of the account in this region."""

from __future__ import annotations

from collections.abc import Sequence

from lambdatop.aws.facts.resources import account_facts
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec, Renewed
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sources import ACCOUNT
from lambdatop.domain.state.events import AccountObserved, Event


class AccountSource:
    """Reads GetAccountSettings, and reports credentials that were renewed meanwhile.

    `renewed` returns a new identification when their expiry has changed, else None.
    """

    name = ACCOUNT.name

    def __init__(self, api: Api, scope: Scope, renewed: Renewed = lambda: None) -> None:
        self._api = api
        self._scope = scope
        self._renewed = renewed

    async def collect(self, view: View) -> Sequence[Event]:
        """Return the limits of the account, one event a round."""
        answer = await self._api.read("lambda", "GetAccountSettings")
        observed = AccountObserved(self._scope, self._api.now(), account_facts(answer))
        renewed = self._renewed()
        return (observed, renewed) if renewed is not None else (observed,)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""


SPEC = CollectorSpec(
    source=ACCOUNT,
    make=lambda opened: AccountSource(opened.api, opened.scope, opened.renewed),
    trials=(("lambda", "GetAccountSettings", {}),),
)
