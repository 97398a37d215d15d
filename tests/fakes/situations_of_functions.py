"""Situations of functions for the words of plans: throttling, caps, restoring, asynchronous events, loops."""

from __future__ import annotations

from collections.abc import Mapping

from fakes.callers import ALL_THREE, UNSEEN
from fakes.plan_situations import (
    BROKER,
    DOCUMENTS,
    KAFKA,
    LOST,
    TABLE,
    TOPIC,
    Asked,
    Cases,
    by_stream,
    denied,
    fed,
    on_function,
    orders,
)
from fakes.worlds import DLQ, ORDERS, function, queue
from msgspec.structs import replace

from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.facts.function_state import Scaling
from lambdatop.domain.facts.not_read import NOT_ASKED, NotKnown
from lambdatop.domain.facts.triggers import AsyncConfig
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.finding import Ref

CONFIG = denied("lambda:GetFunctionEventInvokeConfig")
MAPPINGS = denied("lambda:ListEventSourceMappings")
PROVISIONED = denied("lambda:ListProvisionedConcurrencyConfigs")
ALIASES = denied("lambda:ListAliases")
WITH_DLQ = function(dlq_arn=LOST)
TO_TOPIC = AsyncConfig(on_failure_arn=TOPIC)
ACCOUNT = AccountFacts(1000, 640, 1 << 30, 1, 2)
GAP = "lambda:GetPolicy is denied, so callers by resource policy are unknown"
LOST_QUEUE = queue(ORDERS._replace(id="lost"), dlq_arn=queue(DLQ).arn, max_receive_count=2)
BY_KAFKA = fed(4, source_arn=KAFKA, source_kind="kafka")
BY_MQ = fed(8, source_arn=BROKER, source_kind="mq")
BY_DOCUMENTS = fed(9, source_arn=DOCUMENTS, source_kind="documentdb")
BY_TABLE = by_stream(5, source_arn=TABLE, source_kind="dynamodb", max_record_age_s=600, on_failure_arn=LOST)
SECOND = fed(2, source_arn=LOST, max_concurrency=20)
OFF = fed(3, source_arn=LOST, state="Disabled")
OFF_STREAM = by_stream(6, state="Disabled", max_record_age_s=600)
IN_CHINA = Key(Scope("111122223333", "cn-north-1"), "function", "-f")
EVERYBODY = on_function(
    mappings=(fed(), OFF),
    queues=(orders(),),
    policy_principals=("sns.amazonaws.com", "events.amazonaws.com"),
    aliases=("live", "next"),
    url="https://abc.lambda-url.eu-central-1.on.aws/",
    stack="shop",
    gaps=(GAP,),
    looked_for=ALL_THREE,
)
UNREAD = on_function(
    mappings=MAPPINGS,
    provisioned=PROVISIONED,
    aliases=ALIASES,
    url=NOT_ASKED,
    stack=NOT_ASKED,
    looked_for=UNSEEN,
)
DURABLE = on_function(
    facts=function(durable=True, durable_timeout_s=604_800), async_config=TO_TOPIC, aliases=("live",)
)
SCALINGS = (
    Scaling("$LATEST.PUBLISHED", None, None, "Active"),
    Scaling("3", 5, 40, "Active"),
    Scaling("2", 0, 0, "Deactivated"),
)
MANAGED = on_function(
    facts=function(managed_instances=True),
    mappings=(fed(), by_stream(2)),
    scalings=SCALINGS,
    stack="shop",
    gaps=(GAP,),
)
UNREAD_MANAGED = replace(MANAGED, scalings=denied("lambda:GetFunctionScalingConfig"))
DEACTIVATED = replace(MANAGED, scalings=SCALINGS[2:])

THROTTLE: Cases = {
    "no reservation, and nobody who takes failed events": Asked(on_function()),
    "a reservation of 7": Asked(on_function(reserved=7)),
    "a DLQ": Asked(on_function(facts=WITH_DLQ)),
    "a DLQ, the configuration denied": Asked(on_function(facts=WITH_DLQ, async_config=CONFIG)),
    "no DLQ, the configuration denied": Asked(on_function(async_config=CONFIG)),
    "an on-failure destination": Asked(on_function(async_config=TO_TOPIC)),
    "a destination and an alias": Asked(on_function(async_config=TO_TOPIC, aliases=("live",))),
    "a destination, the aliases denied": Asked(on_function(async_config=TO_TOPIC, aliases=ALIASES)),
    "a destination, a DLQ and an alias": Asked(
        on_function(facts=WITH_DLQ, async_config=TO_TOPIC, aliases=("live",))
    ),
    "everybody calls it": Asked(EVERYBODY),
    "most reads denied": Asked(UNREAD),
    "callers denied": Asked(on_function(policy_principals=denied("lambda:GetPolicy"), url=None)),
    "a queue whose redrive policy names no count": Asked(
        on_function(mappings=(fed(),), queues=(orders(max_receive_count=None),))
    ),
    "a queue without a dead-letter queue": Asked(
        on_function(mappings=(fed(),), queues=(orders(dlq_arn=None),))
    ),
    "queues that were not read": Asked(
        on_function(mappings=(fed(), SECOND), unread_queues=((LOST, denied("sqs:GetQueueAttributes")),))
    ),
    "streams and Kafka": Asked(
        on_function(
            mappings=(
                by_stream(),
                BY_TABLE,
                BY_KAFKA,
                by_stream(7, max_record_age_s=None),
                OFF_STREAM,
                BY_MQ,
                BY_DOCUMENTS,
            )
        )
    ),
    "nothing is provisioned any more": Asked(on_function(provisioned=(("live", 0),))),
    "one queue feeds it; in order": Asked(EVERYBODY, {"triggers": "first"}),
    "two queues and a stream feed it; in order": Asked(
        on_function(
            mappings=(fed(), SECOND, by_stream(8)),
            queues=(orders(), LOST_QUEUE),
            reserved=5,
            provisioned=PROVISIONED,
            stack="shop",
        ),
        {"triggers": " FIRST "},
    ),
    "a queue that was not read; in order": Asked(
        on_function(mappings=(fed(),), unread_queues=((orders().arn, denied("sqs:GetQueueAttributes")),)),
        {"triggers": "first"},
    ),
    "triggers stay": Asked(EVERYBODY, {"triggers": "Keep"}),
    "triggers denied; in order": Asked(UNREAD, {"triggers": "first"}),
    "no queue feeds it; in order": Asked(on_function(mappings=(by_stream(), OFF)), {"triggers": "first"}),
    "a trigger is changing; in order": Asked(
        on_function(mappings=(fed(), replace(SECOND, state="Updating"))), {"triggers": "first"}
    ),
    "a word that says nothing": Asked(EVERYBODY, {"triggers": "frist"}),
    "at zero already": Asked(on_function(reserved=0)),
    "provisioned concurrency": Asked(
        on_function(provisioned=(("live", 4), ("7", 1)), mappings=(fed(), BY_KAFKA, OFF))
    ),
    "provisioned concurrency is removed": Asked(
        on_function(reserved=9, provisioned=(("live", 4), ("8", 0), ("7", 1)), stack="shop", gaps=(GAP,)),
        {"provisioned": "remove"},
    ),
    "provisioned concurrency is removed, triggers first": Asked(
        on_function(provisioned=(("live", 4),), mappings=(fed(),), queues=(orders(),)),
        {"provisioned": "Remove", "triggers": "first"},
    ),
    "nothing provisioned to remove": Asked(on_function(), {"provisioned": "remove"}),
    "what is provisioned is not known": Asked(
        on_function(provisioned=PROVISIONED), {"provisioned": "remove"}
    ),
    "provisioned concurrency of a throttled function": Asked(
        on_function(reserved=0, provisioned=(("live", 4),)), {"provisioned": "remove"}
    ),
    "provisioned concurrency, perhaps": Asked(
        on_function(provisioned=(("live", 4),)), {"provisioned": "perhaps"}
    ),
    "a durable function": Asked(DURABLE),
    "a durable function whose timeout is not known": Asked(
        replace(DURABLE, facts=replace(DURABLE.facts, durable_timeout_s=None))
    ),
    "managed instances": Asked(MANAGED),
    "managed instances, triggers first": Asked(replace(MANAGED, queues=(orders(),)), {"triggers": "first"}),
    "managed instances, no triggers": Asked(replace(MANAGED, mappings=()), {"triggers": "first"}),
    "managed instances, provisioned concurrency": Asked(MANAGED, {"provisioned": "remove"}),
    "managed instances, not read": Asked(UNREAD_MANAGED),
    "managed instances, none published": Asked(replace(MANAGED, scalings=())),
    "managed instances, deactivated": Asked(DEACTIVATED),
    "in China": Asked(
        on_function(
            facts=replace(function("-f"), key=IN_CHINA),
            ref=Ref(IN_CHINA, "arn:aws-cn:lambda:cn-north-1:111122223333:function:-f", "-f"),
        )
    ),
}

CAP: Cases = {
    "no reservation": Asked(on_function(account=ACCOUNT), {"reserved": 5}),
    "a reservation of 9": Asked(on_function(reserved=9, account=ACCOUNT), {"reserved": "4"}),
    "a reservation of as much as is free": Asked(on_function(reserved=9, account=ACCOUNT), {"reserved": 649}),
    "throttled to zero": Asked(on_function(reserved=0), {"reserved": 5}),
    "a DLQ, no alias: nothing is lost": Asked(on_function(facts=WITH_DLQ, reserved=9), {"reserved": 5}),
    "a DLQ and an alias": Asked(
        on_function(facts=WITH_DLQ, async_config=AsyncConfig(1, 120, TOPIC), aliases=("live",)),
        {"reserved": 5},
    ),
    "a destination, no alias": Asked(on_function(async_config=TO_TOPIC), {"reserved": 5}),
    "a destination and an alias": Asked(on_function(async_config=TO_TOPIC, aliases=("a",)), {"reserved": 5}),
    "a DLQ, the configuration denied": Asked(
        on_function(facts=WITH_DLQ, async_config=CONFIG), {"reserved": 5}
    ),
    "no DLQ, the configuration denied": Asked(on_function(async_config=CONFIG), {"reserved": 5}),
    "most reads denied": Asked(replace(UNREAD, facts=WITH_DLQ), {"reserved": 5}),
    "everybody calls it": Asked(EVERYBODY, {"reserved": 5}),
    "queues that ask for more": Asked(
        on_function(
            facts=WITH_DLQ,
            mappings=(fed(), SECOND, OFF),
            queues=(orders(),),
            unread_queues=((LOST, denied("sqs:GetQueueAttributes")),),
        ),
        {"reserved": 5},
    ),
    "a queue that asks for no more": Asked(
        on_function(mappings=(fed(max_concurrency=5),), queues=(orders(),)), {"reserved": 5}
    ),
    **{
        f"a queue with pollers, and a cap of {cap}": Asked(
            on_function(mappings=(fed(pollers_min=2, pollers_max=50),), queues=(orders(),)), {"reserved": cap}
        )
        for cap in (19, 20, 45)
    },
    **{
        f"a queue, and a cap of {cap}": Asked(
            on_function(mappings=(fed(),), queues=(orders(),)), {"reserved": cap}
        )
        for cap in (1, 2)
    },
    "a queue that takes five receives": Asked(
        on_function(mappings=(fed(),), queues=(orders(max_receive_count=5),)), {"reserved": 1}
    ),
    "a queue that takes four receives": Asked(
        on_function(mappings=(fed(),), queues=(orders(max_receive_count=4),)), {"reserved": 1}
    ),
    "a queue whose redrive policy names no count": Asked(
        on_function(mappings=(fed(),), queues=(orders(max_receive_count=None),)), {"reserved": 1}
    ),
    "a queue without a dead-letter queue": Asked(
        on_function(mappings=(fed(),), queues=(orders(dlq_arn=None),)), {"reserved": 1}
    ),
    "streams without a limit": Asked(
        on_function(facts=WITH_DLQ, mappings=(by_stream(), BY_KAFKA, OFF_STREAM, BY_MQ)), {"reserved": 5}
    ),
    "streams that discard old records": Asked(
        on_function(facts=WITH_DLQ, mappings=(by_stream(1, max_record_age_s=120), BY_TABLE)), {"reserved": 5}
    ),
    "as much as is provisioned": Asked(on_function(provisioned=(("live", 4), ("7", 1))), {"reserved": 5}),
    "no value": Asked(on_function()),
    "no cap": Asked(on_function(reserved=4), {"reserved": "None"}),
    "no cap, and there is none": Asked(on_function(), {"reserved": "none"}),
    "queues of which the first asks for no more": Asked(
        on_function(mappings=(fed(max_concurrency=5), BY_KAFKA, SECOND), queues=(LOST_QUEUE,)),
        {"reserved": 5},
    ),
    "queues that ask for no more each, but together": Asked(
        on_function(
            mappings=(fed(max_concurrency=3), replace(SECOND, max_concurrency=3)), queues=(LOST_QUEUE,)
        ),
        {"reserved": 5},
    ),
    "zero": Asked(on_function(), {"reserved": "0"}),
    "a word": Asked(on_function(), {"reserved": "many"}),
    "yes": Asked(on_function(), {"reserved": True}),
    "a long word": Asked(on_function(), {"reserved": "x" * 60}),
    "the same": Asked(on_function(reserved=4), {"reserved": 4}),
    "less than is provisioned": Asked(on_function(provisioned=(("live", 4), ("7", 1))), {"reserved": 4}),
    "more than is free": Asked(on_function(account=ACCOUNT), {"reserved": 641}),
    "managed instances": Asked(MANAGED, {"reserved": 4}),
    "managed instances, as many as are reserved": Asked(replace(MANAGED, reserved=4), {"reserved": 4}),
    "managed instances, zero": Asked(MANAGED, {"reserved": 0}),
    "a durable function": Asked(DURABLE, {"reserved": 4}),
    "managed instances, two environments": Asked(MANAGED, {"reserved": 2}),
    "managed instances, not read": Asked(UNREAD_MANAGED, {"reserved": 4}),
    "managed instances, capped so already": Asked(replace(MANAGED, scalings=SCALINGS[1:]), {"reserved": 40}),
}

RESTORE: Cases = {
    "to none": Asked(on_function(reserved=0, account=ACCOUNT), {"reserved": "none"}),
    "to a number": Asked(on_function(reserved=0, account=ACCOUNT), {"reserved": "5"}),
    "to more": Asked(on_function(reserved=4, facts=WITH_DLQ), {"reserved": 5}),
    "to less, a DLQ": Asked(on_function(reserved=9, facts=WITH_DLQ), {"reserved": 5}),
    "to less, and nobody takes failed events": Asked(on_function(reserved=9), {"reserved": 5}),
    "from none to a number": Asked(on_function(), {"reserved": 5}),
    "from a number to none": Asked(on_function(reserved=5), {"reserved": None}),
    "a backlog": Asked(
        on_function(
            reserved=0,
            mappings=(fed(), SECOND, OFF, by_stream(8)),
            queues=(orders(visible=4000), LOST_QUEUE),
            stack="shop",
            gaps=(GAP,),
        ),
        {"reserved": "null"},
    ),
    "most reads denied": Asked(replace(UNREAD, reserved=0), {"reserved": 5}),
    "to zero": Asked(EVERYBODY, {"reserved": 0}),
    "as much as is provisioned": Asked(on_function(provisioned=(("live", 4),)), {"reserved": 4}),
    "none, and some is provisioned": Asked(
        on_function(reserved=9, provisioned=(("live", 4),)), {"reserved": "absent"}
    ),
    "less than is provisioned": Asked(on_function(provisioned=(("live", 4),)), {"reserved": 3}),
    "to zero, and some is provisioned": Asked(on_function(provisioned=(("live", 4),)), {"reserved": 0}),
    "all that is left": Asked(on_function(reserved=0, account=ACCOUNT), {"reserved": 640}),
    "more than is left": Asked(on_function(reserved=5, account=ACCOUNT), {"reserved": 646}),
    "more than is left, from none": Asked(on_function(account=ACCOUNT), {"reserved": 641}),
    "no value, at zero": Asked(on_function(reserved=0)),
    "no value, not at zero": Asked(on_function(reserved=4)),
    "no value, no reservation": Asked(on_function()),
    "none already": Asked(on_function(), {"reserved": "none"}),
    "zero already": Asked(on_function(reserved=0), {"reserved": "0"}),
    "a negative number": Asked(on_function(), {"reserved": "-1"}),
    "a long number": Asked(on_function(), {"reserved": "9" * 50}),
}

ALIASED = on_function(
    aliases=("live", "next"), alias_configs=(("next", AsyncConfig(1, 300, LOST, TOPIC)),), stack="shop"
)
STOP: Cases = {
    "no configuration": Asked(on_function()),
    "settings and both destinations": Asked(on_function(async_config=AsyncConfig(1, 90, LOST, TOPIC))),
    "only a destination for failures": Asked(on_function(async_config=AsyncConfig(on_failure_arn=LOST))),
    "only a destination for successes": Asked(on_function(async_config=AsyncConfig(on_success_arn=TOPIC))),
    "only retries": Asked(on_function(async_config=AsyncConfig(max_retries=0))),
    "only an age": Asked(on_function(async_config=AsyncConfig(max_age_s=60))),
    "a DLQ": Asked(on_function(facts=WITH_DLQ, gaps=(GAP,))),
    "a DLQ and a destination": Asked(on_function(facts=WITH_DLQ, async_config=TO_TOPIC)),
    "aliases": Asked(ALIASED),
    "aliases denied": Asked(on_function(aliases=ALIASES)),
    "configurations of aliases denied": Asked(on_function(aliases=("live",), alias_configs=CONFIG)),
    "stopped already": Asked(on_function(async_config=AsyncConfig(0, 60))),
    "a durable function": Asked(DURABLE),
    "stopped already, with a destination": Asked(on_function(async_config=AsyncConfig(0, 60, LOST))),
    "the configuration denied": Asked(on_function(async_config=CONFIG)),
    "the configuration not asked": Asked(on_function(async_config=NotKnown("throttled"))),
}
STOPPED = on_function(async_config=AsyncConfig(0, 60, LOST))
GIVE_BACK: Cases = {
    "retries": Asked(STOPPED, {"retries": 2}),
    "one retry, and an age": Asked(STOPPED, {"retries": "1", "max_age": "21600"}),
    "both as AWS's defaults": Asked(STOPPED, {"retries": "none", "max_age": "none"}),
    "both as AWS's defaults, no destination": Asked(
        on_function(async_config=AsyncConfig(0, 60)), {"retries": "none", "max_age": "none"}
    ),
    "a configuration where there was none": Asked(replace(ALIASED, facts=WITH_DLQ), {"max_age": 60}),
    "no value": Asked(STOPPED),
    "the same": Asked(STOPPED, {"retries": 0}),
    "the same, no configuration": Asked(on_function(), {"retries": 2}),
    "too many retries": Asked(STOPPED, {"retries": 3}),
    "fewer than no retries": Asked(STOPPED, {"retries": -1}),
    "too short an age": Asked(STOPPED, {"max_age": 59}),
    "too long an age": Asked(STOPPED, {"max_age": 21601}),
    "a word": Asked(STOPPED, {"retries": "many"}),
    "the configuration denied": Asked(on_function(async_config=CONFIG), {"retries": 2}),
    "the configuration denied, no value": Asked(on_function(async_config=CONFIG)),
}

ALLOWED = on_function(recursive_loop="Allow")
RECURSION: Cases = {
    "loops are allowed": Asked(ALLOWED),
    "a destination and a DLQ": Asked(replace(ALLOWED, async_config=TO_TOPIC, facts=WITH_DLQ)),
    "a DLQ": Asked(replace(ALLOWED, facts=WITH_DLQ, stack="shop")),
    "the configuration denied": Asked(replace(ALLOWED, async_config=CONFIG, gaps=(GAP,))),
    "a DLQ, the configuration denied": Asked(replace(ALLOWED, async_config=CONFIG, facts=WITH_DLQ)),
    "stopped already": Asked(on_function(recursive_loop="Terminate")),
    "not read": Asked(on_function(gaps=(GAP, "lambda:GetFunctionRecursionConfig is denied"))),
}

CASES: Mapping[str, Cases] = {
    "throttle_to_zero": THROTTLE,
    "cap_concurrency": CAP,
    "restore_concurrency": RESTORE,
    "stop_async_retries": STOP,
    "restore_async": GIVE_BACK,
    "stop_recursion": RECURSION,
}
