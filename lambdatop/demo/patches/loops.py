"""Recursive loops: Lambda stops a chain after about 16 hops, and counts what it stopped."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.ledger import Ledger
from lambdatop.demo.patches.executions import here


class LoopRepair:
    """ministack stops the chains; its own metric is not among those that are answered from the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        """Count in ``ledger``."""
        self._ledger = ledger

    def install(self) -> None:
        """Put the wrapper in place."""
        _ministack.replace("services.lambda_svc._recursive_loop_drop", self._drop)

    def _drop(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def drop(name: str, func: dict[str, Any], depth: int) -> Any:
            refusal = original(name, func, depth)
            if refusal is not None:
                self._ledger.loop_stopped(here(), name)
            return refusal

        return drop
