"""Every source of this room, in the order in which they are worth starting."""

from __future__ import annotations

from lambdatop.aws.account import AccountSource, Renewed
from lambdatop.aws.alarms import AlarmsSource
from lambdatop.aws.burn_history import BurnHistorySource
from lambdatop.aws.concurrency import ConcurrencySource
from lambdatop.aws.functions import FunctionsSource
from lambdatop.aws.logs import LogsSource
from lambdatop.aws.mappings import MappingsSource
from lambdatop.aws.metrics import MetricsSource
from lambdatop.aws.permissions import PermissionsSource
from lambdatop.aws.prices import PricesSource
from lambdatop.aws.provisioned import ProvisionedSource
from lambdatop.aws.queues import QueueReader, QueuesSource
from lambdatop.aws.quotas import QuotasSource
from lambdatop.aws.session import Api
from lambdatop.aws.streams import StreamsSource
from lambdatop.aws.triggers import TriggersSource
from lambdatop.aws.wiring import WiringSource
from lambdatop.domain.ports import Source
from lambdatop.domain.scope import Scope
from lambdatop.domain.settings import Settings


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
