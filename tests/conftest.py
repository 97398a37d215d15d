"""Keep the suite short.

Property tests take fewer examples than hypothesis would (`LAMBDATOP_NIGHTLY=1` takes all hundred) and no
notice of the time, and the files that take longest begin first, while the others run beside
them: workers take whole files, and one that begins last is waited for alone. Python looks for garbage seldom,
and never in what was there before the first test: looking took 28 %
of the CPU time of 59 tests of the console and the metrics.
"""

from __future__ import annotations

import gc
import os

import pytest
from fakes.nightly import NIGHTLY
from hypothesis import settings

LONGEST = (
    "test_exit_codes.py",
    "test_chaos.py",
    "test_type_ahead.py",
    "test_scoreboard.py",
    "test_what_was_not_seen.py",
    "test_hostile_everywhere.py",
    "test_fault_matrix.py",
    "test_closing.py",
    "test_demo_e2e.py",
    "test_idle_gc.py",
    "test_cli_lines.py",
    "test_there_in_steps.py",
    "test_callers_in_the_console.py",
    "test_signals.py",
    "test_fault_matrix_of_undos.py",
    "test_confirm.py",
    "test_blind_gates.py",
    "test_renewed_identity.py",
    "test_other_accounts.py",
    "test_kill_points.py",
    "test_time_limit.py",
    "test_rounds.py",
    "test_signals_during_changes.py",
    "test_recorded_scene.py",
    "test_stream_failures.py",
    "test_terminals.py",
    "test_there_and_back.py",
    "test_archives_whatever_happens.py",
    "test_drain_emulator.py",
    "test_cli_lines.py",
    "test_console_in_a_terminal.py",
    "test_late_lines.py",
    "test_hard_limits.py",
    "test_typed_confirmation.py",
    "test_scenarios.py",
    "test_every_read_may_fail.py",
    "test_imports.py",
    "test_mutation_results.py",
    "test_login_in_a_terminal.py",
    "test_undo_on_pages.py",
    "test_journal_settle.py",
    "test_order_of_arrival.py",
    "test_credential_process.py",
    "test_one_shot_sees_what_the_console_sees.py",
    "test_read_only_leaves_nothing.py",
    "test_scenario_plays.py",
)
"""Files by the time they take, longest first: by turns one that waits most of it and one that computes, so
that the cores are busy from the beginning."""

pytest_plugins = ("fakes.time_limit",)

gc.set_threshold(20_000, 20, 50)
settings.register_profile("suite", max_examples=100 if NIGHTLY else 25, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first; the others keep their order."""
    rank = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


def pytest_collection_finish() -> None:
    """Keep what is there now out of the search for garbage."""
    gc.collect()
    gc.freeze()
