"""What Service Quotas says of Lambda in this account: applied values, whether they can be raised, their use.

Where it cannot be read, the documented defaults are used, and the rows made from them say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdatop.aws.reads.gaps import ReportedGaps, gap_of
from lambdatop.aws.reads.metric_data import observe, span_until
from lambdatop.aws.reads.metric_queries import Query
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.errors import CredentialsError, Denied, SourceError, Throttled
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.facts.quota_limits import CONCURRENCY, DOCUMENTED, NAMED, SIZES, QuotaLimit, UsageMetric
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sanitize import clean_line, clean_name
from lambdatop.domain.sources import QUOTAS
from lambdatop.domain.state.events import Event, MetricsObserved, QuotasObserved
from lambdatop.domain.state.world import World

USAGE_MIN = 15
"""History of a usage metric that is asked for, minutes."""

_UNITS: Mapping[str, float] = {
    "bytes": 1,
    "kilobytes": 1024,
    "megabytes": 1024**2,
    "gigabytes": 1024**3,
    "terabytes": 1024**4,
}


class QuotasSource:
    """ListServiceQuotas of `lambda`, and the usage metrics that it names (one unit each)."""

    name = QUOTAS.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._known: tuple[QuotaLimit, ...] = ()
        self._reported = ReportedGaps(self.name)

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one round; a service that is not there (or not reachable) is a gap, not a failure."""
        at, gap, unread = self._api.now(), "", list[Gap]()
        try:
            self._known = await self._limits()
        except (Denied, Throttled, CredentialsError):
            raise
        except SourceError as error:
            kept = "; its last answer is still used" if self._known else ""
            gap = f"Service Quotas does not answer here, {clean_line(error.code or str(error), 80)}{kept}"
            unread = [gap_of(self.name, error, "service-quotas", "ListServiceQuotas", None)]
        observed = QuotasObserved(self._scope, at, self._known, gap)
        usage = [limit for limit in self._known if limit.usage is not None and limit.code != CONCURRENCY]
        news = self._reported.changes(self._scope, at, unread)
        if not usage:
            return (observed, *news)
        return (observed, await self._used(usage, view.world), *news)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    async def _limits(self) -> tuple[QuotaLimit, ...]:
        found = {}
        async for page in self._api.pages(
            "service-quotas", "ListServiceQuotas", token="NextToken", ServiceCode="lambda", MaxResults=100
        ):
            for item in page.get("Quotas") or ():
                limit = quota_limit(item)
                if limit is not None:
                    found[limit.code] = limit
        return tuple(found[code] for code in sorted(found))

    async def _used(self, limits: Sequence[QuotaLimit], world: World) -> MetricsObserved:
        """Return the newest minutes of the usage metrics."""
        queries = [_query(self._scope, one) for one in limits]
        return await observe(self._api, self._scope, queries, span_until(self._api.now(), USAGE_MIN), world)


SPEC = CollectorSpec(
    source=QUOTAS,
    make=lambda opened: QuotasSource(opened.api, opened.scope),
    trials=(("service-quotas", "ListServiceQuotas", {"ServiceCode": "lambda", "MaxResults": 1}),),
)


MOST = 1e15
"""No quota is larger; a value beyond it is a mistake."""


def quota_limit(item: Mapping[str, Any]) -> QuotaLimit | None:
    """Return one quota of an answer; None for one that is not used here, or whose number is not usable."""
    code, value = clean_name(str(item.get("QuotaCode") or "")), item.get("Value")
    if code not in DOCUMENTED or not isinstance(value, (int, float)) or not 0 < value < MOST:
        return None
    if NAMED.get(code, "") not in str(item.get("QuotaName") or "").lower():
        return None
    unit = str(item.get("Unit") or "").lower()
    if code in SIZES and unit not in _UNITS:
        return None  # the unit is not known: the documented limit is the better guess, and is shown as one
    applied = float(value) * (_UNITS[unit] if code in SIZES else 1)
    return QuotaLimit(code, applied, "Service Quotas", _usage(item))


def _usage(item: Mapping[str, Any]) -> UsageMetric | None:
    usage = item.get("UsageMetric") or {}
    namespace, metric = usage.get("MetricNamespace"), usage.get("MetricName")
    if not namespace or not metric:
        return None
    dimensions = (usage.get("MetricDimensions") or {}).items()
    return UsageMetric(
        clean_line(str(namespace), 255),
        clean_line(str(metric), 255),
        tuple(sorted((clean_line(str(k), 255), clean_line(str(v), 1024)) for k, v in dimensions)),
        clean_name(str(usage.get("MetricStatisticRecommendation") or "Maximum")),
    )


def _query(scope: Scope, limit: QuotaLimit) -> Query:
    usage = limit.usage or UsageMetric("", "", (), "")
    series = SeriesKey(Key(scope, "quota", limit.code), usage.metric, usage.stat)
    return Query(series, usage.namespace, usage.dimensions)
