"""Decide where lambdatop keeps its files: XDG places on Linux and macOS. Nothing is read or created."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

from lambdatop.domain.errors import UsageError
from lambdatop.domain.sanitize import clean_line

NAME = "lambdatop"
PACKAGE = Path(__file__).resolve().parent.parent


class Paths(Struct, frozen=True):
    """All places, resolved. `config_asked` is True when the user named the file, so it must exist."""

    config_file: Path
    config_asked: bool
    state_dir: Path
    theme_dirs: tuple[Path, ...]

    @property
    def log_file(self) -> Path:
        """The log of lambdatop itself."""
        return self.state_dir / "lambdatop.log"


def resolve(environ: Mapping[str, str], config: str | None = None, state_dir: str | None = None) -> Paths:
    """Return the places for this environment; `config` and `state_dir` are what flag or variable said."""
    config_file = _expanded(config) if config else _xdg(environ, "config") / "config.yaml"
    state = _expanded(state_dir) if state_dir else _xdg(environ, "state")
    # Later directories win, so a theme of the user's replaces a built-in one of the same name.
    themes = (builtin_themes(), config_file.parent / "themes")
    return Paths(config_file, config is not None, state, themes)


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{clean_line(text, 200)}: that home directory is not known") from None


def builtin_themes(package: Path = PACKAGE) -> Path:
    """Return the themes that lambdatop ships: inside the wheel, or `themes/` of the checkout.

    hatch puts the top-level directory into wheels as `lambdatop/_themes`; an editable install has no
    such directory, so the checkout's own is taken.
    """
    shipped = package / "_themes"
    return shipped if shipped.is_dir() else package.parent / "themes"


def _xdg(environ: Mapping[str, str], what: Literal["config", "state"]) -> Path:
    """Return `$XDG_CONFIG_HOME/lambdatop` or `$XDG_STATE_HOME/lambdatop`, with the usual defaults.

    Raises:
        UsageError: there is no home directory.
    """
    given = environ.get(f"XDG_{what.upper()}_HOME", "")
    # XDG says that a relative path in its variables is to be ignored.
    if given.startswith("/"):
        return Path(given) / NAME
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise UsageError("HOME is not set; set it, or name the places with --config and --state-dir")
    return Path(home) / {"config": ".config", "state": ".local/state"}[what] / NAME
