"""Paths, parameters, tokens and grants at the gateway."""

from __future__ import annotations

import pytest
from sandbox_platform import code_of, problems

from catalog import ENDPOINTS

SERIES = [n for n, e in ENDPOINTS.items() if any(p.fill == "window" for p in e.params)]


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
    good = {"open_id": platform.tokens(0)["open_id"], "date_type": 7}
    values = {p.name: good.get(p.name, "x" if p.fill == "subject" else 10) for p in endpoint.params if p.required}
    for missing in values:
        body = platform.get(name, 0, **(values | {missing: ""}))
        assert code_of(body) == (10002 if endpoint.envelope == "D" else 28001007)
        assert problems(endpoint.twin_of or name, body, success=False) == []


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("window", ["8", "0", "seven", "-7"])
def test_window_must_be_one_that_is_offered(platform, name, window):
    body = platform.get(name, 0, date_type=window, item_id="@x" if name.startswith("item") else None)
    assert code_of(body) == 2100005
    assert problems(ENDPOINTS[name].twin_of or name, body, success=False) == []


def test_item_series_of_mini_apps_go_back_fifteen_days(platform):
    item_id = platform.videos(0)[0]["item_id"]
    codes = [code_of(platform.get("item_play_apps_v1", 0, item_id=item_id, date_type=w)) for w in (7, 15, 30)]
    assert codes == [0, 0, 2100005]


@pytest.mark.parametrize(
    "body",
    [
        b"[",
        b"[]",
        b"7",
        b'"text"',
        b"null",
        b"\xff",
        b"{",
        b'{"item_ids": "@x"}',
        b'{"item_ids": [7]}',
        b'{"item_ids": {}}',
    ],
)
def test_bodies_that_cannot_be_read_are_refused(platform, body):
    tokens = platform.tokens(0)
    for name in ("video_data", "video_query_apps_v1"):
        e = ENDPOINTS[name]
        answer = platform.http.post(
            e.path,
            params={"open_id": tokens["open_id"]},
            content=body,
            headers={"access-token": tokens["access_token"]},
        )
        assert answer.status_code == 200
        assert code_of(answer.json()) == 2100005
        assert problems(name, answer.json(), success=False) == []


@pytest.mark.parametrize("value", [7, ["x"], {}, True])
def test_a_person_in_a_body_is_a_text(platform, value):
    assert code_of(platform.get("im_authorize_status", 0, c_open_id=value)) == 2100005


@pytest.mark.parametrize(
    ("begin", "end", "code"),
    [
        ("2026-10-17", "2026-11-15", 0),
        ("2026-11-16", "2026-11-16", 0),
        ("2026-10-16", "2026-11-15", 2100005),
        ("2026-11-01", "2026-11-17", 2100005),
        ("2026-11-10", "2026-11-09", 2100005),
        ("2026-11-31", "2026-12-01", 2100005),
        ("20261110", "20261111", 2100005),
        ("yesterday", "today", 2100005),
        ("2026-11-10", "", 28001007),
    ],
)
def test_days_are_real_and_within_thirty(platform, begin, end, code):
    poi_id = platform.data("poi_query", amap_id="B0SANDBOX0001")["poi_id"]
    for name in ("poi_base", "poi_service_base"):
        body = platform.get(name, poi_id=poi_id, begin_date=begin, end_date=end)
        assert code_of(body) == code
        assert problems(name, body, success=False) == []


def test_mini_apps_say_no_in_either_place(platform):
    """Over some instants: err_no, and now and then the inner code beside err_no 0."""
    seen = set()
    for second in range(40):
        platform.reset(f"2026-11-16T11:00:{second:02d}+08:00")
        for name, params in (
            ("user_fans_apps_v1", {"date_type": 8}),
            ("item_base_apps_v1", {"item_id": "@x"}),
            ("item_comment_list_apps_v1", {"item_id": "@x", "count": 1}),
        ):
            body = platform.get(name, 0, **params)
            assert code_of(body) in (2100005, 2100006)
            assert problems(name, body, success=False) == []
            seen.add(body["err_no"] == 0)
    assert seen == {True, False}


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


def test_video_of_an_unknown_or_another_account_and_too_old(platform):
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
        "client_key": "sandbox-key",
        "response_type": "code",
        "scope": "user_info,data.external.user",
        "redirect_uri": "https://etl.example.cn/callback",
        "state": "s 1",
        "open_id": account["open_id"],
    }
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
