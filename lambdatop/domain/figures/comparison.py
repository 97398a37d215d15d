"""Write comparisons so that what stands there is true. Pure.

A finding that stands is measured against a lower threshold (`detectors.clear_factor`): that one is printed,
with the one that raises it. A figure gets as many digits as it takes to see on which side of it it lies.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import ge, gt, le, lt

from lambdatop.domain.figures.context import EvaluationContext

MOST_DIGITS = 9
_HOLDS: dict[str, Callable[[float, float], bool]] = {">=": ge, ">": gt, "<=": le, "<": lt}


def compared(
    value: float, sign: str, threshold: float, digits: int = 2, unit: str = "", what: str = ""
) -> str:
    """Return `0.23 < 0.25`, `24.2% >= 20%`, `72 s > 60 s`, `3 timeouts >= 2`; `%` takes shares.

    `unit` stands at both numbers, `what` at the first.
    """
    times = 100 if unit == "%" else 1
    limit = f"{times * threshold:.6g}"
    for more in range(digits, MOST_DIGITS):
        shown = f"{times * value:.{more}f}"
        if _HOLDS[sign](float(shown), float(limit)):
            break
    return f"{shown}{unit}{what} {sign} {limit}{unit}"


def against(
    context: EvaluationContext,
    value: float,
    threshold: float,
    digits: int = 2,
    unit: str = "",
    sign: str = ">=",
    what: str = "",
) -> str:
    """Return how a value of a finding compares with its threshold, or with the one below which it ends."""
    if _HOLDS[sign](value, threshold):
        return compared(value, sign, threshold, digits, unit, what)
    ends = compared(value, sign, threshold * context.limits.clear_factor, digits, unit, what)
    raised = f"{100 * threshold:.6g}%" if unit == "%" else f"{threshold:.6g}{unit}"
    return f"{ends} (it stands until below that, {raised} raises it)"


def multiple(context: EvaluationContext, value: float, factor: float, base: float, write: str) -> str:
    """Return `10.0 errors/min >= 5 x 2.0 errors/min`; `write` is a format of both, `{:.1f} errors/min`."""
    raises = value >= factor * base
    used = factor if raises else factor * context.limits.clear_factor
    told = f"{write.format(value)} >= {used:g} x {write.format(base)}"
    return told if raises else f"{told} (it stands until below that, {factor:g} x raises it)"
