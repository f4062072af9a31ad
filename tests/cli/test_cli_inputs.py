"""Users see no traceback, and no invalid input is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_inputs import Input, all_inputs, placed, some_inputs, write_files
from hostile_home import publish_words

APP = {
    "DOUYIN_CLIENT_KEY": "key",
    "DOUYIN_CLIENT_SECRET": "secret-secret",
    "DOUYIN_TOKEN_KEY": "sGj1qTqG0oTTVxQ3wY0yF2mCw1m0jM0Xo3v3mE0pZ0A=",
    "DOUYIN_BASE_URL": "http://127.0.0.1:9",
}
NEEDS_PROCESS = ("sql", "dashboard", "receive", "dev", "sandbox", "demo")
"""Commands that replace the process, or serve until stopped if an invalid port is accepted."""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    from datetime import UTC, datetime

    from resources.config.settings import Settings
    from resources.runtime import Runtime
    from resources.state.accounts import add_account

    home = publish_words(tmp_path_factory.mktemp("inputs"), ["普通词"])
    runtime = Runtime(Settings(_env_file=None, home=home))
    add_account(runtime.state, "key", "account-1", name="海盐", now=datetime(2026, 11, 16, tzinfo=UTC))
    runtime.close()
    return home


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_files(folder)
    return folder


@pytest.fixture
def judge(douyin, command, home, folder):
    """Describe what is wrong with the response to an input; None if it is refused as it should be."""

    def judge(one: Input) -> str | None:
        words, more = placed(one, folder)
        environment = {"DOUYIN_HOME": str(home), **APP, **more}
        if words[0] in NEEDS_PROCESS and "subscribe" not in words:
            try:
                reported = command(*words, timeout_s=60, **environment)
            except TimeoutError:
                return "accepted: it serves"
            code, said, shown = reported.returncode, reported.stderr, reported.stdout + reported.stderr
        else:
            reported = douyin(*words, **environment)
            code, said, shown = reported.exit_code, reported.stderr, reported.output
            if reported.exception is not None and not isinstance(reported.exception, SystemExit):
                return f"raises {reported.exception!r}"
        if "Traceback" in shown or "should not happen" in shown:
            return f"not foreseen: {shown[-400:]}"
        if code == 0:
            return f"accepted: {shown[-200:]}"
        return None if said.strip() or "✗" in shown else "refused without a message"

    return judge


def test_a_sample_of_senseless_inputs(judge):
    wrong = [f"{one}: {said}" for one in some_inputs(40) if (said := judge(one)) is not None]
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_senseless_input(judge):
    inputs = all_inputs()
    assert len(inputs) >= 250
    wrong = [f"{one}: {said}" for one in inputs if (said := judge(one)) is not None]
    assert not wrong, "\n".join(wrong)
