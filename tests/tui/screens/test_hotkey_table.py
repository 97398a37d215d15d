from __future__ import annotations

import subprocess
import sys
from collections import Counter

from textual.keys import Keys

from lambdatop.domain.mitigations.registry import REGISTRY
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.bindings import bindings
from lambdatop.tui.dialogs.confirm import ConfirmScreen
from lambdatop.tui.hotkeys import BY_ID, HOTKEYS, KEY_OF, markdown_table
from lambdatop.tui.logview.tail import LogTail
from lambdatop.tui.panes.registry import ALL_HOTKEYS
from lambdatop.tui.screens.dashboard import DashboardScreen
from lambdatop.tui.screens.function import FunctionScreen
from lambdatop.tui.screens.journal import JournalScreen
from lambdatop.tui.screens.log_errors import LogErrorsScreen
from lambdatop.tui.widgets.keyed_table import KeyedTable

HOSTS = {
    "everywhere": (LambdatopApp,),
    "dashboard": (DashboardScreen,),
    "target": (DashboardScreen, FunctionScreen),
    "moving": (KeyedTable, LogTail),
    "log": (LogTail,),
    "journal": (JournalScreen,),
    "insights": (LogErrorsScreen,),
    "dialog": (ConfirmScreen,),
}
NAMED = {str(key.value) for key in Keys} | {"slash", "colon", "question_mark", "dollar_sign"}


def test_every_action_exists_where_it_is_bound() -> None:
    for hotkey in ALL_HOTKEYS:
        for host in HOSTS[hotkey.scope]:
            assert hasattr(host, f"action_{hotkey.action.split('(')[0]}"), hotkey.id


def test_key_names_are_ones_that_textual_knows() -> None:
    for hotkey in ALL_HOTKEYS:
        for key in hotkey.keys.split(","):
            assert key in NAMED or len(key) == 1, key


def test_ids_and_keys_are_unique_within_what_is_bound_together() -> None:
    assert len(BY_ID) == len(HOTKEYS)
    assert len({h.id for h in ALL_HOTKEYS}) == len(ALL_HOTKEYS)
    for scopes in (
        ("everywhere", "dashboard", "target", "moving", "log"),
        ("dialog", "insights"),
        ("journal", "moving"),
    ):
        keys = Counter(k for h in ALL_HOTKEYS if h.scope in scopes for k in h.keys.split(","))
        assert [k for k, n in keys.items() if n > 1] == []


def test_mutations_are_never_on_a_plain_lower_case_key() -> None:
    for hotkey in ALL_HOTKEYS:
        if hotkey.mitigation:
            assert hotkey.keys.isupper() or hotkey.keys.startswith("ctrl+"), hotkey.id


def test_only_quitting_works_under_a_dialog() -> None:
    assert [h.id for h in HOTKEYS if h.priority] == ["quit_now"]
    assert all(b.priority == (b.id == "quit_now") for b in bindings("everywhere"))  # type: ignore[union-attr]


def test_every_mitigation_that_is_built_has_a_key_and_a_kind() -> None:
    assert set(KEY_OF) == set(REGISTRY)


def test_markdown_table_holds_every_key() -> None:
    lines = markdown_table(ALL_HOTKEYS).splitlines()
    assert len(lines) == len(ALL_HOTKEYS) + 2
    assert "| `T` | throttle the function to zero | selected function, storm or finding |" in lines
    assert all(line.count("|") == 4 for line in lines)


def test_the_table_needs_no_textual() -> None:
    code = "import lambdatop.tui.hotkeys, sys; sys.exit('textual' in sys.modules or 'rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_two_mitigations_leave_the_footer_together() -> None:
    ranks = [spec.footer for spec in REGISTRY.values() if spec.footer]
    assert len(ranks) == len(set(ranks))
