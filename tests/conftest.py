"""What keeps the suite below five minutes.

Property tests take fewer examples than hypothesis would (`HYPOTHESIS_PROFILE=default pytest` takes all
hundred), and tests that wait for minutes begin first, while others run beside them.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("suite", max_examples=40)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `slow_start` first; the others keep their order."""
    items.sort(key=lambda item: item.get_closest_marker("slow_start") is None)
