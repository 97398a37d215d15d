"""All incidents that somebody has written about; each docstring names its source and what was assumed."""

from __future__ import annotations

import re
from collections.abc import Callable

from scenes import (
    published_cost,
    published_limits,
    published_loops,
    published_queues,
    published_releases,
    published_streams,
)
from scenes.scene import Scene

_MODULES = (
    published_loops,
    published_queues,
    published_streams,
    published_limits,
    published_releases,
    published_cost,
)
SCENES: tuple[Callable[[], Scene], ...] = tuple(build for module in _MODULES for build in module.SCENES)


def source(build: Callable[[], Scene]) -> str:
    """Return the address of the report that a scene was built from; fails where there is not exactly one."""
    (address,) = re.findall(r"https://\S+", build.__doc__ or "")
    return str(address)
