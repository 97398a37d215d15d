"""Collectors, fold loop, snapshot publishing and the executor, on a loop of their own."""

from __future__ import annotations

import logging

# Without a handler Python writes warnings to stderr, over the console's screen.
logging.getLogger("lambdatop").addHandler(logging.NullHandler())
