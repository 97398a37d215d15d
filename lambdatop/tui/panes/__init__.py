"""Show one kind of rows each; each file is one pane of the dashboard."""

from __future__ import annotations
