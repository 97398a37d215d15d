"""Facts and rules without I/O: events, World, fold, detectors, plans."""

from __future__ import annotations
