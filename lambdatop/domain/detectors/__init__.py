"""The registry of detectors: one pure file each."""

from __future__ import annotations
