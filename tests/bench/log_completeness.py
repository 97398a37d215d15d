"""A million numbered lines, read by both ways while the ways break: how many were lost, how many doubled.

Writes late (a tenth up to 30 s) and out of order from several streams; every ninth read is throttled, every
thirty-first loses its connection; Live Tail is on for most of the time, expires, is dropped, and samples,
because the lines come faster than it shows them. The clock is the bench's, everything else goes over HTTP.

    PYTHONPATH=tests python -m bench.log_completeness [LINES] [LINES_PER_S]
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import count

from fakes.live_tail_stub import LiveTailStub
from fakes.log_flood import GROUP, NOW, Reader, Store, Tally, flood, some_faults

SETTLE_AT_LEAST_S, SETTLE_AT_MOST_S = 60, 900
PACE_S = 5
EXPIRES_EVERY_S, DROPS_EVERY_S = 300, 170


async def play(lines: int, per_s: float) -> tuple[Tally, Reader, Store, int]:
    """Write and read everything; the tally, who read, what was read, and how many sessions there were."""
    written = flood(lines, per_s)
    store = Store(written, some_faults)
    async with LiveTailStub() as stub:
        reader = Reader(stub, store)
        end_s = int(lines / per_s)
        for second in count():
            now = NOW + second
            if second > end_s + SETTLE_AT_LEAST_S and reader.settled > NOW + end_s:
                break
            assert second < end_s + SETTLE_AT_MOST_S, "the sweep never reached the end"
            await reader.second(now)
            if reader.source.live.session(GROUP) is not None and second % EXPIRES_EVERY_S == 0:
                stub.sessions[-1].expire()
                await reader.session_over()
            elif reader.source.live.session(GROUP) is not None and second % DROPS_EVERY_S == 0:
                stub.sessions[-1].drop()
                await reader.session_over()
            if second % PACE_S == 0:
                await reader.round(now, live=second >= 25)
                await reader.session_settled()
        await reader.bench.close()
        return reader.tally(written), reader, store, len(stub.sessions)


def main(arguments: Sequence[str]) -> int:
    """Print the tally; 1 when a line was lost without a word, or doubled."""
    lines = int(arguments[0]) if arguments else 1_000_000
    per_s = float(arguments[1]) if len(arguments) > 1 else 1000.0
    began = time.perf_counter()
    tally, reader, store, sessions = asyncio.run(play(lines, per_s))
    took = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{lines:,} lines at {per_s:,.0f}/s of the fake clock, {took:.0f} s of the real one, {peak_mb:.0f} MB"
    )
    print(f"{store.reads:,} reads, {store.failed:,} of them failed; {sessions} Live Tail sessions")
    print(f"ways: {', '.join(sorted(tally.ways))}; rounds that failed whole: {reader.failures}")
    print(f"lost {tally.lost:,}, doubled {tally.doubled:,}")
    for gap, times in Counter(tally.gaps).most_common(12):
        print(f"  {times:>5} x {gap}")
    told = any("skipped" in gap or "not read" in gap or "missing" in gap for gap in tally.gaps)
    return 1 if tally.doubled or (tally.lost and not told) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
