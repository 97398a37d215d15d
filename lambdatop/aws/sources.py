"""Find every source: each module of `collectors` exports one SPEC, and so do metrics and logs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from lambdatop.aws import collectors
from lambdatop.aws.spec import CollectorSpec, Opened
from lambdatop.domain.ports.aws import Source
from lambdatop.domain.sources import SOURCES

LARGER = ("lambdatop.aws.metrics.collector", "lambdatop.aws.logs.collector")
"""Collectors with a folder of their own."""


def _found() -> Mapping[str, CollectorSpec]:
    """Return every SPEC by the name of its source, in the order in which sources are worth starting."""
    small = (f"{collectors.__name__}.{module.name}" for module in iter_modules(collectors.__path__))
    specs = [import_module(name).SPEC for name in (*small, *LARGER)]
    by_name: dict[str, CollectorSpec] = {spec.source.name: spec for spec in specs}
    return {name: by_name[name] for name in SOURCES}


COLLECTORS: Mapping[str, CollectorSpec] = _found()


def build_sources(opened: Opened) -> tuple[Source, ...]:
    """Return the sources of one account and region that the settings allow."""
    return tuple(spec.make(opened) for spec in COLLECTORS.values() if spec.wanted(opened.settings))
