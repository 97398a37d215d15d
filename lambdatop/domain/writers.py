"""Who writes to which log group. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from lambdatop.domain.function import FunctionFacts
from lambdatop.domain.once import newest
from lambdatop.domain.scope import Key, Kind

LOG_GROUP: Kind = "log group"


def group_of(facts: FunctionFacts) -> Key:
    """The log group that a function writes to."""
    return Key(facts.key.scope, LOG_GROUP, facts.log_group)


@newest
def writers_by_group(functions: Mapping[Key, FunctionFacts]) -> Mapping[Key, tuple[FunctionFacts, ...]]:
    """The functions of each log group, by their keys; those without a group are in none."""
    found: dict[Key, list[FunctionFacts]] = defaultdict(list)
    for _, facts in sorted(functions.items()):
        if facts.log_group:
            found[group_of(facts)].append(facts)
    return {group: tuple(each) for group, each in found.items()}
