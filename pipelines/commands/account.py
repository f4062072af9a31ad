"""``douyin authorize``: an account's owner gives consent to the app."""

from __future__ import annotations

import secrets
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import typer
from rich.markup import escape

from pipelines.console import console, fail, load_settings, require_credentials


def authorize(
    code: Annotated[str | None, typer.Option(help="the code, or the whole address that the browser was sent to")] = None,
    name: Annotated[str | None, typer.Option(help="a name for the account, shown by `douyin status`")] = None,
) -> None:
    """Show the consent page's address, take the code that comes back, and store the account's tokens."""
    from catalog import ENDPOINTS
    from catalog.records import Token
    from resources.douyin.client import DouyinClient
    from resources.douyin.errors import DouyinError
    from resources.douyin.oauth import authorize_url
    from resources.runtime import Runtime

    settings = load_settings()
    require_credentials(settings)
    expected = None
    if code is None:
        scopes = sorted({e.scope for e in ENDPOINTS.values() if e.token is Token.USER and e.scope})
        expected = secrets.token_urlsafe(16)
        try:
            url = authorize_url(settings, ["user_info", "renew_refresh_token", *scopes], expected)
        except DouyinError as error:
            fail(f"{error} in the environment or .env")
        console.print("Let the account's owner open this address and consent, then paste the address that the browser was sent to:\n")
        console.print(url, soft_wrap=True, highlight=False)
        code = typer.prompt("\naddress or code")
    found, state = _read_code(code)
    if expected is not None and state is not None and state != expected:
        fail("the state in that address is not the one of this authorisation: start again")
    runtime = Runtime(settings)

    async def exchange() -> str:
        async with DouyinClient(settings, runtime.state, runtime.clock) as client:
            return await client.authorize(found, name=name)

    try:
        open_id = runtime.run(exchange())
    except DouyinError as error:
        fail(str(error))
    finally:
        runtime.close()
    console.print(f"[green]✓[/green] {escape(name or 'account')} {open_id} is authorised; `douyin run` collects it from now on")


def _read_code(text: str) -> tuple[str, str | None]:
    """Code and state from a pasted address, or the code alone."""
    query = parse_qs(urlsplit(text.strip()).query)
    if "code" in query:
        return query["code"][0], query.get("state", [None])[0]
    return text.strip(), None
