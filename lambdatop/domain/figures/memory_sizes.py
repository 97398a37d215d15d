"""Tell which memory size a run had that ran out of memory, and whether that size is still in use. Pure.

Each REPORT line carries the memory size of its run. The function's own setting is that of $LATEST now: it was
another one before the last change, and is another one for an alias of an older version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.log_analysis.digest import Failed, Reported

SETTLED = 10
"""So many reports in a row without a size: no version with it takes requests beside the others."""


def past_sizes(facts: FunctionFacts, reports: Iterable[Reported]) -> frozenset[float]:
    """Return the memory sizes (MB) that were changed since; empty where the newest report has another one.

    A size is past once the last change of the function lies between its last report and a newer one, or once
    it was silent for SETTLED reports: an alias may send some requests to a version of another size.
    """
    sized = [(r.at, size) for r in reports if (size := r.report.memory_mb)]
    if not sized or sized[-1][1] != facts.memory_mb:
        return frozenset()
    past = set()
    for size, at in {size: at for at, size in sized}.items():
        later = sum(1 for other, _ in sized if other > at)
        if later >= SETTLED or (later and at <= (facts.last_modified or 0.0)):
            past.add(size)
    return frozenset(past)


class RunSizes:
    """With which memory size (MB) each run of a log was made."""

    def __init__(self, reports: Iterable[Reported]) -> None:
        """Take the reports apart by run and by environment, which has one size."""
        self._by_run: dict[tuple[str, str], set[float]] = defaultdict(set)
        self._by_stream: dict[str, set[float]] = defaultdict(set)
        for seen in reports:
            if size := seen.report.memory_mb:
                self._by_run[seen.stream, seen.request_id].add(size)
                self._by_stream[seen.stream].add(size)

    def of(self, failed: Failed) -> float | None:
        """Return the size of a run that failed: by its own report, else by its environment's.

        None where they do not tell, or tell two.
        """
        own = self._by_run.get((failed.stream, failed.request_id))
        found = own or self._by_stream.get(failed.stream, set())
        return next(iter(found)) if len(found) == 1 else None
