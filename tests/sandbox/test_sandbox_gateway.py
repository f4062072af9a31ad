"""Paths, parameters, tokens and grants at the gateway."""

from __future__ import annotations

import pytest
from sandbox_platform import code_of, problems

from catalog import ENDPOINTS

SERIES = [n for n, e in ENDPOINTS.items() if e.windows]


def test_missing_slash_redirects_and_keeps_the_query(platform):
    reply = platform.http.get("/data/external/user/fans?open_id=x&date_type=7")
    assert reply.status_code == 301
    assert reply.headers["location"] == "/data/external/user/fans/?open_id=x&date_type=7"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere/"), ("POST", "/hotsearch/sentences/"), ("GET", "/oauth/access_token/")]
)
def test_unknown_address(platform, method, path):
    reply = platform.http.request(method, path)
    assert reply.status_code == 404
    assert code_of(reply.json()) == 28001017


@pytest.mark.parametrize("name", [n for n, e in ENDPOINTS.items() if any(p.required for p in e.params)])
def test_required_parameters(platform, name):
    endpoint = ENDPOINTS[name]
    good = {"open_id": platform.tokens(0)["open_id"], "item_id": "@x", "date_type": 7, "count": 10, "hot_sentence": "x"}
    for missing in (p.name for p in endpoint.params if p.required):
        params = {p.name: good[p.name] for p in endpoint.params if p.required and p.name != missing}
        token = platform.tokens(0)["access_token"] if endpoint.token == "user" else platform.client_token()
        body = platform.http.get(endpoint.path, params=params, headers={"access-token": token}).json()
        assert code_of(body) == 28001007
        assert problems(name, body, success=False) == []


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("window", ["8", "0", "seven", "-7"])
def test_window_must_be_one_that_is_offered(platform, name, window):
    body = platform.get(name, 0, date_type=window, item_id="@x" if name.startswith("item") else None)
    assert code_of(body) == 2100005


@pytest.mark.parametrize("cursor", ["text", "-1", "17", "1795000000123"])
def test_video_cursor_that_was_never_given_out(platform, cursor):
    assert code_of(platform.get("video_list", 0, count=10, cursor=cursor)) == 2100005


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_count_must_be_positive(platform, count):
    assert code_of(platform.get("video_list", 0, count=count)) == 2100005


def test_token_of_another_account(platform):
    other = platform.tokens(1)["open_id"]
    assert code_of(platform.get("user_fans", 0, open_id=other, date_type=7)) == 28001015


def test_wrong_kind_of_token(platform):
    assert code_of(platform.get("user_fans", 0, token=platform.client_token(), date_type=7)) in (28001003, 2190002)
    assert code_of(platform.get("hotsearch_sentences", token=platform.tokens(0)["access_token"])) in (28001003, 2190002)


def test_token_in_the_query_is_not_read(platform):
    reply = platform.http.get("/hotsearch/sentences/", params={"access_token": platform.client_token()})
    assert code_of(reply.json()) in (28001003, 2190002)


def test_scope_that_was_not_granted(platform):
    code = platform.accounts(scopes="user_info,data.external.user")[0]["code"]
    tokens = platform.redeem(code)["data"]
    assert tokens["scope"] == "user_info,data.external.user"
    assert code_of(platform.get("user_fans", 0, token=tokens["access_token"], date_type=7)) == 0
    assert code_of(platform.get("fans_source", 0, token=tokens["access_token"])) == 28001012


def test_capability_that_the_app_lacks(make_platform):
    platform = make_platform(lacking=("hotsearch",))
    assert code_of(platform.get("hotsearch_sentences")) == 28001018
    assert code_of(platform.get("billboard_live")) == 0


def test_video_of_nobody_of_another_account_and_too_old(platform):
    mine, other = platform.videos(0), platform.videos(1)
    dated = [v for v in mine if int(v["create_time"])]
    for item_id, code in (
        (dated[-1]["item_id"], 2100006),
        ("@nonsense", 2100006),
        (other[0]["item_id"], 2100007),
        (dated[0]["item_id"], 0),
    ):
        body = platform.get("item_play", 0, item_id=item_id, date_type=7)
        assert code_of(body) == code
        assert problems("item_play", body, success=False) == []


def test_plus_sign_that_was_not_encoded_is_another_id(platform):
    """``+`` in a query means a space: ids must be percent-encoded."""
    tokens, item_id = platform.tokens(0), platform.videos(0)[0]["item_id"]
    url = f"/data/external/item/base/?open_id={tokens['open_id']}&item_id={item_id}"
    body = platform.http.get(url, headers={"access-token": tokens["access_token"]}).json()
    assert "+" in item_id
    assert code_of(body) == 2100006


def test_private_video(platform):
    for account in range(5):
        for video in platform.videos(account):
            if int(video["create_time"]) == 0:
                assert int(video["statistics"]["play_count"]) == 0
                body = platform.get("item_play", account, item_id=video["item_id"], date_type=7)
                assert code_of(body) == 28001047
                return
    pytest.fail("no account has a private video")


def test_authorization_page_sends_back_code_and_state(platform):
    account = platform.accounts()[2]
    query = {
        "client_key": "sandbox-key", "response_type": "code", "scope": "user_info,data.external.user",
        "redirect_uri": "https://etl.example.cn/callback", "state": "s 1", "open_id": account["open_id"],
    }  # fmt: skip
    reply = platform.http.get("/platform/oauth/connect/", params=query)
    assert reply.status_code == 302
    target = reply.next_request.url
    assert target.host == "etl.example.cn"
    assert target.params["state"] == "s 1"
    tokens = platform.redeem(target.params["code"])["data"]
    assert tokens["open_id"] == account["open_id"]
    for member, value, code in (
        ("client_key", "other", 10003),
        ("redirect_uri", "ftp://x", 10006),
        ("response_type", "token", 10002),
    ):
        body = platform.http.get("/platform/oauth/connect/", params={**query, member: value}).json()
        assert code_of(body) == code
