"""All AWS-shaped scenes: what the emulator cannot make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from msgspec.structs import replace
from scenes import (
    lookalikes,
    lookalikes_queues,
    published,
    shaped_async,
    shaped_backlogs,
    shaped_calm,
    shaped_cost,
    shaped_limits,
    shaped_logs,
    shaped_loops,
    shaped_queues,
    shaped_quotas,
    shaped_reported,
    shaped_starts,
    shaped_streams,
)
from scenes.scene import Scene

_MODULES = (
    shaped_backlogs,
    shaped_queues,
    shaped_streams,
    shaped_async,
    shaped_limits,
    shaped_logs,
    shaped_loops,
    shaped_starts,
    shaped_quotas,
    shaped_cost,
    shaped_reported,
    shaped_calm,
    lookalikes,
    lookalikes_queues,
)
BUILDERS: tuple[Callable[[], Scene], ...] = tuple(build for module in _MODULES for build in module.SCENES)


@cache
def shaped() -> Mapping[str, Scene]:
    """Return the scenes by name."""
    scenes = [*(build() for build in BUILDERS)]
    scenes += [replace(build(), published=True) for build in published.SCENES]
    found = {scene.name: scene for scene in scenes}
    assert len(found) == len(scenes), "each has a name of its own"
    return found
