"""State machines that invoke functions: ListStateMachines, then DescribeStateMachine of each.

Only its definition tells what a state machine invokes. So each is read, in turns: 200 a round, and it is said
how many are left.
"""

from __future__ import annotations

from lambdatop.aws.reads.callers import CallerSource
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.sources import STATE_MACHINES

SPEC = CollectorSpec(
    source=STATE_MACHINES,
    make=lambda opened: CallerSource(opened.api, opened.scope, opened.callers.machines),
    trials=(("stepfunctions", "ListStateMachines", {"maxResults": 1}),),
)
