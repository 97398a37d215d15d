"""A terminal whose screen is looked at when it is whole: between two bursts of output, not within one."""

from __future__ import annotations

import re
import select
from typing import Self

from fakes.terminal import Terminal
from fakes.time_limit import PATIENCE_S

PAUSE_S = 0.03


class WholeScreens(Terminal):
    """Reading a screen costs ten milliseconds; after each piece of a frame it would cost the test its CPU."""

    def __enter__(self) -> Self:
        return self

    def read(self, wait_s: float) -> bool:
        """Read all that comes without a pause."""
        alive = super().read(wait_s)
        while alive and select.select([self._master], [], [], PAUSE_S)[0]:
            alive = super().read(0.0)
        return alive

    def go(self, keys: str, shows: str, timeout_s: float = PATIENCE_S) -> str:
        """Press and wait until the screen matches a pattern."""
        self.press(keys)
        self.read(0.25)
        try:
            return self.wait_for(lambda screen: re.search(shows, screen) is not None, timeout_s)
        except AssertionError as error:
            raise AssertionError(f"after {keys!r}: no {shows!r}: {error}") from None
