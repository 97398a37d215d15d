"""`:login`: the console steps aside, the login runs on the plain terminal, and everything known is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from textual.app import App, SuspendNotSupported

from lambdatop.domain.ports.console import Console

NO_LOGIN = "There is nothing to log in to: the demo brings its own keys."


class LogsIn(App[None]):
    """Mixed into the console. `login` does one login, blocking, and says how it ended; None without any."""

    engine: Console
    login: Callable[[], str] | None = None

    def action_login(self) -> None:
        """Suspend, log in, resume, connect anew. The engine goes on meanwhile in its own thread."""
        if self.login is None:
            self.say(NO_LOGIN, "warning")
            return
        try:
            with self.suspend():
                words = self.login()
        except SuspendNotSupported:
            self.say("This terminal cannot be handed over; log in from another one, then press r.", "warning")
            return
        self.engine.reconnect()
        self.say(words)

    def say(self, words: str, severity: Literal["information", "warning", "error"] = "information") -> None:
        """A toast."""
        raise NotImplementedError
