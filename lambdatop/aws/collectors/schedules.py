"""Schedules that invoke functions: ListSchedules, then GetSchedule of each that may.

A schedule calls a function, or lambda:Invoke as a universal target, whose input names the function; the list
does not hold the input.
"""

from __future__ import annotations

from lambdatop.aws.reads.callers import CallerSource
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.sources import SCHEDULES

SPEC = CollectorSpec(
    source=SCHEDULES,
    make=lambda opened: CallerSource(opened.api, opened.scope, opened.callers.schedules),
    trials=(("scheduler", "ListSchedules", {"MaxResults": 1}),),
)
