"""Finds a customer's orders by e-mail address. Nobody made an index for that column."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from typing import Any

DATABASE = os.path.join(tempfile.gettempdir(), "customer-search.db")
ROWS_A_CALL = 2000
SECONDS_A_ROW = 24e-6
"""What a row costs on the demo's small database server; the rows themselves are really scanned."""


def _connect() -> sqlite3.Connection:
    connection = sqlite3.connect(DATABASE, timeout=5, isolation_level=None)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, email TEXT, cents INTEGER)"
    )
    return connection


CONNECTION = _connect()


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Take in the newest orders, as the nightly import does, and search for one customer's."""
    rows = [(f"c{n % 997}@example.com", n) for n in range(ROWS_A_CALL)]
    CONNECTION.execute("BEGIN IMMEDIATE")
    CONNECTION.executemany("INSERT INTO orders (email, cents) VALUES (?, ?)", rows)
    CONNECTION.execute("COMMIT")
    began = time.perf_counter()
    query = "SELECT count(*), sum(email = ?) FROM orders"
    scanned, found = CONNECTION.execute(query, (event["email"],)).fetchone()
    time.sleep(scanned * SECONDS_A_ROW)
    print(f"{found} orders of {event['email']}: {scanned} rows in {time.perf_counter() - began:.2f} s")
    return {"orders": found}
