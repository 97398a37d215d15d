"""A schedule that was to fire once a day fires each minute, and a partner's daily allowance is used up.

No resource policy names EventBridge Scheduler: it invokes by a role of its own. Neither the function nor its
triggers were changed, so nothing that belongs to the function tells why it runs so often.
"""

from __future__ import annotations

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, FunctionSpec, Scenario, ScheduleSpec

PRICE_SYNC = FunctionSpec("price-sync", "Takes over a partner's price list", memory_mb=256, timeout_s=10)
DAILY = ScheduleSpec(
    "price-sync-daily",
    "rate(1 minute)",  # It was rate(1 day).
    PRICE_SYNC.name,
    {"partner": "acme"},
)

BUSY_SCHEDULE = Scenario(
    name="busy-schedule",
    title="A schedule that fires too often",
    story=(
        "price-sync takes a partner's price list over. Its schedule was to fire once a day; the last change "
        "made it rate(1 minute). The partner allows one call a day and refuses the rest, and Lambda tries "
        "each refused event twice more."
    ),
    look_for=(
        "price-sync fails each minute, though its code and triggers are those of last week",
        "the row of schedule default/price-sync-daily among the retry storms: ENABLED, rate(1 minute)",
        "K disables the schedule with all its other members as they are; u enables it again",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=(*fleet.FUNCTIONS, PRICE_SYNC),
    mappings=fleet.MAPPINGS,
    schedules=(DAILY,),
    flows=(*fleet.FLOWS, Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order)),
    remarks=("Schedules with rate() fire by the demo's minutes, those with cron() or at() by the clock.",),
)
