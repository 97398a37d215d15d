"""Show a list that can be paged before it is laid out, and clicked while its options change."""

from __future__ import annotations

from textual import events
from textual.widgets import OptionList


def move_page(options: OptionList, direction: int) -> None:
    """Move the highlight by a page (`direction` 1 or -1), at most to the first or last option.

    Textual looks up where the highlighted line is painted, which ends the console before the first painting.
    """
    if not options.option_count:
        return
    page = max(1, options.scrollable_content_region.height)
    wanted = (options.highlighted or 0) + direction * page
    index = max(0, min(options.option_count - 1, wanted))
    if not options.get_option_at_index(index).disabled:
        options.highlighted = index


class ClicksOnOptions(OptionList):
    """Mixed into lists of options: a click on an option that was taken away meanwhile does nothing.

    What is painted there is the number of the option, and Textual looks it up among those of now.
    """

    def on_click(self, event: events.Click) -> None:
        """Let only an option that is there be chosen."""
        index = event.style.meta.get("option")
        if index is not None and index >= self.option_count:
            event.prevent_default()


class Options(ClicksOnOptions):
    """Textual's list with pages of our own."""

    def action_page_up(self) -> None:
        """Move a page up."""
        move_page(self, -1)

    def action_page_down(self) -> None:
        """Move a page down."""
        move_page(self, 1)
