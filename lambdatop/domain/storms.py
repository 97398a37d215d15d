"""Storm rows: each way in which work may repeat, ordered by how much it does.

    score = 10 x repeated receives share + 5 x error rate + 3 x min(1, DLQ growth per min / 10)
            + 2 x infinite retry while failing

    repeated share  (received - deleted - in flight) / received over the redelivery window; what is in
                    flight was received once and may still be done
    error rate      of the function over the same window
A mapping that is Disabled keeps its row but scores by what still waits only (0).
"""

from __future__ import annotations

from collections.abc import Mapping

from lambdatop.domain.mapping import STREAMS, MappingFacts, risks
from lambdatop.domain.scope import Key
from lambdatop.domain.snapshot import FunctionRow, QueueRow, StormRow


def storm_rows(
    mappings: tuple[MappingFacts, ...],
    functions: Mapping[Key, FunctionRow],
    queues: Mapping[Key, QueueRow],
    age_s: float | None,
) -> tuple[StormRow, ...]:
    """One row per mapping, worst first."""
    rows = [_row(m, functions.get(m.function), queues, age_s) for m in mappings]
    return tuple(sorted(rows, key=lambda r: (-r.score, r.key)))


def _row(
    mapping: MappingFacts,
    function: FunctionRow | None,
    queues: Mapping[Key, QueueRow],
    age_s: float | None,
) -> StormRow:
    queue = queues.get(mapping.source_queue) if mapping.source_queue else None
    dlq = queues.get(queue.facts.dlq) if queue and queue.facts.dlq else None
    error_rate = function.error_rate if function else None
    found = risks(
        mapping,
        function.facts if function else None,
        queue.facts if queue else None,
        function.reserved if function else None,
    )
    score, why = _score(mapping, error_rate, queue, dlq)
    return StormRow(
        mapping=mapping.key,
        function=mapping.function,
        source_kind=mapping.source_kind,
        source_name=mapping.source_name,
        state=mapping.state,
        last_result=mapping.last_result,
        queue=queue,
        dlq=dlq,
        iterator_age_ms=function.iterator_age_ms if function and mapping.source_kind in STREAMS else None,
        error_rate=error_rate,
        score=score,
        why=why,
        risks=found,
        age_s=age_s,
    )


def _score(
    mapping: MappingFacts, error_rate: float | None, queue: QueueRow | None, dlq: QueueRow | None
) -> tuple[float, str]:
    if not mapping.enabled:
        return 0.0, f"{mapping.state.lower()}: nothing is delivered"
    score, words = 0.0, []
    if queue is not None and queue.received:
        once = (queue.deleted or 0.0) + queue.facts.in_flight
        repeated = max(0.0, 1 - once / queue.received)
        score += 10 * repeated
        if repeated >= 0.05:
            words.append(f"{repeated:.0%} of receives are repeats")
    if error_rate:
        score += 5 * error_rate
        words.append(f"{error_rate:.0%} errors")
    if dlq is not None and (dlq.trend_per_min or 0) > 0:
        score += 3 * min(1.0, (dlq.trend_per_min or 0.0) / 10)
        words.append(f"DLQ +{dlq.trend_per_min:.1f}/min")
    endless = mapping.source_kind in STREAMS and mapping.max_retry_attempts in (None, -1)
    if endless and (error_rate or 0) > 0.5:
        score += 2
        words.append("retried until the record expires")
    return round(score, 2), ", ".join(words)
