"""Where failures end: dead-letter queues by redrive policy, and queues that functions hand failures to."""

from __future__ import annotations

from collections import defaultdict

from lambdatop.domain.scope import Key, Scope, parse_arn
from lambdatop.domain.world import World


def dead_letter_queues(world: World) -> dict[Key, tuple[Key, ...]]:
    """Every queue that takes failures, with what feeds it: source queues, functions, mappings' functions."""
    found: dict[Key, set[Key]] = defaultdict(set)
    for history in world.queues.values():
        if history.facts.dlq is not None:
            found[history.facts.dlq].add(history.facts.key)
    for function, facts in world.functions.items():
        triggers = world.triggers_of(function)
        config = triggers.async_config if triggers else None
        for arn in (facts.dlq_arn, config.on_failure_arn if config else None):
            _add(found, function.scope, arn, function)
    for mapping in world.mappings.values():
        _add(found, mapping.key.scope, mapping.on_failure_arn, mapping.function)
    return {queue: tuple(sorted(feeders)) for queue, feeders in sorted(found.items())}


def _add(found: dict[Key, set[Key]], scope: Scope, arn: str | None, feeder: Key) -> None:
    queue = queue_of(scope, arn)
    if queue is not None:
        found[queue].add(feeder)


def queue_of(scope: Scope, arn: str | None) -> Key | None:
    """Key of the queue that an ARN names, None for every other kind of destination."""
    parsed = parse_arn(arn or "")
    if parsed is None or parsed.service != "sqs":
        return None
    return Key(scope._replace(account=parsed.account, region=parsed.region), "queue", parsed.name)
