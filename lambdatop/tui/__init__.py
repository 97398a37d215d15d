"""The console: shows snapshots, sends wishes to the engine, nothing else."""

from __future__ import annotations
