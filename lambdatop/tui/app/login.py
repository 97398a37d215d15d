"""Run `:login`: suspend the console, log in on the plain terminal, and keep all data."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import SuspendNotSupported

from lambdatop.tui.host import Host

NO_LOGIN = "There is nothing to log in to: the demo brings its own keys."


class LogsIn(Host):
    """Mixed into the console. `login` does one login, blocking, and says how it ended; None without any."""

    login: Callable[[], str] | None = None

    def action_login(self) -> None:
        """Suspend, log in, resume, connect anew. The engine goes on meanwhile in its own thread."""
        if self.login is None:
            self.show_message(NO_LOGIN, "warning")
            return
        try:
            with self.suspend():
                words = self.login()
        except SuspendNotSupported:
            self.show_message(
                "This terminal cannot be handed over; log in from another one, then press r.", "warning"
            )
            return
        self.engine.reconnect()
        self.show_message(words)
