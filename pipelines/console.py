"""What all commands share: the console, the settings with a clear error, and what to do without credentials."""

from __future__ import annotations

import re
from typing import NoReturn

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.markup import escape

from resources.settings import LIVE_URL, Settings

# Titles, nicknames and reasons are shown as they are: `[cry]` is no style and `:100:` no picture.
console = Console(emoji=False)
errors = Console(stderr=True, emoji=False)

NO_CREDENTIALS = """No credentials are configured.

  Try it on the sandbox:   make demo      (or: douyin demo)
  Use your own app:        copy .env.example to .env, set DOUYIN_CLIENT_KEY and DOUYIN_CLIENT_SECRET from the
                           Open Platform's console (https://developer.open-douyin.com), then `douyin authorize`."""


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong and stop. Lines are not broken: they hold commands and paths to copy."""
    errors.print(f"[red]✗[/red] {escape(message)}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def load_settings() -> Settings:
    """Settings from the environment and ``.env``; a wrong one ends the command with its name and the reason."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"DOUYIN_{str(e['loc'][0]).upper()}: {''.join(f'{p}: ' for p in e['loc'][1:])}{e['msg']}" for e in error.errors()]
        fail("the configuration is not usable:\n  " + "\n  ".join(lines))
    except SettingsError as error:  # a value that should be JSON and is not; the text names the setting
        named = re.search(r'field "(\w+)"', str(error))
        fail(f"the configuration is not usable:\n  {f'DOUYIN_{named[1].upper()}: {error.__cause__}' if named else error}")


def require_credentials(settings: Settings) -> None:
    """Stop with advice unless there are credentials (a sandbox needs them too, but brings its own)."""
    if not settings.has_credentials:
        fail(NO_CREDENTIALS)
    from resources.state.sealing import NO_TOKEN_KEY, TokenKeyError, Vault

    try:
        ready = Vault(settings.token_key.get_secret_value() if settings.token_key else None).ready
    except TokenKeyError as error:
        fail(str(error))
    if not ready:
        fail(NO_TOKEN_KEY)


def app_keys(settings: Settings, chosen: str | None) -> list[str]:
    """Keys of all apps, or the chosen one; an unknown one ends the command."""
    keys = [app.client_key for app in settings.all_apps]
    if chosen is not None and chosen not in keys:
        fail(f"{chosen!r} is no app of this installation; there are: {', '.join(keys) or 'none'}", 2)
    return keys if chosen is None else [chosen]


def one_app(settings: Settings, chosen: str | None) -> str:
    """Key of the one app that is meant; ends the command where that is not clear."""
    keys = app_keys(settings, chosen)
    if len(keys) != 1:
        fail("there are several apps: say which with --app" if keys else NO_CREDENTIALS, 2)
    return keys[0]


def is_live(settings: Settings) -> bool:
    return settings.base_url == LIVE_URL
