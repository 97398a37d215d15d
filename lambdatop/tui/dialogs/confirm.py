"""Show the confirm dialog: read, show the plan, arm late, send once, show the outcome.

It opens at once and fills when the engine has read the target, so three fast presses make one dialog.
Keys that were typed before it was filled and armed never reach it (see `admits`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Static
from textual.worker import Worker, WorkerState

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import (
    CLOCK_SLACK_S,
    CONFIRMATION_LIFE_S,
    Alternative,
    Plan,
    Proposal,
    Refusal,
)
from lambdatop.domain.ports.console import Result
from lambdatop.domain.sanitize import clean
from lambdatop.tui.bindings import bindings
from lambdatop.tui.dialogs.base import Dialog
from lambdatop.tui.futures import Request, background, ending
from lambdatop.tui.pages import confirm as words
from lambdatop.tui.style.spans import Spans, fit, spans
from lambdatop.tui.style.theme import Inks

if TYPE_CHECKING:
    pass


def label(other: Alternative, mitigation: str) -> str:
    """Return `Do this first: disable trigger orders`.

    The same mitigation with other settings is done instead.
    """
    if other.label:
        return other.label
    verb = "Rather" if other.mitigation == mitigation else "Do this first"
    settings = "".join(f" {name}={value}" for name, value in other.params.items())
    return f"{verb}: {other.mitigation.replace('_', ' ')} {other.target.name}{settings}"


def buttons(alternatives: Sequence[Alternative], inks: Inks, mitigation: str) -> Iterator[Widget]:
    """Yield a button for each, named by its place in the list, and below it the reason."""
    for i, other in enumerate(alternatives):
        yield Button(Content(inks.text(label(other, mitigation))), name=str(i), classes="alternative")
        yield Static(inks.content(spans((other.why, "muted"))), markup=False)


Phase = Literal["reading", "ready", "closed", "sending", "done"]
ALWAYS = ("escape", "ctrl+c", "ctrl+q")
"""Keys that lead away from the dialog, and so need no arming."""


class ConfirmScreen(Dialog):
    """One request from reading to result. `closed` is the phase of refusals and failed reads."""

    BINDINGS = bindings("dialog")
    AUTO_FOCUS = "#cancel"

    def __init__(self, request: Request) -> None:
        super().__init__()
        self._request = request
        self._armed_at: float | None = None
        self._alternatives: tuple[Alternative, ...] = ()
        self._done: Entry | None = None
        self._filled_at = 0.0
        self.phase: Phase = "reading"
        self.plan: Plan | None = None

    @property
    def armed(self) -> bool:
        """Whether input is taken."""
        return self._armed_at is not None

    def admits(self, event: Message) -> bool:
        """Return whether an input event may reach the dialog: what was typed before it was armed may not."""
        if isinstance(event, events.Key) and event.key in ALWAYS:
            return True
        self._let_in = self._armed_at is not None and event.time >= self._armed_at
        return self._let_in

    # -- reading ---------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Ask for the plan, and keep the age of the answer honest."""
        self.set_interval(1.0, self.show_status)
        self._read()

    def _read(self) -> None:
        self.phase, self.plan, self._armed_at, self._let_in = "reading", None, None, False
        self._done = None
        self._put("#title", spans((self._request.words, "accent")))
        self._put("#text", spans(("reading the current state…", "muted")))
        self._put("#rest", ())
        self._fill_controls((), typed=False)
        self.query_one("#cancel", Button).focus()
        background(self, self._ask, group="read", exclusive=True)

    async def _ask(self) -> None:
        try:
            proposal = await ending(self._request.ask())
        except LambdatopError as error:
            self._close_with(
                spans(("This cannot be planned", "warning")), words.row("why", clean(str(error)), self._width)
            )
            return
        self._fill(proposal)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show an unexpected error."""
        if event.state is WorkerState.ERROR:
            error = f"internal error: {type(event.worker.error).__name__}"
            self._close_with(
                spans(("This cannot be planned", "critical")), words.row("why", error, self._width)
            )

    def _fill(self, proposal: Proposal) -> None:
        if isinstance(proposal, Refusal):
            title, text = words.refusal(proposal, self._width)
            self._close_with(title, text, proposal.alternatives)
            return
        self.plan, self.phase, self._filled_at = proposal, "ready", Message().time
        self._put("#title", words.heading(proposal, self._width, self.console_app.now()))
        self._put("#text", words.where(proposal, self.console_app.frame.target, self._width))
        self._put(
            "#rest", words.consequences(proposal, self._width, self.console_app.frame.snapshot.permissions)
        )
        self._fill_controls(proposal.alternatives, typed=proposal.confirm != "key")
        self._arm_later()

    def _close_with(self, title: Spans, text: Spans, alternatives: tuple[Alternative, ...] = ()) -> None:
        self.phase, self.plan = "closed", None
        self._put("#title", title)
        self._put("#text", text)
        self._put("#rest", ())
        self._fill_controls(alternatives, typed=False)
        self._arm_later()

    def _arm_later(self) -> None:
        self.show_status()
        if self.console_app.arm_s > 0:
            self.set_timer(self.console_app.arm_s, self.arm)
        else:
            self.arm()

    def arm(self) -> None:
        """Accept input from now on; what was typed before stays lost."""
        if self._armed_at is None and self.phase != "reading":
            self._armed_at = Message().time
            self.query_one("#cancel", Button).focus()
            self.show_status()

    # -- parts of the dialog ---------------------------------------------------------------------

    def _fill_controls(self, alternatives: tuple[Alternative, ...], *, typed: bool) -> None:
        self._alternatives = alternatives
        inks, box = self.console_app.inks, self.query_one("#alternatives", Vertical)
        box.remove_children()
        box.display = bool(alternatives)
        box.mount_all(buttons(alternatives, inks, self.plan.mitigation if self.plan else ""))
        line = self.query_one("#typed", Input)
        line.display, line.value = typed, ""
        if typed and self.plan is not None:
            line.placeholder = inks.text(f"type {self.plan.confirm} to confirm")
        button = self.query_one("#confirm", Button)
        button.display, button.disabled = typed, True
        going_on = self.phase in ("reading", "ready")
        self.query_one("#cancel", Button).label = Content("Cancel" if going_on else "Close")
        self._limit_body()

    def show_status(self) -> None:
        """Show the line above the buttons: what is waited for, and how old the read is."""
        more = self.query_one("#body").max_scroll_y > 0
        plan = self.plan if self.phase in ("ready", "sending") else None
        now = self.console_app.now()
        pieces = words.status(plan, now, void=self.void, armed=self.armed, more=more)
        self._put("#status", fit(words.SENDING if self.phase == "sending" else pieces, self._width))
        if plan is not None:
            self._show_moving(plan, now)

    def _show_moving(self, plan: Plan, now: float) -> None:
        """Show what changes while the dialog is open: a deadline, and the progress of the steps."""
        if plan.deadline is not None or plan.deadline_latest is not None:
            self._put("#title", words.heading(plan, self._width, now))
        if plan.steps and self.phase == "sending":
            self._put("#text", words.progress(plan, self.console_app.engine.latest().journal, self._width))
            self._put("#rest", ())

    @property
    def void(self) -> bool:
        """Whether the plan is too old to be confirmed, by the clock or without one that can be set."""
        if self.plan is None:
            return False
        age_s = self.console_app.now() - self.plan.planned_at
        shown_s = Message().time - self._filled_at
        return age_s < -CLOCK_SLACK_S or max(age_s, shown_s) > CONFIRMATION_LIFE_S

    # -- input -----------------------------------------------------------------------------------

    def takes(self, key: events.Key) -> bool:
        """Type a name without looking for the line: a printable key opens it, here and now.

        A key handed on to the focused button would come back in that button's own time, when the keys
        typed right behind it may have the line already: letters would be lost or change places.
        """
        line = self.query_one("#typed", Input)
        if not line.display or line.has_focus or not key.is_printable or key.character in (None, " "):
            return False
        self.set_focus(line)
        line.insert_text_at_cursor(key.character or "")
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        """Enable the button only while the text is right."""
        event.stop()
        self.query_one("#confirm", Button).disabled = not self._typed_right()

    def _typed_right(self) -> bool:
        # str equality compares code points: a name with Cyrillic letters needs those letters.
        return self.plan is not None and self.query_one("#typed", Input).value == self.plan.confirm

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the line confirms when the text is right."""
        event.stop()
        self._confirm_typed()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, confirm, or an alternative."""
        event.stop()
        if event.button.id == "confirm":
            self._confirm_typed()
        elif event.button.id == "cancel":
            self.dismiss()
        elif event.button.name is not None:
            chosen = self._alternatives[int(event.button.name)]
            self.dismiss()
            self.app.call_later(self.console_app.mitigation_flow.instead, chosen)

    def action_cancel(self) -> None:
        """Close; what is under way goes on, and ends in the journal."""
        self.dismiss()

    def action_reread(self) -> None:
        """Ask for the plan again."""
        if self.phase in ("ready", "closed", "done"):
            self._read()

    def action_undo_result(self) -> None:
        """Undo exactly this change, once it is done, through a dialog of its own (`u`)."""
        entry = self._done
        if self.phase == "done" and entry is not None and entry.can_undo and self._let_in:
            self.dismiss()
            self.app.call_later(self.console_app.mitigation_flow.undo, entry.id)

    def action_confirm_key(self) -> None:
        """Confirm plans that lose nothing (`y`)."""
        if self.plan is not None and self.plan.confirm == "key":
            self._send()

    def _confirm_typed(self) -> None:
        if self.plan is not None and self.plan.confirm != "key" and self._typed_right():
            self._send()

    # -- sending ---------------------------------------------------------------------------------

    def _send(self) -> None:
        """Send the plan once, if armed and not too late; the engine checks everything again."""
        # A key on its way to a widget below when the dialog opened finds its binding here, never let in.
        plan = self.plan
        if self.phase != "ready" or plan is None or not self.armed or not self._let_in:
            return
        if self.void:
            self.show_status()
            return
        self.phase = "sending"
        self._fill_controls((), typed=False)
        self.show_status()
        self.console_app.execute(plan, self)

    def show_result(self, result: Result) -> None:
        """Show how it ended.

        What it did is visible in the next snapshot.
        """
        self.phase, self._done = "done", result.entry
        title, text = words.outcome(result, self._width)
        self._put("#title", title)
        self._put("#text", text)
        self._put(
            "#rest",
            spans(("Ctrl-R", "accent"), " reads again and asks anew")
            if result.kind in ("drift", "expired")
            else (),
        )
        self._fill_controls((), typed=False)
        self.show_status()
        self.query_one("#cancel", Button).focus()
