"""Describe the sources: what is read from AWS, how often, by which permission, and what depends on it.

Each is described here once. The module of `aws/` that reads it exports a SPEC of the same source; paces and
their options, the order of starting, the demo's paces, what a round makes anew, which gates a denial
blinds, and docs/sources.md derive from this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

Start = Literal["rows first", "at once", "unhurried"]
"""When a source begins on a new connection. "rows first": at the very beginning, because somebody waits for a
row. "unhurried": once all others have answered; no command that looks once waits for it."""


class SourceSpec(Struct, frozen=True):
    """Everything that is known of a source but how it is read.

    `reads` says what it reads, in words. `pace_s` is the default of `paces.NAME`, `demo_pace_s` its pace in
    the demo; both in s. `iam` are the IAM actions that it needs, the one without which it brings nothing
    first; `each_function` are those of them that it asks function by function, in turns.

    `world` are the fields of the World that hold what it read, without times; the one whose keys say what has
    been read first. `anew` is what a round makes anew when they change: "rows" of the keys that differ (of
    functions, queues, mappings), "all" rows, or none (""). `explained`: rows say why a fact of it is not
    known, so a reason that changes makes them anew as well.

    `findings`: without it a finding may be missing, of any severity, so that no gate can be green.
    `informs` are those of its actions whose findings are never worse than info, `hides_nothing` those that
    can only make a finding go away.
    `needs` are the sources that must have answered before this one can ask anything sensible.
    `looked_up`: it is asked at once when a person opens a function, however slow its own pace is.
    """

    name: str
    reads: str
    pace_s: float
    demo_pace_s: float
    iam: tuple[str, ...]
    world: tuple[str, ...]
    findings: bool
    anew: Literal["rows", "all", ""] = ""
    explained: bool = False
    each_function: tuple[str, ...] = ()
    informs: tuple[str, ...] = ()
    hides_nothing: tuple[str, ...] = ()
    needs: tuple[SourceSpec, ...] = ()
    looked_up: bool = False
    start: Start = "at once"

    @property
    def action(self) -> str:
        """The action that is missing where it brought nothing; "" where it may be any of several."""
        return "" if len(self.each_function) > 1 else self.iam[0]

    def may_hide(self, action: str, severity: str) -> bool:
        """Return whether without this read a finding of the severity, or a worse one, may be missing."""
        harmless = action in self.hides_nothing or (action in self.informs and severity != "info")
        return self.findings and not harmless


FUNCTIONS = SourceSpec(
    name="functions",
    reads="list of functions",
    pace_s=300.0,
    demo_pace_s=10.0,
    iam=("lambda:ListFunctions",),
    world=("functions", "changes"),
    anew="rows",
    findings=True,
    start="rows first",
)
MAPPINGS = SourceSpec(
    name="mappings",
    reads="event source mappings",
    pace_s=30.0,
    demo_pace_s=2.0,
    iam=("lambda:ListEventSourceMappings",),
    world=("mappings",),
    anew="rows",
    findings=True,
    start="rows first",
)
QUEUES = SourceSpec(
    name="queues",
    reads="queues behind mappings and their dead-letter queues",
    pace_s=15.0,
    demo_pace_s=2.0,
    iam=("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListMessageMoveTasks"),
    hides_nothing=("sqs:ListMessageMoveTasks",),  # a dead-letter queue that grows by a redrive is no finding
    world=("queues",),
    anew="rows",
    explained=True,
    findings=True,
    needs=(MAPPINGS,),
)
METRICS = SourceSpec(
    name="metrics",
    reads="CloudWatch metrics (the one that costs money)",
    pace_s=60.0,
    demo_pace_s=2.0,
    iam=("cloudwatch:GetMetricData", "cloudwatch:ListMetrics"),
    world=("series", "metrics_at"),
    anew="rows",
    findings=True,
    needs=(FUNCTIONS, MAPPINGS, QUEUES),
)
ACCOUNT = SourceSpec(
    name="account",
    reads="account limits",
    pace_s=60.0,
    demo_pace_s=3.0,
    iam=("lambda:GetAccountSettings",),
    world=("accounts",),
    anew="all",
    findings=True,
    start="rows first",
)
CONCURRENCY = SourceSpec(
    name="concurrency",
    reads="reserved concurrency",
    pace_s=60.0,
    demo_pace_s=8.0,
    iam=("lambda:GetFunctionConcurrency",),
    each_function=("lambda:GetFunctionConcurrency",),
    world=("reserved",),
    anew="rows",
    explained=True,
    findings=True,
    needs=(FUNCTIONS,),
    start="rows first",
)
STATES = SourceSpec(
    name="states",
    reads="state of functions, those on screen, changed lately or silent first",
    pace_s=60.0,
    demo_pace_s=20.0,
    iam=("lambda:GetFunctionConfiguration",),
    world=("states",),
    findings=True,
    needs=(FUNCTIONS, METRICS),
)
QUOTAS = SourceSpec(
    name="quotas",
    reads="what Service Quotas says of Lambda",
    pace_s=300.0,
    demo_pace_s=20.0,
    iam=("servicequotas:ListServiceQuotas", "cloudwatch:GetMetricData"),
    world=("quota_limits",),
    findings=True,
)
PROVISIONED = SourceSpec(
    name="provisioned",
    reads="provisioned concurrency and its use",
    pace_s=300.0,
    demo_pace_s=20.0,
    iam=("lambda:ListProvisionedConcurrencyConfigs", "cloudwatch:ListMetrics", "cloudwatch:GetMetricData"),
    each_function=("lambda:ListProvisionedConcurrencyConfigs",),
    world=("provisioned",),
    anew="rows",
    findings=True,
    needs=(FUNCTIONS,),
)
CAPACITY_PROVIDERS = SourceSpec(
    name="capacity_providers",
    reads="capacity providers and their vCPUs, where functions run on managed instances",
    pace_s=300.0,
    demo_pace_s=20.0,
    iam=("lambda:ListCapacityProviders", "cloudwatch:ListMetrics", "cloudwatch:GetMetricData"),
    world=("capacity_providers",),
    findings=True,
    needs=(FUNCTIONS,),
)
ALARMS = SourceSpec(
    name="alarms",
    reads="alarms in state ALARM",
    pace_s=60.0,
    demo_pace_s=5.0,
    iam=("cloudwatch:DescribeAlarms",),
    world=("alarms",),
    findings=False,  # no detector reads them
)
TRIGGERS = SourceSpec(
    name="triggers",
    reads="resource policies, async settings and loop detection, function by function",
    pace_s=60.0,
    demo_pace_s=20.0,
    iam=(
        "lambda:GetFunctionEventInvokeConfig",
        "lambda:GetPolicy",
        "lambda:GetFunctionRecursionConfig",
    ),
    each_function=(
        "lambda:GetFunctionEventInvokeConfig",
        "lambda:GetPolicy",
        "lambda:GetFunctionRecursionConfig",
    ),
    informs=("lambda:GetFunctionRecursionConfig",),  # what AWS stopped it counts elsewhere
    world=("triggers",),
    anew="rows",
    explained=True,
    findings=True,
    needs=(FUNCTIONS, METRICS),
)
STREAMS = SourceSpec(
    name="streams",
    reads="retention of the streams behind mappings",
    pace_s=60.0,
    demo_pace_s=10.0,
    iam=("kinesis:DescribeStreamSummary",),
    world=("streams",),
    explained=True,
    findings=True,
    needs=(MAPPINGS,),
)
WIRING = SourceSpec(
    name="wiring",
    reads="subscriptions, rules and notifications between functions and queues",
    pace_s=300.0,
    demo_pace_s=15.0,
    iam=(
        "sns:ListSubscriptionsByTopic",
        "events:ListRules",
        "events:ListTargetsByRule",
        "s3:GetBucketNotification",
    ),
    world=("wiring",),
    findings=True,
    needs=(FUNCTIONS, TRIGGERS),
)
SCHEDULES = SourceSpec(
    name="schedules",
    reads="schedules of EventBridge Scheduler that invoke functions",
    pace_s=600.0,
    demo_pace_s=20.0,
    iam=("scheduler:ListSchedules", "scheduler:GetSchedule"),
    world=("schedules",),
    findings=False,  # nothing causes a schedule to run, so it closes no loop
    looked_up=True,
)
PIPES = SourceSpec(
    name="pipes",
    reads="pipes of EventBridge Pipes that invoke functions",
    pace_s=600.0,
    demo_pace_s=20.0,
    iam=("pipes:ListPipes", "pipes:DescribePipe"),
    world=("pipes",),
    findings=True,
    looked_up=True,
)
STATE_MACHINES = SourceSpec(
    name="state_machines",
    reads="newest definitions of state machines that invoke functions (of published versions none)",
    pace_s=600.0,
    demo_pace_s=20.0,
    iam=("states:ListStateMachines", "states:DescribeStateMachine"),
    world=("state_machines",),
    findings=True,
    looked_up=True,
)
LOGS = SourceSpec(
    name="logs",
    reads="log tails of the functions on screen and of those in trouble",
    pace_s=5.0,
    demo_pace_s=1.0,
    iam=("logs:FilterLogEvents", "logs:StartLiveTail", "logs:DescribeLogGroups"),
    world=("logs",),
    anew="rows",
    findings=True,
    needs=(FUNCTIONS,),
)
HISTORY = SourceSpec(
    name="history",
    reads="the account's hours of the last week, which burn is compared with",
    pace_s=3600.0,
    demo_pace_s=20.0,
    iam=("cloudwatch:GetMetricData",),
    world=("burn_history",),
    findings=True,
)
PRICES = SourceSpec(
    name="prices",
    reads="list prices, where prices.refresh allows it",
    pace_s=86_400.0,
    demo_pace_s=20.0,
    iam=("pricing:GetProducts",),
    world=("prices",),
    anew="all",
    findings=False,  # there is a table of the package
)
PERMISSIONS = SourceSpec(
    name="permissions",
    reads="what IAM allows this identity, simulated",
    pace_s=600.0,
    demo_pace_s=20.0,
    iam=("iam:SimulatePrincipalPolicy", "iam:GetRole"),
    world=("permissions",),
    findings=False,  # no detector reads them
    start="unhurried",
)

SOURCES: Mapping[str, SourceSpec] = {
    spec.name: spec for spec in tuple(globals().values()) if isinstance(spec, SourceSpec)
}
"""Every source by its name, in the order in which they are worth starting: that of this file."""

LOOKED_UP: tuple[str, ...] = tuple(name for name, spec in SOURCES.items() if spec.looked_up)
"""Sources that are asked at once when a person opens a function."""

_HEAD = """\
# Sources

Made from the descriptions of the sources (`make docs`); do not edit.

A source reads one kind of AWS resource, round after round. How often is a setting, `paces.NAME` in
`config.yaml`. When a source is denied, throttled or fails, what it read before stays on screen with the
reason, and what it never read is "not known". When findings rest on it, `lambdatop snapshot --fail-on` then
ends with an error, because it cannot tell. `lambdatop policy read-only` prints the policy for all of them.
"""


def markdown() -> str:
    """Return the text of docs/sources.md."""
    return "\n".join((_HEAD, *_table(), ""))


def _table() -> Iterator[str]:
    yield "| source | what it reads | every (s) | IAM actions | begins after | findings rest on it |"
    yield "|---|---|---:|---|---|---|"
    for spec in SOURCES.values():
        actions = ", ".join(f"`{action}`" for action in spec.iam)
        after = ", ".join(f"`{need.name}`" for need in spec.needs) or ("all others" if _late(spec) else "")
        rests = "yes" if spec.findings else "no"
        yield f"| `{spec.name}` | {spec.reads} | {spec.pace_s:g} | {actions} | {after} | {rests} |"


def _late(spec: SourceSpec) -> bool:
    return spec.start == "unhurried"
