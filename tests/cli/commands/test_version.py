from __future__ import annotations

import json

from fakes.command_line import Cli

from lambdatop import __version__
from lambdatop.cli import exit_codes


def test_it_says_what_it_is_and_with_what_it_runs(cli: Cli) -> None:
    ran = cli("version")
    assert (ran.code, ran.err) == (exit_codes.DONE, "")
    assert ran.out.startswith(f"lambdatop {__version__} (python 3.")
    assert "textual " in ran.out
    told = json.loads(cli("version", "--json").out)
    assert told["lambdatop"] == __version__
    assert {"python", "textual", "aiobotocore", "botocore", "msgspec"} <= set(told)
