"""``douyin authorize``: let the owner of an account consent to the app."""

from __future__ import annotations

import secrets
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import typer
from rich.markup import escape

from apps.cli.console import (
    all_said,
    console,
    fail,
    load_settings,
    maybe_said,
    one_app,
    open_runtime,
    require_credentials,
)

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ALWAYS = ("user_info", "renew_refresh_token")
"""Scopes besides those of the operations: the account's name, and longer consents."""


def authorize(
    code: Annotated[
        str | None,
        typer.Option(callback=maybe_said, help="the code, or the whole address that the browser was sent to"),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            callback=maybe_said,
            help="a name for the account; default: its nickname, where the owner lets the app see it",
        ),
    ] = None,
    app: Annotated[str | None, typer.Option(help="key of the app; needed only where there are several")] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(callback=all_said, help="a word to choose accounts by; may be given several times"),
    ] = None,
    scopes: Annotated[
        str | None,
        typer.Option(callback=maybe_said, help="comma separated; default: all that the catalogue's operations need"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help=(
                "listen on this loopback port for the browser's return; default: the redirect address's own, "
                "if it is on loopback"
            ),
        ),
    ] = None,
    wait_s: Annotated[int, typer.Option(min=1, max=86_400, help="how long to wait for the browser's return")] = 600,
) -> None:
    """Show the address of the consent page, receive the code, and store the account's tokens.

    If the redirect address is on this machine's loopback, the code is received there; otherwise paste the address that
    the browser was sent to.
    """
    settings = load_settings()
    require_credentials(settings)
    key = one_app(settings, app)
    settings = settings.for_app(key)
    state = None
    if code is None:
        state = secrets.token_urlsafe(16)
        url = _consent_url(settings, scopes, state)
        place = _listening_place(settings.redirect_uri, port)
        console.print(
            "Let the account's owner open this address and consent"
            + (":\n" if place else ", then paste the address that the browser was sent to:\n")
        )
        console.print(url, soft_wrap=True, highlight=False)
        code = _receive(*place, state, wait_s) if place else typer.prompt("\naddress or code")
    found, returned = _read_answer(code)
    if state is not None and returned is not None and returned != state:
        fail("the state in that address is not the one of this authorisation: start again")
    open_id, shown, granted = _exchange(settings, found, name)
    from resources.state.accounts import set_tags

    if tag:
        with open_runtime(settings) as runtime:
            try:
                set_tags(runtime.state, key, open_id, tag)
            except ValueError as error:
                fail(f"the account is authorised, but its tags are not set: {error}")
    console.print(
        f"[green]✓[/green] {escape(shown or 'account')} {escape(open_id)} is authorised; `douyin run` "
        "collects it from now on",
        soft_wrap=True,
    )
    if granted:
        # Scopes of messages and business consent are never listed, although granted (GUIDE section 2).
        console.print(f"  granted: {escape(granted)}", style="dim", soft_wrap=True, highlight=False)


def _consent_url(settings, scopes: str | None, state: str) -> str:
    from catalog import ENDPOINTS
    from catalog.records import Token
    from resources.client.errors import DouyinError
    from resources.client.oauth import authorize_url

    wanted = [s.strip() for s in scopes.split(",") if s.strip()] if scopes else None
    if wanted is None:
        own = {e.quota for e in ENDPOINTS.values() if e.token is Token.USER and settings.app_type in e.apps}
        wanted = [*_ALWAYS, *sorted(own - set(_ALWAYS))]
    try:
        return authorize_url(settings, wanted, state)
    except DouyinError as error:
        fail(f"{error} in the environment or .env")


def _listening_place(redirect_uri: str | None, port: int | None) -> tuple[str, int, str] | None:
    """Return host, port and path to listen at, where the browser comes back to this machine."""
    try:
        parts = urlsplit(redirect_uri or "")
        own = parts.port
    except ValueError as error:
        fail(f"DOUYIN_REDIRECT_URI is no address ({error}): write it as in the console of the Open Platform")
    if port is not None:
        return "127.0.0.1", port, parts.path or "/"
    if parts.hostname in _LOOPBACK and own:
        return ("127.0.0.1" if parts.hostname == "localhost" else parts.hostname), own, parts.path or "/"
    return None


_PAGE = """<!doctype html><meta charset="utf-8"><title>douyin-warehouse</title>
<body style="font-family: sans-serif; margin: 15vh auto; max-width: 30em; text-align: center">
<h2>{zh}</h2><p>{en}</p></body>"""


def _receive(host: str, port: int, path: str, state: str, wait_s: int) -> str:
    """Wait for the browser's return and return its address.

    Other requests, and those with another state, are refused.
    """
    came: list[str] = []

    class Callback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            mine = urlsplit(self.path).path.rstrip("/") == path.rstrip("/") and query.get("state", [""])[0] == state
            if mine and ("code" in query or "error" in query or "err_code" in query or "errCode" in query):
                came.append(self.path)
                self._say(200, "授权结果已收到", "Received. This window may be closed.")
            else:
                self._say(400, "不是本次授权的回调", "This is not the return of the authorisation that is waiting.")

        def _say(self, status: int, zh: str, en: str) -> None:
            body = _PAGE.format(zh=zh, en=en).encode()
            self.send_response(status)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args) -> None:
            """Log nothing: the address contains the code."""

    try:
        server = HTTPServer((host, port), Callback)
    except OSError as error:
        fail(
            f"cannot listen at {host}:{port} for the browser's return ({error.strerror}): free the port, "
            "or give the code with --code"
        )
    console.print(
        f"\nwaiting at http://{host}:{server.server_port}{path} for the browser's return …",
        style="dim",
        highlight=False,
    )
    with server:
        end = time.monotonic() + wait_s
        while not came and (left := end - time.monotonic()) > 0:
            server.timeout = left
            server.handle_request()
    if not came:
        fail(f"no browser came back within {wait_s} s: start again, or paste the address with --code")
    return came[0]


def _read_answer(text: str) -> tuple[str, str | None]:
    """Read code and state from an address, or the code alone. A refusal in the address ends the command."""
    query = parse_qs(urlsplit(text.strip()).query)
    if "code" in query:
        return query["code"][0], query.get("state", [None])[0]
    for member in ("error", "err_code", "errCode"):
        if member in query:
            said = query.get("error_description", query.get("err_msg", query[member]))[0]
            fail(f"the owner did not consent, or the platform refused ({said}): nothing was stored")
    return text.strip(), None


def _exchange(settings, code: str, name: str | None) -> tuple[str, str | None, str]:
    """Exchange the code for tokens; return open_id, name and granted scopes of its account."""
    from catalog import ENDPOINTS
    from catalog.envelopes import member
    from resources.client.client import DouyinClient
    from resources.client.errors import CallFailed, DouyinError
    from resources.state.accounts import add_account
    from resources.state.tokens import load_user_token

    with open_runtime(settings) as runtime:

        async def exchange() -> tuple[str, str | None, str]:
            async with DouyinClient(settings, runtime.state, runtime.clock) as client:
                open_id = await client.authorize(code, name=name)
                shown = name
                if shown is None:
                    try:
                        answer = await client.fetch(ENDPOINTS["oauth_userinfo"], {}, open_id)
                    except CallFailed:
                        pass  # not granted: an account may stay without a name
                    else:
                        shown = member(answer.document, "data.nickname")
                        if isinstance(shown, str) and shown:
                            add_account(
                                runtime.state, settings.client_key, open_id, name=shown, now=runtime.clock.now()
                            )
                token = load_user_token(runtime.state, settings.client_key, open_id)
                return open_id, shown, token.scope if token else ""

        try:
            return runtime.run(exchange())
        except DouyinError as error:
            fail(str(error))
