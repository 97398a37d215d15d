"""Hold all private names of Textual that the console replaces or reads; a test checks each.

`App._fatal_error` prints the traceback with all local variables; a local may hold a credential. The
replacement prints one sentence, and with `--debug` a traceback without locals.

`App._display` writes each frame in full and waits for the terminal. The replacement hands the pieces of
the compositor's update to the driver, which writes what has changed, when the terminal can take it.

`Strip.divide` keeps a strip that is not divided in the strip's own cache: a circle with each line that is
painted, eight objects of garbage that only a full collection finds, a hundred thousand a minute.

`Widget.virtual_size` has the whole screen arranged anew when it is set, for each line of a log that grows.
But only what scrolls looks different then, and its scrollbar, which `_scroll_update` sees to.

`Widget.border_title` has the whole widget painted anew, with all that stands in it, for a word of its border.

`MessagePump._on_message` is where all that reaches a screen arrives: keys, timers, messages of its widgets. A
screen that was closed lives on for some turns, and what arrives then would ask for widgets that are gone.

`XTermParser._parse_extended_key` raises for a malformed or too large key code (`ESC [ :; u`), which ends the
thread that reads keys, and makes keys of half a surrogate pair, which cannot be written back.

`Widget._styles_cache` puts borders, padding and opacity round each line anew, also where there are none,
which takes longer than the line.
"""

from __future__ import annotations

import sys
import traceback
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from rich.segment import Segment, Segments
from rich.style import Style as RichStyle
from rich.text import Text
from textual import events, messages
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.content import Content
from textual.driver import Driver
from textual.geometry import NULL_SPACING, Region, Size
from textual.keys import Keys
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from lambdatop.domain.error_words import traceback_text
from lambdatop.domain.sanitize import clean

if TYPE_CHECKING:
    _Pump = MessagePump
else:
    _Pump = object  # styles come from the first base that is a node: a mix-in must not be one

Piece = tuple[int, int, Iterable[Segment]]
"""Column, line, and what stands from there on."""


def set_content_size(view: ScrollView, size: Size) -> None:
    """Set how much there is to scroll through; a scrollbar that appears or disappears changes the layout."""
    view.set_reactive(ScrollView.virtual_size, size)
    view._scroll_update(size)


Title = Literal["border_title", "border_subtitle"]


def title_room(widget: Widget) -> int:
    """Return the cells that Textual leaves to a border's title; it cuts what is longer.

    `StylesCache` hands two cells less than the width on, and `render_border_label` keeps two for each corner.
    """
    corners = sum(bool(edge[0]) for edge in (widget.styles.border_left, widget.styles.border_right))
    return widget.outer_size.width - 2 - 2 * corners


def put_border_title(widget: Widget, which: Title, words: Content) -> None:
    """Set a title, and have only its line painted anew."""
    setattr(widget, f"_{which}", words.expand_tabs(4).split()[0])
    left, top = widget.content_offset
    size = widget.outer_size
    line = 0 if which == "border_title" else size.height - 1
    widget.refresh(Region(-left, line - top, size.width, 1))


class _PlainLines(StylesCache):
    """Lines as the widget paints them, cached until they are marked dirty."""

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """Return the lines of a part of the widget."""
        if widget.styles.gutter != NULL_SPACING or widget.opacity != 1.0:
            return super().render_widget(widget, crop)
        width = widget.region.width
        if width != self._width:
            self.clear()
            self._width = width
        kept, dirty = self._cache, self._dirty_lines
        fresh = [y for y in crop.line_range if y in dirty or y not in kept]
        if fresh:
            background = widget.background_colors[1]
            rest, filters = RichStyle(bgcolor=background.rich_color), widget.get_line_filters()
            for y in fresh:
                strip = widget.render_line(y).adjust_cell_length(width, rest)
                for one in filters:
                    strip = strip.apply_filter(one, background)
                kept[y] = strip
            dirty.difference_update(fresh)
        strips = [kept[y] for y in crop.line_range]
        first, last = crop.column_span
        return strips if (first, last) == (0, width) else [strip.crop(first, last) for strip in strips]


def paint_plainly(widget: Widget) -> None:
    """Show the lines of a widget as it paints them; where it has a border or padding, as ever."""
    widget._styles_cache = _PlainLines()


SHORTEST_TIMER_S = 0.001
"""A timer for a moment that has gone by would look for its next moment for ever, in one turn of the loop: a
toast that expires while it is mounted is given one, and the console would stand still."""
_timer = Timer.__init__


def _timer_of_the_future(self: Timer, event_target: MessagePump, interval: float, **rest: Any) -> None:
    _timer(self, event_target, max(interval, SHORTEST_TIMER_S), **rest)


Timer.__init__ = _timer_of_the_future  # type: ignore[method-assign, assignment]


_divide = Strip.divide


def _divide_without_circle(self: Strip, cuts: Iterable[int]) -> Sequence[Strip]:
    wanted = [cut for cut in cuts if cut <= self.cell_length]
    return [self] if wanted == [self.cell_length] else _divide(self, wanted)


def keep_strips_out_of_circles() -> None:
    """Divide strips without reference cycles, in this process."""
    Strip.divide = _divide_without_circle  # type: ignore[method-assign]


def crash_words(error: BaseException | None, debug: bool) -> str:
    """Return what the terminal shows after a crash of the console: never a local variable."""
    if error is None:
        return "lambdatop stopped because of an internal error."
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    words = f"lambdatop stopped because of an internal error: {type(error).__name__}{place}."
    if not debug:
        return f"{words} Run it with --debug for the traceback."
    return clean(traceback_text(error)) + words


class QuietCrash(App[None]):
    """An app whose crash screen shows no local variables."""

    debug_traceback = False

    def _fatal_error(self) -> None:
        self.bell()
        error = self._exception or sys.exc_info()[1]
        words = Text(crash_words(error, self.debug_traceback))
        self._exit_renderables.append(Segments(self.console.render(words, self.console.options)))
        self._close_messages_no_wait()

    @property
    def is_ending(self) -> bool:
        """Whether the end was asked for, or screens are taken down; some turns go by until it comes."""
        return self._exit or not self._running


class FrameDriver(Driver):
    """A driver that is given frames, not characters."""

    @abstractmethod
    def show(self, width: int, height: int, pieces: Iterable[Piece], cursor: tuple[int, int]) -> None:
        """Note that something on a screen of `width` x `height` has changed; return at once."""

    @abstractmethod
    def switch_mouse(self) -> bool:
        """Take the mouse from the terminal, or leave it to it; return whether it is ours now."""

    def post(self, message: Message) -> None:
        """Notify the app, from this or any other thread."""
        self.send_message(message)

    @property
    def app(self) -> App[object]:
        """The app that is shown."""
        return self._app


class FramedApp(App[None]):
    """An app whose frames go to a `FrameDriver` as pieces; with another driver it is Textual's own."""

    def _display(self, screen: Screen[object], renderable: object) -> None:
        driver = self._driver
        if not isinstance(driver, FrameDriver) or not isinstance(renderable, LayoutUpdate | ChopsUpdate):
            super()._display(screen, renderable)  # type: ignore[arg-type]
            return
        if self._batch_count or not self._running or self._closed:
            return
        try:
            width, height = self.screen.outer_size
            driver.show(width, height, pieces(renderable), self.cursor_position)
        except Exception as error:  # as Textual does: a frame that cannot be made ends the app with a word
            self._handle_exception(error)
        finally:
            self.post_display_hook()

    def switch_mouse(self) -> bool | None:
        """Take the mouse or leave it to the terminal; whether it is ours now, None where there is none."""
        driver = self._driver
        return driver.switch_mouse() if isinstance(driver, FrameDriver) else None

    def _set_pointer_shape(self, shape: str) -> None:
        """Do nothing: older terminals print the sequence instead of obeying it."""


def pieces(update: LayoutUpdate | ChopsUpdate) -> Iterator[Piece]:
    """Yield what an update of the compositor paints, as its own `render_segments` would."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                yield x, y, strip
                x += strip.cell_length
        return
    for y, first, last in update.spans:
        for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if chop is not None and x <= last and end > first:
                yield x, y, chop if end <= last else chop.crop(0, min(end, last) - x)


ENDING = (events.Unmount, events.Callback, messages.CloseMessages, messages.Prune)
"""What a closed screen still needs, to be taken down."""


class HearsWhileOpen(_Pump):
    """Mixed into screens: a closed screen, and all of them while the app ends, handle no events.

    A size that is no more the terminal's is not acted on either. Textual's screens send themselves the size
    that they have just taken; with two on their way each one taken sends the other one back, for ever.
    """

    @property
    @abstractmethod
    def is_on_stack(self) -> bool:
        """Whether it is open."""

    async def _on_message(self, message: Message) -> None:
        if isinstance(message, events.Resize) and message.size != self.app.size:
            return
        if (self.is_on_stack and not self.app._exit) or isinstance(message, ENDING):
            await super()._on_message(message)


class _KeyParser(XTermParser):
    def _parse_extended_key(self, sequence: str) -> list[events.Key] | None:  # type: ignore[override]
        """Parse a key of the Kitty protocol; one whose code stands for no character is ignored."""
        try:
            keys = super()._parse_extended_key(sequence)
            for key in keys or ():
                (key.character or "").encode()
        except (ValueError, OverflowError):
            return [events.Key(Keys.Ignore, sequence)]
        return keys


def key_reader() -> Callable[[str], Iterator[Message]]:
    """Return a reader that turns what the terminal sends into messages.

    An empty text asks whether a lone Escape was meant.
    """
    parser = _KeyParser(False)

    def read(text: str) -> Iterator[Message]:
        if text:
            yield from parser.feed(text)
        yield from parser.tick()

    return read
