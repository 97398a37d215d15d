"""The registry of planners: one pure file per mitigation, and the way back."""

from __future__ import annotations
