"""Every source of this package, in the order in which they are worth starting."""

from __future__ import annotations

from lambdatop.aws.collectors.account import AccountSource, Renewed
from lambdatop.aws.collectors.alarms import AlarmsSource
from lambdatop.aws.collectors.concurrency import ConcurrencySource
from lambdatop.aws.collectors.cost_history import BurnHistorySource
from lambdatop.aws.collectors.event_graph import WiringSource
from lambdatop.aws.collectors.functions import FunctionsSource
from lambdatop.aws.collectors.mappings import MappingsSource
from lambdatop.aws.collectors.permissions import PermissionsSource
from lambdatop.aws.collectors.prices import PricesSource
from lambdatop.aws.collectors.provisioned import ProvisionedSource
from lambdatop.aws.collectors.queues import QueuesSource
from lambdatop.aws.collectors.quotas import QuotasSource
from lambdatop.aws.collectors.streams import StreamsSource
from lambdatop.aws.collectors.triggers import TriggersSource
from lambdatop.aws.logs.collector import LogsSource
from lambdatop.aws.metrics.collector import MetricsSource
from lambdatop.aws.reads.queues import QueueReader
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import Source
from lambdatop.domain.settings.settings import Settings


def build_sources(
    api: Api, scope: Scope, settings: Settings, renewed: Renewed = lambda: None, identity: str = ""
) -> tuple[Source, ...]:
    """The sources of one account and region; their names are the fields of `settings.paces`.

    `identity` is the caller's ARN, whose permissions are asked for.
    """
    return (
        FunctionsSource(api, scope),
        MappingsSource(api, scope),
        QueuesSource(api, scope, QueueReader(api, scope)),
        MetricsSource(api, scope, settings),
        AccountSource(api, scope, renewed),
        ConcurrencySource(api, scope),
        QuotasSource(api, scope),
        ProvisionedSource(api, scope),
        AlarmsSource(api, scope),
        TriggersSource(api, scope),
        StreamsSource(api, scope),
        WiringSource(api, scope),
        LogsSource(api, scope, settings.limits.log_tails),
        BurnHistorySource(api, scope),
        *((PricesSource(api, scope),) if settings.prices.refresh else ()),
        PermissionsSource(api, scope, identity),
    )
