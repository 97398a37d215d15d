"""Hold the table of keys, from which bindings, help, footer, palette and docs/keys.md are made.

The keys of panes stand with the panes (`panes/registry.py`). No import of Textual: the documentation reads
this table too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from lambdatop.domain.mitigations.registry import REGISTRY, MitigationSpec

Scope = Literal["everywhere", "dashboard", "target", "moving", "log", "insights", "dialog", "journal"]

WHERE: dict[str, str] = {
    "everywhere": "everywhere",
    "dashboard": "dashboard",
    "target": "selected function, storm or finding",
    "moving": "lists and log",
    "log": "log tail",
    "insights": "errors by kind",
    "journal": "journal",
    "dialog": "confirm dialog",
}


class Hotkey(Struct, frozen=True):
    """One entry. `keys` are Textual's names, `shown` is what people read.

    `mitigation` is set when the key opens the confirm dialog of a mutation; `footer` is the rank in
    the footer (0 = not shown there, 1 = leaves last); `priority` keys also work under a dialog.
    """

    id: str
    keys: str
    shown: str
    action: str
    label: str
    help: str
    scope: Scope
    mitigation: str = ""
    footer: int = 0
    priority: bool = False

    @property
    def is_mutation(self) -> bool:
        """Whether it may lead to a change in AWS (never without the confirm dialog)."""
        return bool(self.mitigation) or self.id in ("undo", "undo_chosen")


def _mutation(spec: MitigationSpec) -> Hotkey:
    action, key = f"mitigate('{spec.name}')", spec.hotkey
    return Hotkey(spec.name, key, key, action, spec.label, spec.does, "target", spec.name, spec.footer)


HOTKEYS: tuple[Hotkey, ...] = (
    Hotkey("next_pane", "tab", "Tab", "next_pane", "pane", "next pane", "dashboard", footer=14),
    Hotkey("previous_pane", "shift+tab", "Shift-Tab", "previous_pane", "pane", "previous pane", "dashboard"),
    Hotkey("zoom", "z", "z", "zoom", "zoom", "maximize the pane, or restore it", "dashboard", footer=17),
    Hotkey(
        "open",
        "enter",
        "Enter",
        "open",
        "open",
        "open the function, or the finding, in full",
        "dashboard",
        footer=4,
    ),
    Hotkey(
        "expand",
        "x",
        "x",
        "expand",
        "symptoms",
        "show or hide the symptoms of an incident",
        "dashboard",
        footer=13,
    ),
    Hotkey(
        "back",
        "escape",
        "Esc",
        "back",
        "back",
        "clear the filter, go back; never quits",
        "dashboard",
        footer=1,
    ),
    Hotkey(
        "filter",
        "slash",
        "/",
        "filter",
        "filter",
        "filter the pane: regular expression or text, ! inverts",
        "dashboard",
        footer=5,
    ),
    Hotkey(
        "mark",
        "space",
        "Space",
        "mark",
        "mark",
        "mark functions: the log pane shows those together",
        "dashboard",
    ),
    Hotkey("sort", "s", "s", "sort", "sort", "sort by the next column", "dashboard", footer=11),
    Hotkey("reverse", "S", "S", "reverse", "reverse", "reverse the order", "dashboard"),
    Hotkey("down", "j,down", "j ↓", "cursor_down", "down", "one line down", "moving"),
    Hotkey("up", "k,up", "k ↑", "cursor_up", "up", "one line up", "moving"),
    Hotkey("top", "g,home", "g Home", "top", "top", "to the first line", "moving"),
    Hotkey("bottom", "G,end", "G End", "bottom", "end", "to the last line; the log follows again", "moving"),
    Hotkey("half_down", "ctrl+d", "Ctrl-D", "half_down", "½ page", "half a page down", "moving"),
    Hotkey("half_up", "ctrl+u", "Ctrl-U", "half_up", "½ page", "half a page up", "moving"),
    Hotkey("page_down", "pagedown", "PgDn", "page_down", "page", "a page down", "moving"),
    Hotkey("page_up", "pageup", "PgUp", "page_up", "page", "a page up", "moving"),
    Hotkey(
        "search",
        "f,ctrl+f",
        "f Ctrl-F",
        "search_log",
        "search",
        "search the log, / filters it",
        "log",
        footer=1,
    ),
    Hotkey("older", "n", "n", "match(-1)", "older", "to the next older match", "log", footer=2),
    Hotkey("newer", "N", "N", "match(1)", "newer", "to the next newer match", "log", footer=3),
    Hotkey("older_error", "[", "[", "error(-1)", "older error", "to the next older error", "log"),
    Hotkey("newer_error", "]", "]", "error(1)", "newer error", "to the next newer error", "log"),
    Hotkey("errors_only", "e", "e", "errors_only", "errors", "errors only, or everything", "log", footer=4),
    Hotkey(
        "by_request", "o", "o", "by_request", "by request", "lines of one request together", "log", footer=5
    ),
    Hotkey("wrap", "w", "w", "wrap_log", "wrap", "wrap long lines, or cut them", "log", footer=6),
    Hotkey("stamps", "i", "i", "stamps", "time", "show or hide the time", "log", footer=10),
    Hotkey(
        "live",
        "l",
        "l",
        "live",
        "live",
        "Live Tail on or off: lines within a second, for 0.01 USD a minute",
        "log",
        footer=11,
    ),
    Hotkey(
        "kinds",
        "I",
        "I",
        "kinds",
        "by kind",
        "errors by kind from Logs Insights; the cost is shown before the query",
        "log",
        footer=12,
    ),
    Hotkey(
        "reveal",
        "v",
        "v",
        "reveal",
        "reveal",
        "show the hidden secrets of the marked line (what is hidden is best effort)",
        "log",
        footer=7,
    ),
    Hotkey("copy_line", "c", "c", "copy_line", "copy", "copy the marked line (OSC 52)", "log", footer=8),
    Hotkey(
        "copy_event", "a", "a", "copy_event", "copy all", "copy the whole event of the marked line", "log"
    ),
    Hotkey(
        "save_log",
        "ctrl+s",
        "Ctrl-S",
        "save_log",
        "save",
        "save what the log pane shows to a private file, secrets hidden",
        "log",
        footer=9,
    ),
    *(_mutation(spec) for spec in REGISTRY.values()),
    Hotkey(
        "executions",
        "b",
        "b",
        "executions",
        "durable",
        "running executions of a durable function; Enter there reads the history of one",
        "target",
    ),
    Hotkey("who", "H", "H", "who", "who", "recent changes to it, from CloudTrail", "target", footer=16),
    Hotkey(
        "undo", "u", "u", "undo", "undo", "undo the newest change; on a page, of what it shows", "everywhere"
    ),
    Hotkey(
        "journal", "J", "J", "journal", "journal", "the journal: changes and their outcomes", "everywhere"
    ),
    Hotkey("pause", "p", "p", "pause", "pause", "pause or resume the display", "everywhere", footer=12),
    Hotkey("refresh", "r", "r", "refresh", "refresh", "collect everything now", "everywhere", footer=15),
    Hotkey(
        "full_detail",
        "d",
        "d",
        "full_detail",
        "detail",
        "read all metrics once; above the hour's budget only after a second d",
        "everywhere",
    ),
    Hotkey("spend", "dollar_sign", "$", "spend", "cost", "API spend, by operation", "everywhere"),
    Hotkey("theme", "t", "t", "theme", "theme", "choose the theme", "everywhere", footer=18),
    Hotkey(
        "mouse",
        "m",
        "m",
        "mouse",
        "mouse",
        "leave the mouse to the terminal (drag to select text), or take it back",
        "everywhere",
    ),
    Hotkey("help", "question_mark", "?", "help", "help", "all keys", "everywhere", footer=2),
    Hotkey("palette", "colon,ctrl+p", ": Ctrl-P", "command_palette", "palette", "commands", "everywhere"),
    Hotkey(
        "login",
        "ctrl+l",
        ":login Ctrl-L",
        "login",
        "log in",
        "log in again, then return to the console",
        "everywhere",
    ),
    Hotkey("quit", "q", "q", "quit", "quit", "quit", "everywhere", footer=3),
    Hotkey(
        "quit_now",
        "ctrl+c,ctrl+q",
        "Ctrl-C Ctrl-Q",
        "quit",
        "quit",
        "quit, also from a dialog; a mutation in progress finishes first",
        "everywhere",
        priority=True,
    ),
    Hotkey(
        "undo_chosen",
        "u,enter",
        "u Enter",
        "undo_chosen",
        "undo",
        "undo the chosen mutation",
        "journal",
        footer=4,
    ),
    Hotkey(
        "who_chosen",
        "H",
        "H",
        "who_chosen",
        "who",
        "recent changes to it, from CloudTrail",
        "journal",
        footer=5,
    ),
    Hotkey(
        "ask", "enter", "Enter", "ask", "ask", "run the Logs Insights query at the cost shown", "insights"
    ),
    Hotkey("longer", "+,=", "+", "minutes(1)", "longer", "longer time range", "insights"),
    Hotkey("shorter", "-", "-", "minutes(-1)", "shorter", "shorter time range", "insights"),
    Hotkey("confirm", "y", "y", "confirm_key", "confirm", "confirm, where no typed name is asked", "dialog"),
    Hotkey("cancel", "escape", "Esc", "cancel", "cancel", "close without doing anything", "dialog"),
    Hotkey("dialog_down", "down,pagedown", "↓ PgDn", "scroll_body(1)", "down", "scroll the plan", "dialog"),
    Hotkey("dialog_up", "up,pageup", "↑ PgUp", "scroll_body(-1)", "up", "scroll the plan back", "dialog"),
    Hotkey("undo_result", "u", "u", "undo_result", "undo", "undo what this dialog has just done", "dialog"),
    Hotkey("reread", "ctrl+r", "Ctrl-R", "reread", "read again", "read the state again", "dialog"),
)

BY_ID: dict[str, Hotkey] = {h.id: h for h in HOTKEYS}
KEY_OF: dict[str, str] = {h.mitigation: h.shown for h in HOTKEYS if h.mitigation}
"""The key of each mitigation that has one."""


def in_scope(*scopes: Scope) -> Iterator[Hotkey]:
    """Yield the entries of these scopes, in the order of the table."""
    return (h for h in HOTKEYS if h.scope in scopes)


def markdown_table(hotkeys: Iterable[Hotkey]) -> str:
    """Return the table of docs/keys.md, ending without a line feed."""
    lines = ["| key | what it does | where |", "| --- | --- | --- |"]
    for hotkey in hotkeys:
        keys = " ".join(f"`{key}`" for key in hotkey.shown.split(" "))
        lines.append(f"| {keys} | {hotkey.help} | {WHERE[hotkey.scope]} |")
    return "\n".join(lines)


def mitigation_table() -> str:
    """Return the table of docs/mitigations.md, ending without a line feed."""
    lines = [
        "| mitigation | key | on | tier | what it does | settings | policy |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, m in REGISTRY.items():
        settings = " ".join(f"`{s}`" for s in m.params)
        kind = "trigger" if m.kind == "mapping" else m.kind
        lines.append(
            f"| `{name}` | `{KEY_OF[name]}` | {kind} | {m.tier} | {m.summary} | {settings} | {m.policy} |"
        )
    return "\n".join(lines)
