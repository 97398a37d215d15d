"""Collectors, fold loop, snapshot publishing and the executor, on a loop of their own."""

from __future__ import annotations
