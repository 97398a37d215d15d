"""The real AWS CLI as a server: one JSON list of words a line in, one line with its exit code out.

Run by the Python that the AWS CLI is installed for; starting that anew for each command takes seconds.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Serve until stdin ends; what the AWS CLI prints goes to stderr."""
    from awscli.clidriver import create_clidriver  # type: ignore[import-not-found]

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        code = create_clidriver().main(json.loads(line))
        sys.stderr.flush()
        answers.write(f"{code}\n")
        answers.flush()


if __name__ == "__main__":
    main()
