"""Real functions, queues and retries on the embedded emulator. No other room knows it exists.

The console's side is ``launch`` and ``scenarios``: they import neither the emulator nor an SDK. Everything
else runs in the demo's own process tree: ``supervisor`` (ends the tree with the console), ``server``
(ministack behind ``repairs``), ``runtime_worker`` (one per execution environment).

Executions and queue movements are entered into ``ledger`` and ``ledger_sources`` where the emulator really
makes them, and published from there through ``metric_store`` on the compressed ``timeline``.
"""

from __future__ import annotations
