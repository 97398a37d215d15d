"""Widgets that know nothing of Lambda."""

from __future__ import annotations
