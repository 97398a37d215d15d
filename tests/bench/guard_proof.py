"""Every operation of every service in use, sent through lambdatop's read-only session in every way we know.

A minimal valid call is made from the model for each; a local server counts what arrives. One configuration
without walls shows that the experiment sees what it claims to, the others show what each wall holds alone.

PYTHONPATH=tests python -m bench.guard_proof
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fakes import guard_attacks as attacks
from fakes.counting_server import CountingServer
from fakes.guard_attacks import ALL, Attack, Fortress, Tally

Attempt = Callable[[Fortress], Awaitable[Tally]]

CONFIGURATIONS: dict[str, frozenset[str]] = {
    "control, no wall": frozenset(),
    "hooks only": frozenset({"hooks"}),
    "loader only": frozenset({"loader"}),
    "transport only": frozenset({"transport"}),
    "all three": ALL,
    "operator mode, no ticket open": frozenset({"hooks", "transport"}),
}
WHOLE = ("all three", "operator mode, no ticket open")
"""What lambdatop really runs with: these must hold everything."""


def _each(attack: Attack) -> Attempt:
    async def attempt(fortress: Fortress) -> Tally:
        return await fortress.try_all(attack)

    return attempt


async def _post(fortress: Fortress) -> Tally:
    return Tally(others=1, others_through=int(await attacks.presigned_posts(fortress)))


GROUPS: tuple[tuple[tuple[str, Attempt], ...], ...] = (
    (
        ("_make_api_call", _each(attacks.private_call)),
        ("the client's method", _each(attacks.method)),
        ("_endpoint.make_request", _each(attacks.below_events)),
        ("raw http_session.send", _each(attacks.raw_http)),
        ("presigned URL", _each(attacks.presigned_url)),
        ("the private signer's URL", _each(attacks.private_signer)),
        ("presigned POST", _post),
        ("paginators", attacks.paginators),
        ("waiters", attacks.waiters),
        ("event streams", attacks.event_streams),
        ("redirects followed", attacks.redirects),
    ),
    (("a hook registered late", _each(attacks.late_hook)),),
    (("guard's hooks unregistered", _each(attacks.unregistered_hooks)),),
)
"""The ways; those of one group share their clients, the last two leave theirs changed."""
CALLS = ("_make_api_call", "the client's method", "paginators", "waiters", "event streams")
HELD = {
    "hooks only": {*CALLS, "_endpoint.make_request", "a hook registered late", "presigned URL"}
    | {"the private signer's URL", "presigned POST"},
    "loader only": {*CALLS, "presigned URL", "presigned POST"},
    "transport only": {*CALLS, "_endpoint.make_request", "a hook registered late"}
    | {"guard's hooks unregistered", "raw http_session.send", "redirects followed"},
}
"""What one wall must hold alone."""


@dataclass(frozen=True)
class Row:
    """One way, tried in one configuration."""

    way: str
    tally: Tally
    requests: int
    connections: int


async def _configuration(walls: frozenset[str], *, read_only: bool) -> list[Row]:
    rows: list[Row] = []
    async with CountingServer() as server:
        for ways in GROUPS:
            fortress = Fortress(server, walls, read_only=read_only)
            for way, attempt in ways:
                requests, connections = server.requests, server.connections
                tally = await attempt(fortress)
                rows.append(Row(way, tally, server.requests - requests, server.connections - connections))
            await fortress.clients.close()
    return rows


def _wrong(name: str, rows: list[Row]) -> list[str]:
    """Return what contradicts the promise."""
    found = []
    for row in rows:
        tally = row.tally
        must_hold = name in WHOLE or row.way in HELD.get(name, ())
        if must_hold and tally.others_through:
            found.append(f"{name}, {row.way}: {tally.others_through} got through: {tally.through[:5]}")
        if row.way in CALLS and name != "transport only" and tally.listed_through != tally.listed:
            found.append(f"{name}, {row.way}: only {tally.listed_through} of {tally.listed} reads arrived")
        if name.startswith("control") and row.way in CALLS and tally.others_through != tally.others:
            found.append(f"{name}, {row.way}: {tally.others_through} of {tally.others} arrived: blind")
        if name in WHOLE and (row.requests, row.connections) != _expected(row):
            found.append(f"{name}, {row.way}: {row.requests} requests, {row.connections} connections")
    return found


def _expected(row: Row) -> tuple[int, int]:
    """Return requests and connections that the listed reads account for, each with one of its own."""
    if row.way == "redirects followed":
        return row.requests, row.requests
    signing = row.way.endswith("URL")
    count = 0 if signing else row.tally.listed_through
    return count, count


def _print(name: str, rows: list[Row]) -> None:
    print(f"\n{name}")
    print(f"  {'way':<28}{'listed through':>16}{'others through':>16}{'requests':>10}{'connections':>13}")
    for row in rows:
        t = row.tally
        listed, others = f"{t.listed_through} of {t.listed}", f"{t.others_through} of {t.others}"
        print(f"  {row.way:<28}{listed:>16}{others:>16}{row.requests:>10}{row.connections:>13}")


async def main() -> int:
    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    every = list(attacks.every_operation())
    listed = sum(map(attacks.is_listed, every))
    print(f"{len(every)} operations of {len(attacks.SERVICES)} services, {listed} of them listed")
    wrong: list[str] = []
    for name, walls in CONFIGURATIONS.items():
        rows = await _configuration(walls, read_only=not name.startswith("operator"))
        _print(name, rows)
        wrong += _wrong(name, rows)
    print(f"\n{time.monotonic() - began:.0f} s")
    for sentence in wrong:
        print(f"BROKEN: {sentence}")
    print("BROKEN" if wrong else "held: nothing but the listed reads left lambdatop's session")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
