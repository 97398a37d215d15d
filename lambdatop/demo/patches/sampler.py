"""What nobody calls but time: queue depths, running executions, and forgetting what is too old."""

from __future__ import annotations

import logging
import threading
import time

from lambdatop.demo.emulator.ledger import Ledger
from lambdatop.demo.emulator.metric_store import MetricStore
from lambdatop.demo.patches import durable
from lambdatop.demo.patches.queues import QueueRepair

PERIOD_S = 1.0
_PRUNE_EVERY = 10

_log = logging.getLogger("lambdatop.demo")


def start(store: MetricStore, ledger: Ledger, queues: QueueRepair) -> None:
    """Sample once a second, in a thread that ends with the process."""
    threading.Thread(target=_run, args=(store, ledger, queues), daemon=True, name="sampler").start()


def _run(store: MetricStore, ledger: Ledger, queues: QueueRepair) -> None:
    tick = 0
    while True:
        now = time.time()
        try:
            queues.sample(now)
            ledger.still_running(now)
            durable.sample(ledger, now)
        except Exception:  # One odd queue must not end the sampling of all others.
            _log.exception("sampling")
        tick += 1
        if tick % _PRUNE_EVERY == 0:
            store.prune(now)
        time.sleep(max(0.0, PERIOD_S - (time.time() - now)))
