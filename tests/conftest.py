"""Property tests in the suite take fewer examples than hypothesis would, to stay below five minutes.

`HYPOTHESIS_PROFILE=default pytest` takes all hundred.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("suite", max_examples=40)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
