"""Nothing secret is left in text and in log records."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.config import redaction
from resources.config.redaction import RedactingFilter, redact, register_secret

TOKENS = st.builds(
    lambda prefix, rest: prefix + rest,
    st.sampled_from(["act.", "rft.", "clt.", "bus_act.", "bus_rft."]),
    st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=+/", min_size=8, max_size=60),
)


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch):
    monkeypatch.setattr(redaction, "_secrets", set())


AROUND = st.text(" \n\"'{}[]():,;中文&?", max_size=10)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(AROUND, TOKENS, AROUND)
def test_tokens_disappear(before: str, token: str, after: str):
    assert token.split(".")[1] not in redact(before + token + after)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("abcdefABCDEF0123456789", min_size=8, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_registered_secrets_disappear(secret: str, before: str, after: str):
    register_secret(secret)
    assert secret not in redact(before + secret + after)


@pytest.mark.parametrize(
    "text",
    [
        "https://team.example/callback?code=THE-VALUE&state=1",
        "https://team.example/callback?state=1&code=THE-VALUE",
        "client_secret=THE-VALUE&grant_type=authorization_code",
        '{"client_secret": "THE-VALUE"}',
        "{'access_token': 'THE-VALUE', 'expires_in': 1}",
        "access-token: THE-VALUE",
        '{"refresh_token":"THE-VALUE"}',
    ],
)
def test_named_secrets_disappear(text: str):
    assert "THE-VALUE" not in redact(text)


def test_the_rest_stays():
    text = (
        "user_item of 7c1f-0a11: token expired (code 28001008) [logid 2026abc]. "
        "https://x.example/?error_code=3&item_id=%40a"
    )
    assert redact(text) == text


def test_short_values_are_not_registered():
    register_secret("a")
    assert redact("a banana") == "a banana"


def test_log_records_and_tracebacks_are_clean(caplog):
    logger = logging.getLogger("test.redaction")
    logger.addFilter(RedactingFilter())
    try:
        raise ValueError("refused act.abcdefghij")
    except ValueError:
        logger.exception("got %s", "rft.0123456789")
    assert "abcdefghij" not in caplog.text
    assert "0123456789" not in caplog.text
    assert "refused act.[redacted]" in caplog.text
