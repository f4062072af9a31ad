"""No token, code or secret is in logs, exceptions and their text, or stored errors."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback

import pytest
from sqlalchemy import select

from catalog import ENDPOINTS
from resources.client import CallFailed, DouyinClient
from resources.state.tables import client_tokens, user_tokens

USER, BOARD = ENDPOINTS["user_item"], ENDPOINTS["billboard_stars"]


@pytest.fixture
def every_log(caplog):
    """Capture every logger at DEBUG."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "pyreqwest", "filelock", "resources", "sqlalchemy", "sqlalchemy.engine.Engine"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def test_a_stormy_run_shows_no_secret(make_settings, state, sandbox, every_log):
    settings = make_settings(base_url=sandbox.url)
    codes, messages = [], []

    async def work() -> None:
        async with DouyinClient(settings, state, settings.get_clock()) as client:
            accounts = sandbox.accounts()
            codes.extend(a["code"] for a in accounts)
            for account in accounts:
                await client.authorize(account["code"])
            storm = [
                "busy",
                "token_expired",
                "cut",
                "truncated_json",
                "http_502",
                "private",
                "token_dead",
                "quota_used_up",
            ]
            for kind in storm:
                sandbox.fault("user_item", kind)
                sandbox.fault("billboard_stars", kind)
            sandbox.fault("oauth_refresh_token", "busy")
            sandbox.fault("oauth_refresh_token", "cut")
            for _ in range(6):
                for account in accounts:
                    for ask in (client.fetch(USER, {"date_type": 7}, account["open_id"]), client.fetch(BOARD, {})):
                        try:
                            await ask
                        except CallFailed as error:
                            messages.extend(
                                (str(error), repr(error), "".join(traceback.format_exception(error)), str(vars(error)))
                            )
            try:
                await client.authorize(codes[0])
            except CallFailed as error:
                messages.extend((str(error), repr(error)))

    asyncio.run(work())
    with state.read() as db:
        users, apps = db.execute(select(user_tokens)).all(), db.execute(select(client_tokens)).all()
    sealed = [t for u in users for t in (u.access_token, u.refresh_token)] + [a.access_token for a in apps]
    secrets = [state.vault.open(t) for t in sealed] + codes + ["sandbox-secret"]
    assert len(secrets) >= 10
    assert len(messages) > 10
    text = "\n".join([*messages, every_log.text, *(str(r.__dict__) for r in every_log.records)])
    assert "HTTP Request" in text  # httpx did log
    for secret in secrets:
        assert secret not in text
        assert secret.split(".")[-1] not in text
    for prefix in ("act.", "rft.", "clt."):
        assert text.count(prefix) == text.count(f"{prefix}[redacted]")


def test_no_secret_is_in_the_file_names_of_locks(make_settings, state, sandbox):
    settings = make_settings(base_url=sandbox.url)
    account = sandbox.accounts()[0]

    async def work() -> None:
        async with DouyinClient(settings, state, settings.get_clock()) as client:
            await client.authorize(account["code"])

    asyncio.run(work())
    assert not any(account["open_id"] in p.name for p in settings.home.rglob("*"))


def test_errors_survive_another_process(make_settings, state, sandbox):
    settings = make_settings(base_url=sandbox.url)
    sandbox.fault("billboard_stars", "capability_offline")

    async def work() -> CallFailed:
        async with DouyinClient(settings, state, settings.get_clock()) as client:
            with pytest.raises(CallFailed) as raised:
                await client.fetch(BOARD, {})
            return raised.value

    error = asyncio.run(work())
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
