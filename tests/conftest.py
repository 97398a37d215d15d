"""What keeps the suite below five minutes.

Property tests take fewer examples than hypothesis would (`HYPOTHESIS_PROFILE=default pytest` takes all
hundred) and no notice of the time, and the files that take longest begin first, while the others run beside
them: workers take whole files, and one that begins last is waited for alone.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

LONGEST = (
    "test_chaos.py",
    "test_console_keys.py",
    "test_demo_e2e.py",
    "test_cli_lines.py",
    "test_terminals.py",
    "test_hostile_everywhere.py",
    "test_ends.py",
    "test_fault_matrix.py",
    "test_there_in_steps.py",
    "test_there_and_back.py",
    "test_recorded_scene.py",
    "test_scoreboard.py",
    "test_rounds.py",
    "test_kill_soak.py",
    "test_confirm_dialog.py",
    "test_console_in_a_terminal.py",
    "test_journal_settle.py",
    "test_demo_numbers.py",
)
"""Files by the time they take, longest first."""

pytest_plugins = ("fakes.time_limit",)

settings.register_profile("suite", max_examples=40, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; the others keep their order."""
    rank = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))
