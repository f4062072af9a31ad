"""What cannot be asked, and what cannot be taken: it fails alone, once, and says why."""

from __future__ import annotations

import pytest
from loopback import say
from test_douyin_client import BOARD, Bench

from resources.douyin import CallFailed
from resources.douyin.errors import NeedsAttention

TOKEN = {"data": {"access_token": "clt.abcdefgh12345678", "expires_in": "7200", "error_code": "0"}}


def test_a_larger_answer_than_is_taken_is_not_asked_for_again(make_settings, state, scripted):
    server = scripted(lambda request, n: say(TOKEN if "oauth" in request.target else {"data": {"list": ["x" * 2000]}}))
    bench = Bench(make_settings(base_url=server.url, answer_bytes=1000), state)

    async def work(client):
        with pytest.raises(NeedsAttention) as raised:
            await client.ask(BOARD, {})
        return raised.value

    error = bench.run(work, consent=False)
    assert (error.calls, len(server.seen)) == (1, 2)
    assert "more than 1,000 bytes" in str(error)
    assert "DOUYIN_ANSWER_BYTES" in str(error)


@pytest.mark.parametrize("token", ["clt.两岸", "clt.a\nb", "clt.a\x00b"])
def test_a_request_that_cannot_be_written_fails_alone(make_settings, state, scripted, token: str):
    server = scripted(lambda request, n: say({"data": {**TOKEN["data"], "access_token": token}}))
    bench = Bench(make_settings(base_url=server.url), state)

    async def work(client):
        with pytest.raises(CallFailed) as raised:
            await client.ask(BOARD, {})
        return raised.value

    error = bench.run(work, consent=False)
    assert type(error) is NeedsAttention
    assert len(server.seen) == 1


@pytest.mark.parametrize("life", ["9" * 30, 10**18, -5, float("1e300"), "", None, [], "soon"])
def test_a_token_with_an_impossible_life_is_refused(make_settings, state, scripted, life):
    server = scripted(lambda request, n: say({"data": {**TOKEN["data"], "expires_in": life}}))
    bench = Bench(make_settings(base_url=server.url), state)

    async def work(client):
        with pytest.raises(NeedsAttention, match="expires_in"):
            await client.ask(BOARD, {})

    bench.run(work, consent=False)
    assert len(server.seen) == 1
