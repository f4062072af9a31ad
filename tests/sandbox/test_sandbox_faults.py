"""Each kind of fault, as a client meets it."""

from __future__ import annotations

import time

import httpx
import orjson
import people_requests
import pytest
from patience import scaled
from sandbox_platform import APP, code_of, problems

from catalog import ENDPOINTS
from sandbox.faults import CODES, KINDS

PLAIN = {k: c for k, c in CODES.items() if not k.startswith("token_")}


def fans(platform, **more):
    return platform.get("user_fans", 0, date_type=7, **more)


@pytest.mark.parametrize(("kind", "code"), PLAIN.items())
def test_codes(platform, kind, code):
    platform.fault("user_fans", kind, times=2)
    for expected in (code, code, 0):
        body = fans(platform)
        assert code_of(body) == expected
        assert problems("user_fans", body, success=False) == []
    assert platform.stats()["operations"]["user_fans"]["codes"] == {str(code): 2, "0": 1}
    assert platform.stats()["operations"]["user_fans"]["faults"] == {kind: 2}


def test_code_may_be_chosen(platform):
    platform.fault("user_fans", "busy", code=2100004)
    assert code_of(fans(platform)) == 2100004


def test_always_until_cleared(platform):
    platform.fault("user_fans", "capability_offline", times=None)
    assert [code_of(fans(platform)) for _ in range(4)] == [28001056] * 4
    assert platform.http.delete("/_sandbox/faults").status_code == 200
    assert code_of(fans(platform)) == 0


def test_after_account_and_operation_select_requests(platform):
    other = platform.accounts()[1]["open_id"]
    platform.fault("user_fans", "busy", after=2)
    assert [code_of(fans(platform)) for _ in range(4)] == [0, 0, 28001005, 0]
    platform.fault("user_fans", "private", open_id=other, times=None)
    assert code_of(fans(platform)) == 0
    assert code_of(platform.get("user_fans", 1, date_type=7)) == 28001047
    assert code_of(platform.get("user_like", 1, date_type=7)) == 0
    platform.fault("*", "risk_control")
    assert code_of(platform.get("hotsearch_sentences", token="clt.x")) == 28001052


def test_expired_user_token_is_healed_by_a_refresh(platform):
    tokens = platform.tokens(0)
    platform.fault("user_fans", "token_expired")
    assert code_of(fans(platform)) == 28001008
    assert code_of(fans(platform)) in (28001008, 2190008)
    assert code_of(platform.get("user_like", 0, date_type=7)) in (28001008, 2190008)
    again = platform.oauth(
        "oauth_refresh_token", **APP, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )["data"]
    assert again["access_token"] != tokens["access_token"]
    assert code_of(fans(platform, token=again["access_token"])) == 0


def test_expired_client_token_is_healed_by_another_one(platform):
    platform.fault("hotsearch_sentences", "token_expired")
    token = platform.client_token()
    assert code_of(platform.get("hotsearch_sentences", token=token)) == 28001008
    assert code_of(platform.get("billboard_live", token=token)) in (28001008, 2190008)
    assert platform.client_token() != token
    assert code_of(platform.get("hotsearch_sentences")) == 0


def test_dead_token_needs_consent(platform):
    tokens = platform.tokens(0)
    platform.fault("user_fans", "token_dead")
    assert code_of(fans(platform)) == 28001003
    assert code_of(fans(platform)) in (28001003, 2190002)
    refused = platform.oauth(
        "oauth_refresh_token", **APP, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    assert code_of(refused) == 10010
    platform.reset()
    assert code_of(fans(platform)) == 0


def test_faults_of_oauth_operations(platform):
    tokens = platform.tokens(0)
    refresh = {**APP, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    platform.fault("oauth_refresh_token", "busy", code=10001)
    assert code_of(platform.oauth("oauth_refresh_token", **refresh)) == 10001
    platform.fault("oauth_refresh_token", "token_dead")
    assert code_of(platform.oauth("oauth_refresh_token", **refresh)) == 10010
    assert code_of(fans(platform)) in (28001003, 2190002)


def test_oauth_faults_know_whose_token_it_is(platform):
    mine, other = platform.tokens(0), platform.tokens(1)
    platform.fault("oauth_refresh_token", "token_dead", open_id=other["open_id"], times=None)
    for tokens, code in ((mine, 0), (other, 10010)):
        body = platform.oauth(
            "oauth_refresh_token", **APP, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
        )
        assert code_of(body) == code
    keys = platform.stats()["operations"]["oauth_refresh_token"]["by_key"]
    assert any(other["open_id"] in key for key in keys)
    assert not any(other["refresh_token"] in key for key in keys)


def test_bad_gateway(platform):
    platform.fault("user_fans", "http_502")
    reply = platform.raw("user_fans", 0, date_type=7)
    assert reply.status_code == 502
    assert "text/html" in reply.headers["content-type"]
    assert platform.stats()["operations"]["user_fans"]["codes"] == {"http_502": 1}


def test_timeout_closes_the_connection_without_an_answer(platform):
    platform.tokens(0)
    platform.fault("user_fans", "timeout", seconds=0.2)
    begin = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        fans(platform)
    assert 0.2 <= time.monotonic() - begin < scaled(2)
    assert code_of(fans(platform)) == 0


def test_timeout_that_the_client_does_not_wait_for(platform):
    platform.tokens(0)
    platform.fault("user_fans", "timeout")
    with httpx.Client(base_url=platform.url, timeout=0.1) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.get("/data/external/user/fans/")
    assert code_of(fans(platform)) == 0


def test_late_is_done_but_not_heard_of(platform):
    """The code is used up, although the client got no response."""
    code = platform.accounts()[0]["code"]
    platform.fault("oauth_access_token", "late")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        platform.redeem(code)
    assert platform.stats()["operations"]["oauth_access_token"]["codes"] == {"0": 1}
    assert code_of(platform.redeem(code)) == 10007


def test_slow_answers_after_a_while(platform):
    platform.tokens(0)
    platform.fault("user_fans", "slow", seconds=0.3)
    begin = time.monotonic()
    assert code_of(fans(platform)) == 0
    assert time.monotonic() - begin >= 0.3


def test_connection_cut_within_the_body(platform):
    platform.tokens(0)
    platform.fault("video_list", "cut")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        platform.get("video_list", 0, count=20)
    assert code_of(platform.get("video_list", 0, count=20)) == 0


def test_half_a_json(platform):
    platform.fault("video_list", "truncated_json")
    reply = platform.raw("video_list", 0, count=20)
    assert reply.status_code == 200
    assert int(reply.headers["content-length"]) == len(reply.content)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(reply.content)


def test_repeated_cursor_on_the_second_page(platform):
    platform.fault("video_list", "repeated_cursor", times=None)
    first = platform.data("video_list", 0, count=10)
    second = platform.data("video_list", 0, count=10, cursor=first["cursor"])
    assert int(second["cursor"]) == int(first["cursor"])
    assert second["has_more"] is True


def _request(platform, endpoint):
    """Return a request whose response has rows."""
    if (requested := people_requests.requests(platform, endpoint)) is not None:
        with_rows = (r for r in requested if _rows(endpoint, platform.data(endpoint.name, **r)))
        return next(with_rows)
    names = {p.name for p in endpoint.params}
    values = {"date_type": 7, "count": 20}
    if "hot_sentence" in names:
        values["hot_sentence"] = platform.data("hotsearch_sentences")["list"][0]["sentence"]
    if "item_id" in names:
        values["item_id"] = next(v["item_id"] for v in platform.videos(0) if 0 < int(v["create_time"]) < 1_794_700_000)
    return {k: v for k, v in values.items() if k in names}


def _without_drift(node):
    if isinstance(node, list):
        return [_without_drift(n) for n in node]
    return (
        {k: _without_drift(v) for k, v in node.items() if k != "sandbox_new_column"} if isinstance(node, dict) else node
    )


def _rows(endpoint, data):
    """The first list that has rows which are objects, else the one row."""
    for output in endpoint.outputs:
        value = data
        for step in filter(None, output.rows.removeprefix(endpoint.root).split(".")):
            value = value.get(step) if value else None
        rows = value if isinstance(value, list) else [value]
        if value and not output.once and isinstance(rows[0], dict):
            return rows
    return []


@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param(e, id=n)
        for n, e in ENDPOINTS.items()
        if n != "leads_tag_user_list" and ("music" in n or "billboard" not in n or n.endswith("overall"))
    ],
)
def test_spoiled_answers(platform, endpoint):
    request = _request(platform, endpoint)
    data = platform.data(endpoint.name, **request)
    good = _rows(endpoint, data)
    platform.fault(endpoint.name, "unknown_member")
    drifted = platform.data(endpoint.name, **request)
    assert drifted.pop("sandbox_new_member")
    rows = _rows(endpoint, drifted)
    assert all(r["sandbox_new_column"] == 1 for r in rows)
    assert _without_drift(rows) == good
    at = min(1, len(good) - 1)
    platform.fault(endpoint.name, "malformed_row", row=at)
    broken = _rows(endpoint, platform.data(endpoint.name, **request))
    if "abc" not in orjson.dumps(broken).decode():
        broken = [b for b in broken if b != "not a row"]
        assert len(broken) == len(good) - 1 or good == [data]
    else:
        assert broken[at] != good[at]
        assert broken[:at] + broken[at + 1 :] == good[:at] + good[at + 1 :]
    platform.fault(endpoint.name, "not_ready")
    assert good == [data] or not _rows(endpoint, platform.data(endpoint.name, **request))


@pytest.mark.parametrize(
    "endpoint",
    [pytest.param(e, id=n) for n, e in ENDPOINTS.items() if e.paging and e.name != "hotsearch_trending_sentences"],
)
def test_repeated_cursor_of_any_kind(platform, endpoint):
    """A page requested with a cursor returns it again; the first page never does."""
    name, cursor = next(p.name for p in endpoint.params if p.fill == "cursor"), endpoint.paging.cursor.split(".")[-1]
    size = next(p.name for p in endpoint.params if p.fill == "count")
    for request in _paged(platform, endpoint, size):
        first = platform.data(endpoint.name, **request)
        if first["has_more"]:
            platform.fault(endpoint.name, "repeated_cursor")
            assert platform.data(endpoint.name, **request) == first
            again = platform.data(endpoint.name, **{**request, name: first[cursor]})
            assert (str(again[cursor]), again["has_more"]) == (str(first[cursor]), True)
            after = platform.data(endpoint.name, **{**request, name: first[cursor]})
            assert str(after[cursor]) != str(first[cursor])
            return
    pytest.fail("no listing has a second page")


def _paged(platform, endpoint, size):
    requested = people_requests.requests(platform, endpoint) or [_request(platform, endpoint)]
    return [{**{k: v for k, v in r.items() if not k.startswith("page_")}, size: 1} for r in requested]


def test_a_row_that_is_a_text(platform):
    platform.fault("video_list", "malformed_row", row=3, **{"as": "text"})
    assert platform.data("video_list", 0, count=20)["list"][3] == "not a row"


def test_wrong_orders_are_refused(platform):
    for order in (
        {"operation": "nothing", "kind": "busy"},
        {"operation": "user_fans", "kind": "odd"},
        {"operation": "user_fans", "kind": "busy", "times": 0},
        {"operation": "user_fans", "kind": "slow", "seconds": "long"},
        {"operation": "user_fans", "kind": "slow", "seconds": -1},
        7,
    ):
        assert platform.http.post("/_sandbox/faults", json=order).status_code == 400
    assert platform.http.get("/_sandbox/faults").json() == []


def test_orders_are_listed(platform):
    orders = [{"operation": "user_fans", "kind": k} for k in KINDS]
    assert len(platform.http.post("/_sandbox/faults", json=orders).json()) == len(KINDS)
    listed = platform.http.get("/_sandbox/faults").json()
    assert [o["kind"] for o in listed] == list(KINDS)
    assert all(o["times"] == 1 and o["served"] == 0 for o in listed)
