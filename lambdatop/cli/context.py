"""Hold what a command knows of its environment: places, settings and mode."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.cli import stdio
from lambdatop.cli.options import Chosen, choose
from lambdatop.config.load import Loaded, load
from lambdatop.config.paths import Paths, resolve
from lambdatop.domain.settings.settings import Settings

if TYPE_CHECKING:
    from lambdatop.domain.state.snapshot import Mode


class Context(Struct, frozen=True):
    """Places, settings and mode of one run."""

    paths: Paths
    loaded: Loaded
    debug: bool

    @property
    def settings(self) -> Settings:
        """The merged settings."""
        return self.loaded.settings

    @property
    def mode(self) -> Mode:
        """Whether anything may be changed."""
        return "read-only" if self.settings.read_only else "operator"

    def with_settings(self, settings: Settings) -> Context:
        """Return the same context with other settings (the demo's)."""
        return replace(self, loaded=replace(self.loaded, settings=settings))


def places(chosen: Chosen, environ: Mapping[str, str]) -> Paths:
    """Return where files are, without reading any."""
    return resolve(environ, chosen.texts.get("config"), chosen.texts.get("state_dir"))


def settle(args: argparse.Namespace, environ: Mapping[str, str] | None = None) -> Context:
    """Read the configuration, merge it, and say its notices on stderr.

    Raises:
        UsageError: flags, variables or the file are wrong.
    """
    environ = os.environ if environ is None else environ
    chosen = choose(args, environ)
    paths = places(chosen, environ)
    loaded = load(
        paths.config_file,
        asked=paths.config_asked,
        given=chosen.given,
        section=chosen.section,
        write=chosen.write,
    )
    for notice in loaded.notices:
        stdio.message(f"note: {notice}")
    return Context(paths, loaded, chosen.debug)
