"""Documents and example say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from lambdatop.aws.reads.metric_queries import queue_queries
from lambdatop.aws.sdk.walls.sent_reads import SENT
from lambdatop.cli.options import options_table
from lambdatop.cli.parser import COMMANDS
from lambdatop.config.example import render_example
from lambdatop.demo.scenarios import SCENARIOS
from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.sources import markdown
from lambdatop.domain.state.events import MetricPoints, MetricsObserved
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD
from lambdatop.tui.hotkeys import markdown_table, mitigation_table
from lambdatop.tui.panes.registry import ALL_HOTKEYS


def between(text: str, name: str) -> str:
    """Return the text between `<!-- name -->` and `<!-- /name -->`."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert found, f"there is no <!-- {name} --> … <!-- /{name} -->"
    return found.group(1).strip()


def document(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")


def test_the_key_table_is_the_hotkey_table(root: Path) -> None:
    assert between(document(root, "docs/keys.md"), "keys") == markdown_table(ALL_HOTKEYS).strip()


def test_the_mitigation_table_is_the_registry(root: Path) -> None:
    assert between(document(root, "docs/mitigations.md"), "mitigations") == mitigation_table().strip()


def test_the_readme_counts_the_reads_that_are_allowed(root: Path) -> None:
    assert f"{len(SENT)} reading operations" in document(root, "README.md")


def test_the_readme_counts_the_detectors(root: Path) -> None:
    assert f"[{len(REGISTRY)} detectors](docs/detectors.md)" in document(root, "README.md")


def test_the_cost_page_counts_the_metrics_of_a_queue(root: Path) -> None:
    key = Key(Scope("1" * 12, "eu-central-1"), "queue", "q")
    visible = SeriesKey(key, "ApproximateNumberOfMessagesVisible", "Maximum")
    waiting = MetricsObserved(key.scope, 120.0, 0.0, 120.0, (MetricPoints(visible, ((60, 9.0),)),))
    busy = fold_all(EMPTY_WORLD, (waiting,))
    most = len(list(queue_queries(busy, key.scope, (key,), {key})))
    least = len(list(queue_queries(EMPTY_WORLD, key.scope, (key,))))
    assert f"{least} to {most} per queue" in document(root, "docs/cost.md")


def test_the_table_of_sources_is_generated(root: Path) -> None:
    assert (root / "docs/sources.md").read_text(encoding="utf-8") == markdown(), "run `make docs`"


def test_the_option_table_names_every_flag_and_variable(root: Path) -> None:
    assert between(document(root, "docs/commands.md"), "options") == options_table().strip()


def test_the_three_ways_to_start_and_every_command_are_named(root: Path) -> None:
    text = document(root, "README.md")
    for words in ("make demo", "make test", "pipx install ."):
        assert words in text, words
    text = document(root, "docs/commands.md")
    for name in COMMANDS:
        assert f"| `lambdatop {name}" in text, name


LINK = re.compile(r"(?:\]\(|^\[\w+\]: )([^)\s]+)", re.MULTILINE)


def test_links_between_documents_lead_to_files_and_headings(root: Path) -> None:
    for file in (root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))):
        for link in LINK.findall(file.read_text(encoding="utf-8")):
            name, _, heading = link.partition("#")
            if not link.startswith("http"):
                target = (file.parent / name) if name else file
                assert target.exists(), f"{file.name}: {link}"
                anchors = (
                    re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
                    for line in target.read_text(encoding="utf-8").splitlines()
                    if heading and line.startswith("#")
                )
                assert not heading or heading in anchors, f"{file.name}: {link}"


def test_every_document_is_in_the_table_of_contents(root: Path) -> None:
    linked = set(LINK.findall(document(root, "README.md")))
    assert {f"docs/{file.name}" for file in (root / "docs").glob("*.md")} <= linked


def test_the_example_configuration_is_generated(root: Path) -> None:
    assert (root / "config.example.yaml").read_text(encoding="utf-8") == render_example()


def test_no_document_or_source_names_a_place_on_this_machine(root: Path) -> None:
    places = re.compile(r"/(root|home/\w+|Users/\w+|work/(main|shared))/")
    files = [*root.glob("*.md"), *root.glob("*.yaml"), root / "Makefile", *(root / "lambdatop").rglob("*.py")]
    assert [str(f) for f in files if places.search(f.read_text(encoding="utf-8"))] == []


def test_the_demo_page_knows_every_scenario_and_what_it_shows(root: Path) -> None:
    labels = yaml.safe_load((root / "tests/scenes/labels.yaml").read_text(encoding="utf-8"))
    for scenario in SCENARIOS.values():
        rows = document(root, "docs/demo.md").splitlines()
        row = next(line for line in rows if line.startswith(f"| `{scenario.name}` |"))
        assert scenario.title in row
        demanded = {
            w["detector"] for w in labels[scenario.name].get("must", ()) if w.get("at_least") != "info"
        }
        named = set(re.findall(r"`([a-z_]+)`", row.split("|")[3]))
        assert named <= demanded
        assert demanded - named <= {"error_rate"}
