"""Make the text of log lines for the clipboard and for a file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lambdatop.domain.loglines.redact import suspicious
from lambdatop.tui.logview.lines import Shown
from lambdatop.tui.style import format as fmt


def copies(lines: Sequence[Shown], revealed: Shown | None) -> tuple[tuple[str, str], ...]:
    """Return what may be copied, with a label each; more than one when somebody has to choose.

    Hidden secrets stay hidden. What is revealed, or looks like a secret, is only copied after a question.
    """
    hidden = "\n".join(s.text for s in lines)
    shown = "\n".join(s.raw if s is revealed and s.raw is not None else s.text for s in lines)
    if shown == hidden and not suspicious(hidden):
        return (("copy", hidden),)
    options = [("do not copy", "")]
    if shown != hidden:
        options.append(("copy it with its secrets hidden", hidden))
    return (*options, ("copy it as it stands on the screen", shown))


def file_lines(lines: Iterable[Shown]) -> Iterator[str]:
    """Yield lines for a file: time, function, level, text, with secrets masked.

    Continuations are indented.
    """
    for shown in lines:
        at = fmt.iso_ms(shown.at)
        whose = f"{shown.owner} " if shown.owner else ""
        yield f"{'':24}        {shown.text}" if shown.part else f"{at} {whose}{shown.level:<6} {shown.text}"
