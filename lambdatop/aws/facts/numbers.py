"""Check numbers of AWS's answers: what a float holds, what digits say."""

from __future__ import annotations

import math
from typing import Any

LARGEST = 2**63 - 1
"""The largest value of the models' integer and long."""
DIGITS = 19
"""As many digits as `LARGEST` has; Python's own limit for a text is 4,300, more than a float can hold."""


def finite(value: Any) -> bool:
    """Return whether it is a number that figures can be made of."""
    if type(value) is int:
        return -LARGEST <= value <= LARGEST
    return type(value) is float and math.isfinite(value)
