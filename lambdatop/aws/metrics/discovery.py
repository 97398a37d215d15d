"""Find the functions that ran lately by ListMetrics(RecentlyActive): 500 a request, $0.01 per thousand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lambdatop.aws.sdk.api import Api
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.sanitize import clean_name
from lambdatop.domain.state.events import ActivityObserved


async def active_functions(api: Api, scope: Scope, paid: Callable[[int], None]) -> ActivityObserved:
    """Return functions with a point of Invocations within the last three hours or a little more.

    A function that is new to CloudWatch appears some minutes late. `paid` is called for each page, which
    costs as much as one metric. Raises SourceError kinds.
    """
    asked_at, found = api.now(), set()
    async for page in api.pages(
        "cloudwatch",
        "ListMetrics",
        token="NextToken",
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName"}],
        RecentlyActive="PT3H",
    ):
        paid(1)
        for metric in page.get("Metrics") or ():
            dimensions: list[dict[str, Any]] = metric.get("Dimensions") or []
            # The same function appears again by version and alias (Resource), which are not asked for.
            if len(dimensions) == 1 and dimensions[0].get("Name") == "FunctionName":
                found.add(Key(scope, "function", clean_name(str(dimensions[0].get("Value") or ""))))
    return ActivityObserved(scope, asked_at, tuple(sorted(found)))
