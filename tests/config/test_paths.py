from __future__ import annotations

from pathlib import Path

import pytest

from lambdatop.config.paths import builtin_themes, resolve
from lambdatop.domain.errors import UsageError


def test_xdg_variables_win_over_home(tmp_path: Path) -> None:
    paths = resolve({"HOME": "/h", "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": "/s"})
    assert paths.config_file == tmp_path / "lambdatop/config.yaml"
    assert paths.state_dir == Path("/s/lambdatop")
    assert paths.log_file == Path("/s/lambdatop/lambdatop.log")
    assert not paths.config_asked


def test_home_is_the_default_and_relative_xdg_is_ignored() -> None:
    paths = resolve({"HOME": "/h", "XDG_CONFIG_HOME": "relative", "XDG_STATE_HOME": ""})
    assert paths.config_file == Path("/h/.config/lambdatop/config.yaml")
    assert paths.state_dir == Path("/h/.local/state/lambdatop")


def test_named_places_win_and_the_users_themes_stand_beside_the_file() -> None:
    paths = resolve({"HOME": "/h"}, config="/etc/x/my.yaml", state_dir="/var/s")
    assert (paths.config_file, paths.config_asked) == (Path("/etc/x/my.yaml"), True)
    assert paths.state_dir == Path("/var/s")
    assert paths.theme_dirs[-1] == Path("/etc/x/themes")
    assert paths.theme_dirs[0] == builtin_themes()


def test_no_home_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="HOME is not set"):
        resolve({})


def test_themes_come_from_the_wheel(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "lambdatop"
    (package / "_themes").mkdir(parents=True)
    assert builtin_themes(package) == package / "_themes"


def test_themes_come_from_the_checkout_when_there_is_no_wheel(tmp_path: Path) -> None:
    package = tmp_path / "checkout" / "lambdatop"
    package.mkdir(parents=True)
    assert builtin_themes(package) == tmp_path / "checkout" / "themes"


def test_this_installation_has_its_themes() -> None:
    names = {file.stem for file in builtin_themes().glob("*.yaml")}
    assert {"midnight", "paper", "high-contrast", "ansi-16", "mono"} <= names
