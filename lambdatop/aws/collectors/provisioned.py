"""Provisioned concurrency: which functions have any, how much of it is ready, and how it is used.

No list operation returns which functions have it, and one call per function would take hours in a large
account. So CloudWatch is asked first whose provisioned concurrency was used lately (one call); these are
read in every round, all others in turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lambdatop.aws.facts import known
from lambdatop.aws.facts.known import round_robin
from lambdatop.aws.facts.resources import arn_text, whole
from lambdatop.aws.reads.gaps import ENDS_THE_ROUND, ReportedGaps, gap_of
from lambdatop.aws.reads.metric_data import observe, span_until
from lambdatop.aws.reads.metric_queries import Query
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.errors import CredentialsError, Missing, SourceError
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.facts.quota_limits import SPILLOVER, UTILISATION, Provisioned
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sanitize import clean_name
from lambdatop.domain.sources import PROVISIONED
from lambdatop.domain.state.events import Event, MetricsObserved, ProvisionedObserved
from lambdatop.domain.state.world import World

PER_ROUND = 20
MEASURED = 25
"""Versions and aliases whose use is asked for, two units each."""

HISTORY_MIN = 60

METRICS = ((UTILISATION, "Maximum"), (SPILLOVER, "Sum"))
"""Of each version or alias: a share 0..1, and invocations."""


class ProvisionedSource:
    """ListProvisionedConcurrencyConfigs of at most 20 functions a round, and two metrics of what there is."""

    name = PROVISIONED.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._asked: dict[Key, int] = {}
        self._found: dict[Key, tuple[Provisioned, ...]] = {}
        self._unread: dict[Key, Gap] = {}
        self._reported = ReportedGaps(self.name)
        self._used: list[Key] | None = None
        self._round = 0

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one round of functions; one that has just been deleted is left out."""
        self._round += 1
        at = self._api.now()
        keys = [f.key for f in known.functions(view, self._scope)]
        existing = set(keys)
        self._asked = {k: n for k, n in self._asked.items() if k in existing}
        self._found = {k: found for k, found in self._found.items() if k in existing}
        if not keys:
            return ()
        self._used = await self._used_lately()
        first = [k for k in (*self._found, *(self._used or ())) if k in existing]
        first = sorted(dict.fromkeys(first), key=lambda k: self._asked.get(k, 0))
        # A command that looks once does not wait for functions that use none.
        turns = self._round > 1 or self._used is None
        rest = round_robin(view, keys, self._asked, PER_ROUND, self._api.give_way) if turns else []
        answered = await self._read(list(dict.fromkeys((*first, *rest)))[:PER_ROUND])
        self._found |= {k: found for k, found in answered if found}
        for key, found in answered:
            if not found:
                self._found.pop(key, None)
        aliases = [Key(self._scope, "alias", f"{k.id}:{p.qualifier}") for k, p in self._every()]
        self._unread = {k: gap for k, gap in self._unread.items() if k in existing}
        news = self._reported.changes(self._scope, at, self._unread.values())
        observed = ProvisionedObserved(self._scope, at, tuple(answered))
        if not aliases:
            return (observed, *news)
        return (observed, await self._measured(aliases[:MEASURED], view.world), *news)

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return the functions that use provisioned concurrency and were not asked about yet.

        All functions, where CloudWatch did not say which use some.
        """
        keys = {f.key for f in known.functions(view, self._scope)}
        wanted = keys if self._used is None else keys.intersection(self._used)
        waiting = len(wanted - self._asked.keys())
        return (Gap(self.name, PROVISIONED.action, None, "not asked", waiting),) if waiting else ()

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    def _every(self) -> Iterator[tuple[Key, Provisioned]]:
        for key in sorted(self._found):
            yield from ((key, one) for one in self._found[key])

    async def _used_lately(self) -> list[Key] | None:
        """Return functions whose provisioned concurrency was in use in the last three hours by CloudWatch.

        None where CloudWatch does not answer: functions are found in turns then.
        """
        names: dict[str, None] = {}
        pages = self._api.pages(
            "cloudwatch",
            "ListMetrics",
            token="NextToken",
            Namespace="AWS/Lambda",
            MetricName=UTILISATION,
            RecentlyActive="PT3H",
        )
        try:
            async for page in pages:
                for metric in page.get("Metrics") or ():
                    for dimension in metric.get("Dimensions") or ():
                        if dimension.get("Name") == "FunctionName":
                            names[clean_name(str(dimension.get("Value") or ""))] = None
        except CredentialsError:
            raise
        except SourceError:
            return None
        return [Key(self._scope, "function", name) for name in names]

    async def _read(self, keys: Iterable[Key]) -> list[tuple[Key, tuple[Provisioned, ...]]]:
        answered, refused = [], list[SourceError]()
        for key in keys:
            try:
                found = await self._configs(key.id)
            except Missing:
                self._asked[key] = self._round
                continue
            except ENDS_THE_ROUND:
                raise
            except SourceError as error:
                refused.append(error)
                operation = "ListProvisionedConcurrencyConfigs"
                self._unread[key] = gap_of(self.name, error, "lambda", operation, key.id)
                self._asked[key] = self._round
                continue
            self._unread.pop(key, None)
            self._asked[key] = self._round
            answered.append((key, found))
        if refused and not answered:
            raise refused[0]
        return answered

    async def _configs(self, name: str) -> tuple[Provisioned, ...]:
        found = []
        async for page in self._api.pages(
            "lambda",
            "ListProvisionedConcurrencyConfigs",
            token="Marker",
            next_token="NextMarker",
            FunctionName=name,
        ):
            for item in page["ProvisionedConcurrencyConfigs"]:
                found.append(
                    Provisioned(
                        clean_name(arn_text(item.get("FunctionArn")).rsplit(":", 1)[-1]),
                        whole(item.get("RequestedProvisionedConcurrentExecutions")),
                        whole(item.get("AllocatedProvisionedConcurrentExecutions")),
                        whole(item.get("AvailableProvisionedConcurrentExecutions")),
                        clean_name(str(item.get("Status") or "")),
                    )
                )
        return tuple(sorted(found, key=lambda p: p.qualifier))

    async def _measured(self, aliases: Sequence[Key], world: World) -> MetricsObserved:
        """Return utilisation and spillover of the last hour."""
        queries = [_query(SeriesKey(alias, *metric)) for alias in aliases for metric in METRICS]
        span = span_until(self._api.now(), HISTORY_MIN)
        return await observe(self._api, self._scope, queries, span, world)


SPEC = CollectorSpec(
    source=PROVISIONED,
    make=lambda opened: ProvisionedSource(opened.api, opened.scope),
)


def _query(series: SeriesKey) -> Query:
    name = series.key.id.partition(":")[0]
    return Query(series, "AWS/Lambda", (("FunctionName", name), ("Resource", series.key.id)))
