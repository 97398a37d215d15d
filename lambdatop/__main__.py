"""`python -m lambdatop`."""

from __future__ import annotations

import sys

from lambdatop.cli import main

sys.exit(main())
