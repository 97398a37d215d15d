"""Find who writes to which log group. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from lambdatop.domain.cooperative import GiveWay, no_pause, paced
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key, Kind
from lambdatop.domain.memo import newest

LOG_GROUP: Kind = "log group"


def group_of(facts: FunctionFacts) -> Key:
    """Return the log group that a function writes to."""
    return Key(facts.key.scope, LOG_GROUP, facts.log_group)


@newest
def writers_by_group(
    functions: Mapping[Key, FunctionFacts], give_way: GiveWay = no_pause
) -> Mapping[Key, tuple[FunctionFacts, ...]]:
    """Return the functions of each log group, by the group's key; functions without a group are left out."""
    found: dict[Key, list[FunctionFacts]] = defaultdict(list)
    for facts in paced(functions.values(), give_way, 500):
        if facts.log_group:
            found[group_of(facts)].append(facts)
    give_way()
    for each in found.values():
        if len(each) > 1:
            each.sort(key=lambda facts: facts.key)
    return {group: tuple(each) for group, each in found.items()}
