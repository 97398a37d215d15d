"""Find where failures end: dead-letter queues by redrive policy, and failure destinations of functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.keys import Key, key_of, parse_arn
from lambdatop.domain.memo import newest
from lambdatop.domain.state.world import World


@newest
def dead_letter_queues(world: World) -> Mapping[Key, tuple[Key, ...]]:
    """Return every queue that receives failures, with its feeders.

    Source queues, functions, mappings' functions.
    """
    found: dict[Key, set[Key]] = defaultdict(set)
    for history in world.queues.values():
        if history.facts.dlq is not None:
            found[history.facts.dlq].add(history.facts.key)
    for function, facts in world.functions.items():
        if facts.dlq_arn is not None:
            _add(found, facts.dlq_arn, function)
    for function, (_, triggers) in world.triggers.items():
        config = triggers.async_config
        if not isinstance(config, NotKnown) and config.on_failure_arn is not None:
            _add(found, config.on_failure_arn, function)
    for mapping in world.mappings.values():
        if mapping.on_failure_arn is not None:
            _add(found, mapping.on_failure_arn, mapping.function)
    return {queue: tuple(sorted(feeders)) for queue, feeders in sorted(found.items())}


def _add(found: dict[Key, set[Key]], arn: str, feeder: Key) -> None:
    queue = queue_of(arn)
    if queue is not None:
        found[queue].add(feeder)


def queue_of(arn: str) -> Key | None:
    """Return the key of the queue that an ARN names, None for every other kind of destination."""
    parsed = parse_arn(arn)
    return key_of("queue", arn) if parsed is not None and parsed.service == "sqs" else None
