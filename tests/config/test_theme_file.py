from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from lambdatop.config.theme_file import (
    DEFAULT_THEME,
    MAX_BYTES,
    NO_COLOR_THEME,
    SLOTS,
    ThemeFile,
    is_color,
    load_themes,
    parse_theme,
)

SHIPPED = Path(__file__).parents[2] / "themes"


def write(directory: Path, name: str, text: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(text, encoding="utf-8")


def good(name: str = "mine", **extra: object) -> dict[str, object]:
    return {"name": name, "colors": dict.fromkeys(SLOTS, "#123456")} | extra


def test_shipped_themes_are_valid_and_complete() -> None:
    found = load_themes([SHIPPED])
    assert found.problems == ()
    assert {"midnight", "paper", "high-contrast", "ansi-16", "mono"} <= set(found.themes)
    assert DEFAULT_THEME in found.themes
    assert NO_COLOR_THEME in found.themes


def test_mono_names_no_colour_at_all() -> None:
    mono = load_themes([SHIPPED]).themes["mono"]
    assert set(mono.colors.values()) == {"ansi_default"}
    assert mono.ansi


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("name", "least"), [("midnight", 4.5), ("paper", 4.5), ("high-contrast", 7.0)])
def test_words_that_matter_have_contrast(name: str, least: float) -> None:
    colors = load_themes([SHIPPED]).themes[name].colors
    for slot in ("foreground", "critical", "warning", "ok", "info", "accent", "muted", "log_error"):
        assert contrast(colors[slot], colors["background"]) >= least, slot


def test_later_directory_replaces_a_theme_of_the_same_name(tmp_path: Path) -> None:
    write(tmp_path / "a", "x.yaml", yaml.safe_dump(good("mine", description="first")))
    write(tmp_path / "b", "y.yaml", yaml.safe_dump(good("mine", description="second")))
    found = load_themes([tmp_path / "a", tmp_path / "b", tmp_path / "absent"])
    assert found.themes["mine"].description == "second"
    assert found.problems == ()


def test_bad_files_are_one_message_and_the_rest_is_used(tmp_path: Path) -> None:
    write(tmp_path, "good.yaml", yaml.safe_dump(good()))
    write(tmp_path, "typo.yaml", yaml.safe_dump(good("typo") | {"colours": {}}))
    write(tmp_path, "broken.yaml", "name: [unclosed\n")
    write(tmp_path, "list.yaml", "- 1\n")
    write(tmp_path, "big.yaml", "#" * (MAX_BYTES + 1))
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "ignored.txt").write_text("not a theme")
    found = load_themes([tmp_path])
    assert list(found.themes) == ["mine"]
    message = found.message()
    for name in ("typo.yaml", "broken.yaml", "list.yaml", "big.yaml", "binary.yml"):
        assert name in message
    assert "did you mean colors" in message
    assert "line " in message
    assert message.count("Themes that cannot be used") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Bad Name!"}, "name:"),
        ({"dark": "yes please"}, "dark: must be true or false"),
        ({"colors": "blue"}, "colors: must name"),
        ({"colors": {**dict.fromkeys(SLOTS, "#123456"), "critical": "reddish"}}, "colors.critical"),
        ({"colors": {**dict.fromkeys(SLOTS, "#123456"), "warnign": "#fff"}}, "did you mean warning"),
        ({"colors": {"background": "#000"}}, "missing surface"),
        ({"styles": {"critical": "blinking"}}, "styles.critical"),
        ({"styles": {"critical": 3}}, "styles.critical"),
        ({"ansi": True}, "ansi theme uses ansi_*"),
    ],
)
def test_each_problem_is_named(change: dict[str, object], words: str) -> None:
    result = parse_theme(good() | change)
    assert isinstance(result, list)
    assert any(words in problem for problem in result), result


def test_control_characters_of_a_file_do_not_reach_the_message(tmp_path: Path) -> None:
    write(tmp_path, "x.yaml", yaml.safe_dump(good() | {"\x1b]52;c;evil\x07": 1}))
    assert "\x1b" not in load_themes([tmp_path]).message()


def test_yaml_tags_run_nothing(tmp_path: Path) -> None:
    write(tmp_path, "x.yaml", "name: !!python/object/apply:os.system ['true']\n")
    found = load_themes([tmp_path])
    assert found.themes == {}
    assert len(found.problems) == 1


def test_unknown_theme_falls_back_with_the_nearest_name() -> None:
    found = load_themes([SHIPPED])
    assert found.choose("paper") == ("paper", "")
    name, words = found.choose("papper")
    assert name == DEFAULT_THEME
    assert "did you mean paper" in words


@pytest.mark.parametrize("value", ["#abc", "#A1B2C3", "rgb(1,2,255)", "ansi_red", "ansi_bright_black"])
def test_colours(value: str) -> None:
    assert is_color(value)


@pytest.mark.parametrize("value", ["#abcd", "rgb(1,2,256)", "red", "ansi_mauve", 3, None, "", "#12345g"])
def test_not_colours(value: object) -> None:
    assert not is_color(value)


def test_every_accepted_colour_is_one_for_the_console_too() -> None:
    from textual.color import Color

    for theme in load_themes([SHIPPED]).themes.values():
        assert isinstance(theme, ThemeFile)
        for value in theme.colors.values():
            Color.parse(value)
    for value in ("#abc", "rgb(1,2,255)", "ansi_bright_black", "ansi_default"):
        assert is_color(value)
        Color.parse(value)


def test_a_bomb_of_aliases_is_refused_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    lines = ["name: bomb", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    write(tmp_path, "bomb.yaml", "\n".join([*lines, "colors: {accent: *a8}", ""]))
    os.mkfifo(tmp_path / "pipe.yaml", 0o600)
    message = load_themes([tmp_path]).message()
    assert "aliases (*name) are not supported" in message
    assert "not a plain file" in message
