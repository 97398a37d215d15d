"""Write docs/detectors.md from the registry and the thresholds' metadata."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.settings.thresholds import DetectorSettings

_HEAD = """\
# Detectors

Generated from the detectors' specifications and the defaults of their thresholds (`make docs`); do not edit.

A detector reads what is known and states findings: severity, target, the formula with its numbers filled in,
the evidence, since when, and the mitigations that may fit, best first. Each threshold is a key in
`config.yaml` (`detectors.NAME.KEY`). Some rules hold for all of them:

- **Only final minutes count.** A minute is final once it lies back by the publishing delay (2 min) and, for
  a function, its timeout: CloudWatch stamps a datapoint with the start of the invocation. Younger minutes
  neither raise a finding nor clear one, but for what no run belongs to: throttles, discarded events and
  stopped loops raise one as soon as they are published. A window ends where metrics were last fetched, so
  findings stand while that fails.
- **A missing point is not a zero**, except of a counter whose sibling has a point in that minute.
- **Small numbers are silent**: each detector has a floor below which it says nothing.
- **Findings do not flicker**: one that stands is kept until its figure falls below `detectors.clear_factor`
"""


def markdown() -> str:
    """Return the whole document."""
    clear = DetectorSettings().clear_factor
    head = f"{_HEAD}  ({_number(clear)}) of the threshold that raised it.\n"
    return "\n".join((head, *_overview(), "", *(line for name in REGISTRY for line in _section(name))))


def _overview() -> Iterator[str]:
    yield "| detector | what it reports |"
    yield "|---|---|"
    for name, spec in REGISTRY.items():
        yield f"| [`{name}`](#{name}) | {_cell(spec.says)} |"


def _section(name: str) -> Iterator[str]:
    built = REGISTRY[name]
    yield f"## {name}"
    yield ""
    yield f"{_sentence(built.says)}"
    yield ""
    yield f"- **Formula:** {built.rule(DetectorSettings())}"
    yield f"- **Reads:** {built.source}"
    yield f"- **Could also be:** {built.traps}"
    yield f"- **May help:** {', '.join(f'`{s}`' for s in built.suggests) or 'no mitigation of lambdatop'}"
    thresholds = tuple(_thresholds(name))
    if thresholds:
        yield ""
        yield "| threshold | default | unit | meaning |"
        yield "|---|---:|---|---|"
        yield from thresholds
    yield ""


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _thresholds(name: str) -> Iterator[str]:
    """Yield a row for each threshold of a detector; none for one that reads configuration only."""
    section = getattr(DetectorSettings(), name, None)
    if section is not None:
        for threshold, about in section.described.items():
            default = _number(getattr(section, threshold))
            yield f"| `{threshold}` | {default} | {about['unit']} | {_cell(about['help'])} |"


def _number(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
