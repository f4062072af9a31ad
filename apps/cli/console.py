"""Share console, settings and checks of options between all commands."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from resources.config.redaction import visible
from resources.config.settings import LIVE_URL, BadSettings, Settings, read_settings

if TYPE_CHECKING:
    from resources.runtime import Runtime

FIRST_YEAR, LAST_YEAR = 2016, 2100
"""Douyin began in September 2016."""
_PIPE_WIDTH = 220
"""Columns where the output goes into a file or a pipe, unless COLUMNS says otherwise."""


class PlainConsole(Console):
    """A console that obeys no control character in what it prints.

    Output into a file or a pipe is wide enough for whole tables.
    """

    @property  # type: ignore[misc]  # nothing sets the size
    def size(self) -> ConsoleDimensions:
        """Return the size of the terminal, or a wide one for files and pipes."""
        found = super().size
        return found if self.is_terminal or self._width is not None else ConsoleDimensions(_PIPE_WIDTH, found.height)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable with control characters made visible."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


class Grid(Table):
    """A table of words that people and the platform wrote: shown literally, and folded instead of cut.

    ``styled`` makes a cell with a style.
    """

    def __init__(self, *columns: str, title: str | None = None, **more) -> None:
        super().__init__(
            title=None if title is None else Text(visible(title)),
            title_justify="left",
            **({"header_style": "bold", "box": None} | more),
        )
        for column in columns:
            self.add_column(column)

    def add_column(self, header: RenderableType = "", footer: RenderableType = "", **more: Any) -> None:
        """Add a column whose header is shown literally."""
        super().add_column(
            Text(visible(header)) if isinstance(header, str) else header, footer, **({"overflow": "fold"} | more)
        )

    def add_row(self, *cells: RenderableType | None, **more) -> None:
        """Add a row; cells without a style are shown literally."""
        plain = (
            Text(visible(str(cell)))
            if isinstance(cell, str) or (isinstance(cell, Text) and not (cell.spans or cell.style))
            else cell
            for cell in cells
        )
        super().add_row(*plain, **more)


def styled(markup: str) -> Text:
    """Make a cell from markup such as ``[red]✗[/red]``. Words that others wrote must be escaped in it."""
    return Text.from_markup(visible(markup), emoji=False)


# Titles, nicknames and reasons are shown literally: `[cry]` is no style and `:100:` no picture.
console = PlainConsole(emoji=False)
errors = PlainConsole(stderr=True, emoji=False)

NO_CREDENTIALS = """No credentials are configured.

  Try it on the sandbox:   make demo      (or: douyin demo)
  Use your own app:        copy .env.example to .env (or: douyin init), set DOUYIN_CLIENT_KEY and DOUYIN_CLIENT_SECRET
                           from the Open Platform's console (https://developer.open-douyin.com), then
                           `douyin authorize`."""


def fail(message: str, code: int = 1) -> NoReturn:
    """Print what went wrong and end the command. Lines are not broken: they contain commands and paths to copy."""
    errors.print(f"[red]✗[/red] {escape(message)}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def possible_day(value: datetime | None) -> datetime | None:
    """Check the day of an option (callback): a year in which Douyin can have no data is a slip of the hand."""
    if value is not None and not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise typer.BadParameter(f"{value.date()} cannot be meant: the years are {FIRST_YEAR} to {LAST_YEAR}")
    return value


def finite(value: float | None) -> float | None:
    """Check the number of an option (callback): ``inf`` and ``nan`` are refused."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no number")
    return value


def maybe_said(value: str | None) -> str | None:
    """Check the word of an option, if it is given (callback)."""
    return None if value is None else said(value)


def said(value: str) -> str:
    """Check the word of an option or argument (callback): an empty one would mean nothing, or everything."""
    if not value.strip():
        raise typer.BadParameter("it is empty")
    return value.strip()


def all_said(values: list[str] | None) -> list[str] | None:
    """Check the words of an option or argument that may be given several times (callback)."""
    return None if values is None else [said(value) for value in values]


def read_text(file: Path) -> str:
    """Read a file that a person names; one that cannot be read, or is not UTF-8, ends the command."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        fail(f"{file} is not UTF-8 (byte {error.start + 1}): save it as UTF-8, e.g. `iconv -f GB18030 -t UTF-8`", 2)
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", 2)


def load_settings(*, has_own_home: bool = False) -> Settings:
    """Read the settings from the environment and ``.env``.

    A wrong setting ends the command with its name and the reason. So does a home that does not belong to
    ``DAGSTER_HOME``, unless the command works in a home of its own, or only reads.
    """
    from pipelines.home import check_home

    try:
        settings = read_settings()
        if not has_own_home:
            check_home(settings)
        return settings
    except BadSettings as error:
        fail(str(error))


def require_credentials(settings: Settings) -> None:
    """End the command with advice unless there are credentials; a sandbox has its own."""
    if not settings.has_credentials:
        fail(NO_CREDENTIALS)
    from resources.state.sealing import NO_TOKEN_KEY, TokenKeyError, Vault

    try:
        ready = Vault(settings.token_key.get_secret_value() if settings.token_key else None).ready
    except TokenKeyError as error:
        fail(str(error))
    if not ready:
        fail(NO_TOKEN_KEY)


def open_runtime(settings: Settings | None = None, *, needs_credentials: bool = False) -> Runtime:
    """Open the installation in a ``with`` block; ``settings`` are by default those of the environment.

    Wrong settings end the command, and so do missing credentials where it needs them.
    """
    from resources.runtime import Runtime

    settings = settings or load_settings()
    if needs_credentials:
        require_credentials(settings)
    return Runtime(settings)


def app_keys(settings: Settings, chosen: str | None) -> list[str]:
    """Return the keys of all apps, or the chosen one; an unknown one ends the command."""
    keys = [app.client_key for app in settings.all_apps]
    if chosen is not None and chosen not in keys:
        fail(f"{chosen!r} is no app of this installation; there are: {', '.join(keys) or 'none'}", 2)
    return keys if chosen is None else [chosen]


def one_app(settings: Settings, chosen: str | None) -> str:
    """Return the key of the one app that is meant; an ambiguous choice ends the command."""
    keys = app_keys(settings, chosen)
    if len(keys) != 1:
        fail("there are several apps: say which with --app" if keys else NO_CREDENTIALS, 2)
    return keys[0]


def is_live(settings: Settings) -> bool:
    """Return whether the settings name the live platform."""
    return settings.base_url == LIVE_URL
