"""Check numbers of AWS's answers: what a float holds, what digits say."""

from __future__ import annotations

import math
from typing import Any

LARGEST = 2**63 - 1
"""Of what the models call integer and long nothing is larger."""
DIGITS = 19
"""As many as `LARGEST` has; Python's own limit for a text is 4,300, which no figure survives."""


def finite(value: Any) -> bool:
    """Return whether it is a number that figures can be made of."""
    if type(value) is int:
        return -LARGEST <= value <= LARGEST
    return type(value) is float and math.isfinite(value)
