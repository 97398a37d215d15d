"""Every operation of every service in use, in every way we know, against a server that counts.

`make guard-proof` is the long form, with each wall alone and a table.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fakes import guard_attacks as attacks
from fakes.counting_server import CountingServer
from fakes.guard_attacks import ALL, Attack, Fortress

from lambdatop.aws.sdk.walls.allowlist import READS

pytestmark = pytest.mark.sdk

SENT = (attacks.private_call, attacks.below_events, attacks.late_hook)
NEVER = (attacks.unregistered_hooks, attacks.raw_http)
SIGNED = (attacks.presigned_url, attacks.private_signer)


@pytest.fixture
async def server() -> AsyncIterator[CountingServer]:
    async with CountingServer() as running:
        yield running


async def test_without_walls_every_way_leads_out(server: CountingServer) -> None:
    """The control, on a sample: an experiment that is blind would prove nothing."""
    fortress = Fortress(server, frozenset())
    others = [o for o in attacks.every_operation(("lambda", "sqs", "s3")) if not attacks.is_listed(o)][::9]
    for attack in (*SENT, *NEVER):
        tally = await fortress.try_all(attack, iter(others))
        assert tally.others_through == tally.others == len(others), attack.__name__
    for sign in SIGNED:
        assert (await fortress.try_all(sign, iter(others))).others_through
    assert await attacks.presigned_posts(fortress)
    assert (await attacks.redirects(fortress)).others_through
    await fortress.clients.close()


async def test_of_all_operations_only_the_listed_reads_leave(server: CountingServer) -> None:
    fortress = Fortress(server, ALL)
    tally = await fortress.try_all(attacks.private_call)
    assert tally.others > 850
    assert tally.through == []
    assert tally.listed_through == tally.listed == server.requests == server.connections
    assert tally.listed == sum(map(len, READS.values())) + 2, "the reads, and two ways to assume a role"
    await fortress.clients.close()


@pytest.mark.parametrize("attack", [*SENT[1:], *NEVER, *SIGNED], ids=lambda a: a.__name__)
async def test_no_way_around_leads_out(attack: Attack, server: CountingServer) -> None:
    fortress = Fortress(server, ALL)
    others = (o for o in attacks.every_operation() if not attacks.is_listed(o))
    tally = await fortress.try_all(attack, others)
    assert tally.others > 850
    assert (tally.through, server.requests, server.connections) == ([], 0, 0)
    await fortress.clients.close()


async def test_paginators_waiters_streams_forms_and_redirects(server: CountingServer) -> None:
    fortress = Fortress(server, ALL)
    pages, waits = await attacks.paginators(fortress), await attacks.waiters(fortress)
    streams = await attacks.event_streams(fortress)
    for tally in (pages, waits, streams):
        assert tally.others > 0
        assert tally.through == []
        assert tally.listed_through == tally.listed > 0
    assert server.requests == server.connections == pages.listed + waits.listed + streams.listed
    assert not await attacks.presigned_posts(fortress)
    assert (await attacks.redirects(fortress)).others_through == 0
    await fortress.clients.close()


async def test_operator_mode_without_a_ticket_lets_nothing_else_out(server: CountingServer) -> None:
    fortress = Fortress(server, frozenset({"hooks", "transport"}), read_only=False)
    others = [o for o in attacks.every_operation() if not attacks.is_listed(o)]
    for attack in (attacks.private_call, attacks.below_events, attacks.presigned_url):
        tally = await fortress.try_all(attack, iter(others))
        assert (tally.through, server.connections) == ([], 0), attack.__name__
    await fortress.clients.close()
