"""The rows that all tables of the benchmark show: `figures(i, tick)` are those of function i."""

from __future__ import annotations

from random import Random

COLUMNS = ("heat", "function", "inv/min", "err/min", "err %", "thr/min", "p99 ms", "max ms", "conc", "$/h")
NAMES = 2
"""Columns that never change."""


def name(number: int) -> str:
    """Return `team-03-service-00100`."""
    return f"team-{number % 97:02}-service-{number:05}"


def figures(number: int, tick: int) -> tuple[float, ...]:
    """Return eight figures of a function, others at each tick."""
    seed = number * 7_919 + tick * 104_729
    calls = 100.0 + seed % 800
    return (
        calls,
        float(seed % 23),
        (seed % 23) / calls,
        float(seed % 7),
        50.0 + seed % 150,
        200.0 + seed % 700,
        1.0 + seed % 40,
        (seed % 9_000) / 10_000,
    )


def words(number: int, tick: int) -> tuple[str, ...]:
    """Return the cells of a row."""
    calls, errors, share, throttled, p99, longest, environments, burn = figures(number, tick)
    return (
        f"{90 - number * 80 / 50_000:.1f}",
        name(number),
        f"{calls:.1f}",
        f"{errors:.0f}",
        f"{share:.1%}",
        f"{throttled:.0f}",
        f"{p99:.0f}",
        f"{longest:.0f}",
        f"{environments:.0f}",
        f"{burn:.4f}",
    )


def changed(count: int, share: float, random: Random) -> list[int]:
    """Return the numbers of the rows that change this second."""
    return list(range(count)) if share >= 1 else random.sample(range(count), int(count * share))
