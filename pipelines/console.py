"""What all commands share: the console, the settings with a clear error, and what to do without credentials."""

from __future__ import annotations

from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from resources.settings import LIVE_URL, Settings

console = Console()
errors = Console(stderr=True)

NO_CREDENTIALS = """No credentials are configured.

  Try it on the sandbox:   make demo      (or: douyin demo)
  Use your own app:        copy .env.example to .env, set DOUYIN_CLIENT_KEY and DOUYIN_CLIENT_SECRET from the
                           Open Platform's console (https://developer.open-douyin.com), then `douyin authorize`."""


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong and stop."""
    errors.print(f"[red]✗[/red] {message}", highlight=False)
    raise typer.Exit(code)


def load_settings() -> Settings:
    """Settings from the environment and ``.env``; a wrong one ends the command with its name and the reason."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"DOUYIN_{'.'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors()]
        fail("the configuration is not usable:\n  " + "\n  ".join(lines))


def require_credentials(settings: Settings) -> None:
    """Stop with advice unless there are credentials (a sandbox needs them too, but brings its own)."""
    if not settings.has_credentials:
        fail(NO_CREDENTIALS)


def is_live(settings: Settings) -> bool:
    return settings.base_url == LIVE_URL
