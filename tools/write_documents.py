"""Write what the documents say of keys, options, mitigations, settings, detectors and sources, from the code.

`make docs`. In docs/keys.md, docs/commands.md and docs/mitigations.md it writes what is between
`<!-- NAME -->` and `<!-- /NAME -->`. It writes docs/detectors.md, docs/sources.md and config.example.yaml
whole.
"""

from __future__ import annotations

import re
from pathlib import Path

from lambdatop.cli.options import options_table
from lambdatop.config.example import render_example
from lambdatop.domain import sources
from lambdatop.domain.detectors import documentation as detectors
from lambdatop.tui.hotkeys import markdown_table, mitigation_table
from lambdatop.tui.panes.registry import ALL_HOTKEYS

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Write all of them."""
    _put("docs/keys.md", "keys", markdown_table(ALL_HOTKEYS))
    _put("docs/commands.md", "options", options_table())
    _put("docs/mitigations.md", "mitigations", mitigation_table())
    (ROOT / "docs/detectors.md").write_text(detectors.markdown(), encoding="utf-8")
    (ROOT / "docs/sources.md").write_text(sources.markdown(), encoding="utf-8")
    (ROOT / "config.example.yaml").write_text(render_example(), encoding="utf-8")


def _put(name: str, block: str, text: str) -> None:
    file = ROOT / name
    between = re.compile(rf"(<!-- {block} -->\n).*?(<!-- /{block} -->)", re.DOTALL)
    old = file.read_text(encoding="utf-8")
    new, found = between.subn(lambda m: f"{m[1]}{text.strip()}\n{m[2]}", old)
    if found != 1:
        raise SystemExit(f"{name} must have one <!-- {block} --> … <!-- /{block} -->")
    file.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
