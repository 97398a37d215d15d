"""List prices of Lambda in this region, by the Price List API (GetProducts, free of charge).

Only where the user allows it (`prices.refresh`): the API lives in another region. What it does not say, or
while it is denied, the package's table stays in force. Log ingestion is not in Lambda's list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lambdatop.aws.facts.resources import json_object
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.errors import Denied, SourceError
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sources import PRICES
from lambdatop.domain.state.events import Event, PricesObserved

SERVICE_CODE = "AWSLambda"
PAGE = 100
USAGE_TYPES: Mapping[str, str] = {
    "Lambda-GB-Second": "gb_second_x86",
    "Lambda-GB-Second-ARM": "gb_second_arm64",
    "Request": "request",
    "Lambda-Storage-GB-Second": "ephemeral_gb_second",
    "Lambda-Provisioned-Concurrency": "provisioned_x86",
    "Lambda-Provisioned-Concurrency-ARM": "provisioned_arm64",
    "Lambda-Provisioned-GB-Second": "provisioned_run_x86",
    "Lambda-Provisioned-GB-Second-ARM": "provisioned_run_arm64",
}
"""Usage types without the prefix of their region (`EUC1-`), and the prices that they are."""

_PREFIX = re.compile(r"\A[A-Z]{2}[A-Z0-9]{0,10}-")
STAYS = "the prices of lambdatop's own table stay in force"
DEAREST_USD = 1.0
"""A price above this is not one of these units: a GB-second does not cost a dollar."""


class PricesSource:
    """One round reads the whole list of one region."""

    name = PRICES.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope

    async def collect(self, view: View) -> Sequence[Event]:
        """Return the region's prices; raises SourceError when the list holds none of them, and Denied."""
        try:
            return await self._read()
        except Denied as error:
            raise Denied(f"{str(error).rstrip('.')}; {STAYS}.", action=error.action) from None

    async def _read(self) -> Sequence[Event]:
        found: dict[str, float] = {}
        region = {"Type": "TERM_MATCH", "Field": "regionCode", "Value": self._scope.region}
        async for page in self._api.pages(
            "pricing",
            "GetProducts",
            token="NextToken",
            ServiceCode=SERVICE_CODE,
            Filters=[region],
            FormatVersion="aws_v1",
            MaxResults=PAGE,
        ):
            for text in page.get("PriceList") or ():
                found |= dict(_prices(text))
        if not found:
            raise SourceError(f"The price list names no price of Lambda in {self._scope.region}; {STAYS}.")
        now = self._api.now()
        day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
        return (PricesObserved(self._scope, now, day, tuple(sorted(found.items()))),)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the price list is free of charge, so its pace is the user's."""
        return 0.0, ""


SPEC = CollectorSpec(
    source=PRICES,
    make=lambda opened: PricesSource(opened.api, opened.scope),
    wanted=lambda settings: settings.prices.refresh,
)


def _prices(text: Any) -> Iterator[tuple[str, float]]:
    """Yield the price of one product in its first volume tier, by our name; nothing for any other product."""
    try:
        product = json_object(text) if isinstance(text, str) else text
        usage = str(product["product"]["attributes"]["usagetype"])
        offers = [d for t in product["terms"]["OnDemand"].values() for d in t["priceDimensions"].values()]
        first = [d for d in offers if float(d.get("beginRange") or 0) == 0]
        usd = float(first[0]["pricePerUnit"]["USD"])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError):
        return
    name = USAGE_TYPES.get(usage) or USAGE_TYPES.get(_PREFIX.sub("", usage, count=1))
    if name is not None and math.isfinite(usd) and 0 < usd < DEAREST_USD:
        yield name, usd
