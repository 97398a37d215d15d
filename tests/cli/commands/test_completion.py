from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from fakes.command_line import Cli

from lambdatop.cli import exit_codes
from lambdatop.cli.commands.completion import SHELLS
from lambdatop.cli.parser import COMMANDS
from lambdatop.demo.scenarios import SCENARIOS
from lambdatop.domain.mitigations.registry import REGISTRY

CHECKED = {
    "bash": ("bash", "-n"),
    "zsh": ("zsh", "-n"),
    "fish": ("fish", "--no-execute"),
    "tcsh": ("tcsh", "-n"),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_that_the_shell_reads(cli: Cli, shell: str, tmp_path: Path) -> None:
    ran = cli("completion", shell)
    assert (ran.code, ran.err) == (exit_codes.DONE, "")
    assert all(name in ran.out for name in COMMANDS)
    script = tmp_path / "script"
    script.write_text(ran.out)
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n", script], capture_output=True, text=True, timeout=30)
        assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pol"], {"policy"}),
        (["plan", "throttle"], {"throttle_to_zero"}),
        (["mitigate", ""], set(REGISTRY)),
        (["policy", "oper"], {"operator", "operator-elevated"}),
        (["demo", "--scenario", ""], set(SCENARIOS)),
        (["snapshot", "--fail-on", "crit"], {"critical"}),
        (["logs", "--fol"], {"--follow"}),
        (["--read"], {"--read-only", "--readonly"}),
    ],
)
def test_bash_offers_names(cli: Cli, words: list[str], offered: set[str], tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(cli("completion", "bash").out)
    typed = " ".join(f"'{word}'" for word in ("lambdatop", *words))
    asked = (
        f'source "{script}"; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; '
        '_shtab_lambdatop; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ran = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=30)
    assert set(ran.stdout.split()) == offered, ran.stderr


def test_another_shell_is_refused(cli: Cli) -> None:
    ran = cli("completion", "bsh")
    assert ran.code == exit_codes.USAGE
    assert "did you mean bash?" in ran.err
    assert cli("completion").code == exit_codes.USAGE
