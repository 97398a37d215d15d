"""Ask for one-time MFA codes before anything else runs, and give them to the SDK when it asks.

Nothing of the SDK is imported here: whether a code is needed is decided before the first frame.
"""

from __future__ import annotations

from typing import Any

from lambdatop.domain.errors import CredentialsError
from lambdatop.domain.sanitize import clean_line

REFUSED = "MfaCodeRefused"
"""`code` of the CredentialsError that says that AWS did not take an MFA code."""

SESSION_ENDS_EARLY_S = 600.0
"""So long, s, before they expire the SDK stops using credentials that need a new code."""


class MfaCodes:
    """Codes by device, each used once, and the sessions obtained with them (in memory only).

    The sessions are kept so that a lost connection can be opened again without another code. `how` tells the
    user where a new code is asked for.
    """

    def __init__(self, how: str) -> None:
        self._how = how
        self._codes: dict[str, str] = {}
        self.sessions: dict[str, Any] = {}
        self.used = False
        self.refusals = 0

    def __repr__(self) -> str:
        return "MfaCodes(…)"

    def hold(self, serial: str, code: str) -> None:
        """Take a code for one use; sessions obtained with an older one are dropped."""
        self.sessions.clear()
        self._codes[serial] = code

    def forget(self) -> None:
        """Forget the sessions, which do not work any more."""
        self.sessions.clear()

    def take(self, prompt: str) -> str:
        """Return the code for the device that the SDK's prompt names.

        Raises:
            CredentialsError: there is none (any more).
        """
        self.used = True
        for serial in self._codes:
            if serial in prompt:
                return self._codes.pop(serial)
        raise CredentialsError(f"The role needs a new MFA code: {self._how}.")


def refused(message: str) -> CredentialsError:
    """Return AWS's refusal of a code, in words that say what to do."""
    words = clean_line(message, 200)
    return CredentialsError(
        f"AWS did not take the MFA code ({words}): it is wrong or was used already; wait for the next one.",
        code=REFUSED,
    )
