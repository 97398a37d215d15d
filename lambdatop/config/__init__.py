"""Settings and themes: YAML in, validated values out."""

from __future__ import annotations
