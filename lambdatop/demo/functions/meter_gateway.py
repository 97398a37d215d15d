"""Reads meters through the one session that the utility's head end allows.

As with an MQTT client id, whoever opens the session ends the one before. It is opened while the module
initialises, the way every guide says, and so also by an environment that never serves.
"""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from typing import Any

SESSION = os.path.join(tempfile.gettempdir(), "meter-gateway.session")
ME = uuid.uuid4().hex
PATIENCE = 20
"""Calls after which an environment that lost the session opens a new one."""


class ExclusiveSessionTaken(Exception):
    """Somebody else opened the session."""


def _open() -> None:
    """Take the session over."""
    path = f"{SESSION}.{ME}"
    with open(path, "w", encoding="ascii") as file:
        file.write(ME)
    os.replace(path, SESSION)
    print(f"session {ME[:8]} opened")


def _holder() -> str:
    with open(SESSION, encoding="ascii") as file:
        return file.read()


_open()
LOST = 0


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Read one meter. Raises ExclusiveSessionTaken while another environment has the session."""
    global LOST
    time.sleep(0.04)
    holder = _holder()
    if holder == ME:
        LOST = 0
        return {"meter": event["meter"], "kwh": event["meter"] % 997}
    LOST += 1
    if LOST >= PATIENCE:
        LOST = 0
        _open()
    raise ExclusiveSessionTaken(
        f"session {ME[:8]} was closed: the exclusive connection is in use by {holder[:8]}"
    )
