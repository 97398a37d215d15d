"""Pipes that invoke functions: ListPipes, then DescribePipe of each that does.

A pipe invokes a function as its target, as its enrichment, or both. The list names both; how a failed batch
is repeated only the pipe itself tells.
"""

from __future__ import annotations

from lambdatop.aws.reads.callers import CallerSource
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.sources import PIPES

SPEC = CollectorSpec(
    source=PIPES,
    make=lambda opened: CallerSource(opened.api, opened.scope, opened.callers.pipes),
    trials=(("pipes", "ListPipes", {"Limit": 1}),),
)
