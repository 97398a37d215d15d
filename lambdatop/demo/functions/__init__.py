"""The handlers of the demo: each file is deployed as the code of the function of its name."""

from __future__ import annotations
