"""A process that dies at a chosen point of a mutation: `mortal.py DIR ACCOUNT_FILE POINT PLAN`.

POINT: before-intent, after-intent, in-send (applied, answer not seen), before-outcome. PLAN: throttle, purge.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _dying(function: Callable[..., Any], *, first: bool) -> Callable[..., Any]:
    def die_around(*args: Any) -> Any:
        if first:
            os.kill(os.getpid(), signal.SIGKILL)
        function(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    return die_around


async def main(directory: Path, account_file: Path, point: str, what: str) -> None:
    """Plan, confirm, execute, die."""
    from fakes.account import ORDERS, Account
    from fakes.entries import WORKER
    from fakes.mitigation_flow import mitigation_flow

    from lambdatop.engine.mutating.executor import this_process

    way = mitigation_flow(directory, Account(account_file), process=this_process())
    journal: Any = way.journal
    if point == "before-intent":
        journal.intent = _dying(journal.intent, first=True)
    elif point == "after-intent":
        journal.intent = _dying(journal.intent, first=False)
    elif point == "in-send":
        account: Any = way.account
        account.apply = _dying(account.apply, first=False)
    elif point == "before-outcome":
        journal.outcome = _dying(journal.outcome, first=True)
    name, target = ("purge_queue", ORDERS) if what == "purge" else ("throttle_to_zero", WORKER)
    await way.execute(await way.plan(name, target))


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
