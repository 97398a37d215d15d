"""lambdatop: a terminal incident console for AWS Lambda."""

from __future__ import annotations

__version__ = "0.1.0"
