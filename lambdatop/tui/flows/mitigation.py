"""Lead a mutation through the console: key, target, dialog. The engine does everything else.

Nothing here sends anything: `Console.execute` is called by the confirm screen only, with the plan that
was on the screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.registry import REGISTRY, Ask, kind_of
from lambdatop.domain.mitigations.restore import remembered
from lambdatop.domain.plans.plan import Alternative
from lambdatop.tui.dialogs.ask import AskScreen
from lambdatop.tui.dialogs.choose import ChooseScreen
from lambdatop.tui.dialogs.confirm import ConfirmScreen
from lambdatop.tui.futures import Request, background, ending
from lambdatop.tui.host import Host
from lambdatop.tui.selection import ASKED_FOR, Candidate, Selection, candidates, never_fits, nothing_to_do

READ_ONLY = "read-only: {what} is not available, no change can be sent. Start without --read-only for that."

MAY_BE_MORE = "There may be others ({why})."


class ConsoleFlow:
    """Opens the dialogs of one app, one at a time."""

    def __init__(self, app: Host) -> None:
        self._app = app
        self._related: dict[Key, frozenset[Key]] = {}

    def mitigate(self, name: str, selection: Selection) -> None:
        """Find the target of a key (ask which, when there are several), then confirm."""
        what = name.replace("_", " ")
        if self._refuse(what):
            return
        unfit = never_fits(name, selection, self._app.frame.snapshot)
        if unfit:
            self._app.show_message(unfit, "warning")
            return
        if kind_of(name) in ASKED_FOR:
            self._ask_for(name, selection)
            return
        found = candidates(name, selection, self._app.frame.snapshot)
        if not found:
            self._app.show_message(nothing_to_do(name, selection), "warning")
        elif len(found) == 1:
            self._for_target(name, found[0].key)
        else:
            self._choose(name, what, found)

    def undo(self, entry_id: str | None) -> None:
        """Undo one journal entry, or the newest that can be undone."""
        if self._refuse("undo"):
            return
        console = self._app.engine
        self._open(Request("undo", lambda: console.propose_undo(entry_id)))

    def related(self, function: Key | None) -> frozenset[Key]:
        """Return the aliases and rules that were read for a function: no snapshot holds them."""
        return self._related.get(function, frozenset()) if function is not None else frozenset()

    def instead(self, alternative: Alternative) -> None:
        """Propose an alternative of the plan on the screen instead."""
        if not self._refuse(alternative.mitigation):
            name, key = alternative.mitigation, alternative.target.key
            if alternative.params:
                self._propose(name, key, alternative.params)
            else:
                self._for_target(name, key)

    def _ask_for(self, name: str, selection: Selection) -> None:
        """Read the function's aliases and rules, which are in no snapshot, then continue as usual.

        Nothing is asked where the row is that of the schedule, pipe or state machine itself.
        """
        function, what = selection.function, name.replace("_", " ")
        if function is None:
            self._app.show_message(nothing_to_do(name, selection), "warning")
            return
        if selection.caller is not None and selection.caller.kind == kind_of(name):
            self._related[function] = self.related(function) | {selection.caller}
            self._for_target(name, selection.caller)
            return

        async def read() -> None:
            try:
                found = await ending(self._app.engine.related(function, kind_of(name)))
            except LambdatopError as error:
                self._app.show_message(f"{what}: {error}", "error")
                return
            keys = found.keys
            self._related[function] = self.related(function) | set(keys)
            if self._app.screen.is_modal:
                return
            if not keys:
                self._app.show_message(nothing_to_do(name, selection), "warning")
            elif len(keys) == 1 and not found.hidden:
                self._for_target(name, keys[0])
            else:
                self._choose(name, what, tuple(Candidate(key, key.id) for key in keys), found.hidden)

        background(self._app, read, group="related", exclusive=True)

    def _refuse(self, what: str) -> bool:
        if self._app.mode == "read-only":
            self._app.show_message(READ_ONLY.format(what=what), "warning")
            return True
        return self._app.screen.is_modal

    def _choose(self, name: str, what: str, found: tuple[Candidate, ...], hidden: str = "") -> None:
        def chosen(key: Key | None) -> None:
            if key is not None:
                self._for_target(name, key)

        options = tuple((c.label, c.key) for c in found)
        rest = f" {MAY_BE_MORE.format(why=hidden.rstrip('.'))}" if hidden else ""
        self._app.push_screen(ChooseScreen(f"{what}: which one?{rest}", options), chosen)

    def _for_target(self, name: str, key: Key) -> None:
        ask = REGISTRY[name].ask
        if ask is not None:
            self._ask(name, key, ask)
            return
        if not REGISTRY[name].remembers:
            self._propose(name, key, {})
            return
        params = remembered(self._app.frame.snapshot.journal, key)
        if params:
            self._propose(name, key, params)
            return

        def given(value: str | None) -> None:
            if value is not None:
                self._propose(name, key, {"reserved": value})

        question = f"The journal has no former reserved concurrency of {key.id}. Restore it to:"
        self._app.push_screen(AskScreen(question, "none, or a number"), given)

    def _ask(self, name: str, key: Key, ask: Ask) -> None:
        """Ask a person for the value that a mitigation needs."""

        def given(text: str | None) -> None:
            if text is None:
                return
            if ask.param:
                self._propose(name, key, {ask.param: text})
                return
            pairs = [pair.partition("=") for pair in text.replace(",", " ").split()]
            unknown = [k or "=" for k, equals, _ in pairs if not equals or k not in REGISTRY[name].params]
            if unknown:
                known = ", ".join(REGISTRY[name].params)
                self._app.show_message(
                    f"{unknown[0]} is not a setting with a value; there are {known}.", "warning"
                )
            else:
                self._propose(name, key, {k: value for k, _, value in pairs})

        self._app.push_screen(AskScreen(ask.question.format(target=self._name(key)), ask.placeholder), given)

    def _name(self, key: Key) -> str:
        """Return a mapping's source and function instead of its UUID."""
        found = (m.facts for m in self._app.frame.snapshot.mappings if m.facts.key == key)
        return next((m.label for m in found), key.id)

    def _propose(self, name: str, key: Key, params: Mapping[str, Any]) -> None:
        console = self._app.engine
        words = f"{name.replace('_', ' ')}: {key.id}"
        self._open(Request(words, lambda: console.propose(name, key, params)))

    def _open(self, request: Request) -> None:
        if not self._app.screen.is_modal:
            self._app.push_screen(ConfirmScreen(request))
