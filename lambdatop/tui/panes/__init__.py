"""The five panes of the dashboard, one file each."""

from __future__ import annotations
