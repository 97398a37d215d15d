"""Turn theme files into Textual's themes, and slots of pure renderers into styles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import cast

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color, ColorParseError
from textual.content import Content
from textual.style import Style as ContentStyle
from textual.theme import Theme

from lambdatop.config.theme_file import SLOTS, ThemeFile
from lambdatop.tui.style.spans import MATCH, Span

SPARK = "▁▂▃▄▅▆▇█"
BAR = "▏▎▍▌▋▊▉█"
EMPTY = "·"
UP, DOWN = "↑", "↓"
ON, OFF = "●", "○"
ARROW = "→"
CORNER = "└"
SORT_DOWN, SORT_UP = "▾", "▴"
BULLET = "•"
TIMES = "\u00d7"

_ASCII = str.maketrans("▁▂▃▄▅▆▇█▏▎▍▌▋▊▉·↑↓●○→▾▴•\u00d7\u2013—…½␊≥≤│─└", "_.-:=+*#-----##.^v*o>v^-x--~2/><|-'")
# What Textual itself draws: borders, scrollbars, the palette's frame.
_ASCII |= str.maketrans("╭╮╰╯┌┐┘├┤┬┴┼╔╗╚╝", "+" * 16)
_ASCII |= str.maketrans("━═╸╺▀▔┃║▐▕╹╻■□▪▫←▶◀▲▼✓✗", "------||||||##..<><^vvx")
_ASCII |= str.maketrans("≈", "~")
_ASCII |= str.maketrans("\u2018\u2019\u201c\u201d\u00a0", "''\"\" ")


def trend(word: str) -> str:
    """Return the arrow of a trend word, a blank when there is none to show."""
    return {"up": UP, "down": DOWN}.get(word, " ")


def to_ascii(text: str) -> str:
    """Return `text` in as many ASCII characters; what has no likeness becomes `?`."""
    if text.isascii():
        return text
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


_PREFIX = "ink-"
_slot = attrgetter("slot")
_STANDARD = {
    "ok": "success",
    "info": "primary",
    "critical": "error",
    "muted": "foreground-muted",
    "faint": "foreground-disabled",
    "stale": "foreground-disabled",
    "border": "border-blurred",
    "border_focus": "border",
    "selection": "block-cursor-background",
    "selection_foreground": "block-cursor-foreground",
    "selection_blurred": "block-cursor-blurred-background",
    "spark": "foreground-muted",
    "spark_error": "error",
    "log_error": "error",
    "log_warn": "warning",
    "log_info": "foreground",
    "log_debug": "foreground-muted",
    "log_platform": "foreground-muted",
}
"""Which of Textual's own variables stands for a slot in a theme that is not one of ours."""


def variable(slot: str) -> str:
    """Return the CSS variable of a slot, without `$`."""
    return _PREFIX + slot.replace("_", "-")


def textual_theme(theme: ThemeFile) -> Theme:
    """Return a theme file as a Textual theme."""
    c = theme.colors
    variables = {variable(slot): color for slot, color in c.items()}
    variables |= {f"{variable(slot)}-style": style for slot, style in theme.styles.items()}
    variables |= {
        "ansi-background": c["background"],
        "ansi-foreground": c["foreground"],
        "border": c["border_focus"],
        "border-blurred": c["border"],
        "scrollbar": c["faint"],
        "scrollbar-hover": c["muted"],
        "scrollbar-active": c["muted"],
        "scrollbar-background": c["background"],
        "scrollbar-background-hover": c["background"],
        "scrollbar-background-active": c["background"],
        "scrollbar-corner-color": c["background"],
        "input-cursor-background": c["foreground"],
        "input-cursor-foreground": c["background"],
        "block-cursor-background": c["selection"],
        "block-cursor-foreground": c["selection_foreground"],
        "block-cursor-blurred-background": c["selection_blurred"],
        "footer-key-foreground": c["accent"],
        "button-focus-text-style": f"bold {theme.styles.get('selection', '')}".strip(),
    }
    return Theme(
        name=theme.name,
        primary=c["accent"],
        secondary=c["info"],
        warning=c["warning"],
        error=c["critical"],
        success=c["ok"],
        accent=c["accent"],
        foreground=c["foreground"],
        background=c["background"],
        surface=c["surface"],
        panel=c["panel"],
        dark=theme.dark,
        ansi=theme.ansi,
        variables=variables,
    )


REST = "rest"
"""No slot of a theme file: what is right of the text."""


class Inks:
    """The colours of one theme, looked up by slot; a new object for each theme."""

    def __init__(self, variables: Mapping[str, str], ascii_only: bool = False, ansi: bool = False) -> None:
        # Textual's own themes say "muted" with transparency, which a line of segments does not have.
        ground = Color.parse(variables[variable("background")])
        self._colors = {slot: _opaque(Color.parse(variables[variable(slot)]), ground) for slot in SLOTS}
        self._styles = {slot: variables.get(f"{variable(slot)}-style", "") for slot in SLOTS}
        self._rich: dict[str, Style] = {"": Style()}
        self._mixed: dict[tuple[Style, int], dict[str, Style]] = {}
        self.ascii_only = ascii_only
        self._ansi = ansi

    def rich(self, slot: str) -> Style:
        """Return foreground and attributes of a slot, for line-API widgets."""
        found = self._rich.get(slot)
        if found is None and slot == MATCH:
            found = self._rich[slot] = self.rich("accent") + Style(reverse=True)
        if found is None:
            attributes = Style.parse(self._styles[slot]) if self._styles[slot] else Style()
            found = self._rich[slot] = Style(color=self._colors[slot].rich_color) + attributes
        return found

    def segments(self, pieces: Iterable[Span], base: Style, cursor: int = 0) -> tuple[list[Segment], Style]:
        """Return a line of pieces on `base`, and the style of the rest of the line.

        `cursor` is 0 elsewhere, 1 under a cursor without the focus, 2 with it. Severity keeps its colour
        there, except with sixteen colours: nobody can read red on blue.
        """
        styles = self._mixed.get((base, cursor))
        if styles is None:
            styles = self._mixed[base, cursor] = {}
        segments: list[Segment] = []
        # Fifty pieces in three or four colours: each colour is mixed once, neighbours are joined.
        for slot, same in groupby(pieces, _slot):
            style = styles.get(slot) or self._mix(styles, slot, base, cursor)
            segments.append(Segment(self.text("".join([p.text for p in same])), style))
        return segments, styles.get(REST) or self._mix(styles, REST, base, cursor)

    def _mix(self, styles: dict[str, Style], slot: str, base: Style, cursor: int) -> Style:
        """Return the style of a slot on `base`, and cache it."""
        under = self.cursor(cursor == 2) if cursor else Style()
        if slot == REST:
            mixed = base + under
        elif self._ansi and cursor == 2:
            mixed = base + self.rich(slot) + under
        else:
            mixed = base + under + self.rich(slot)
        styles[slot] = mixed
        return mixed

    def cursor(self, focused: bool) -> Style:
        """Return the style of the line under the cursor."""
        slot = "selection" if focused else "selection_blurred"
        style = Style(bgcolor=self._colors[slot].rich_color)
        if focused:
            style += Style(color=self._colors["selection_foreground"].rich_color)
        return style + (Style.parse(self._styles[slot]) if self._styles[slot] else Style())

    def content(self, pieces: Iterable[Span]) -> Content:
        """Return the pieces as Textual content; never parsed as markup."""
        return Content.assemble(*((self.text(p.text), self._dressed(p)) for p in pieces))

    def _dressed(self, piece: Span) -> str | ContentStyle:
        css = self._css(piece.slot)
        return ContentStyle.parse(css) + ContentStyle(link=piece.link) if piece.link else css

    def text(self, text: str) -> str:
        """Return the text as this terminal can show it."""
        return to_ascii(text) if self.ascii_only else text

    def _css(self, slot: str) -> str:
        return f"{self._colors[slot].css} {self._styles[slot]}".strip() if slot else ""


class ThemedApp(App[None]):
    """An app that knows the slots: theme files become themes, `inks` follows the theme."""

    def __init__(self, themes: Iterable[ThemeFile] = (), *, ascii_only: bool = False, no_color: bool = False):
        # With native ANSI colours NO_COLOR removes colour; otherwise Textual only makes it grey.
        super().__init__(ansi_color=True if no_color else None)
        self._ascii_only = ascii_only
        self._inks: tuple[str, Inks] | None = None
        self.own_themes: tuple[str, ...] = ()
        for theme in themes:
            self.register_theme(textual_theme(theme))
            self.own_themes += (theme.name,)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return every slot's variable, from the current theme's own colours where it does not name slots."""
        own = self.current_theme.to_color_system().generate()
        found = {variable(slot): own.get(_STANDARD.get(slot, slot), "") for slot in SLOTS}
        return {name: value if _is_plain(value) else own["foreground"] for name, value in found.items()}

    @property
    def inks(self) -> Inks:
        """The inks of the current theme."""
        if self._inks is None or self._inks[0] != self.theme:
            self._inks = (
                self.theme,
                Inks(self.get_css_variables(), self._ascii_only, self.current_theme.ansi),
            )
        return self._inks[1]


def _opaque(color: Color, ground: Color) -> Color:
    return ground.blend(color.with_alpha(1.0), color.a) if color.a < 1 and color.ansi is None else color


def _is_plain(value: str) -> bool:
    """Return whether a variable is one colour (`auto 87%` and `ansi_default 50%` are not)."""
    try:
        Color.parse(value)
    except ColorParseError:
        return False
    return True


def inks_of(app: App[object]) -> Inks:
    """Return the inks of a widget's app."""
    return cast(ThemedApp, app).inks
