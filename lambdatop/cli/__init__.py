"""Commands and the composition root; the only room that writes to stdout."""

from __future__ import annotations
