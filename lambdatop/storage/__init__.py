"""What lambdatop keeps on disk: the journal and exports."""

from __future__ import annotations
