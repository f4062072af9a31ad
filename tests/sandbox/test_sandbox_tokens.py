"""The life of tokens: client tokens, user tokens, refresh, renewal, expiry, restart."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sandbox_platform import APP, NOW, code_of

START = datetime.fromisoformat(NOW)
INVALID, EXPIRED = {28001003, 2190002}, {28001008, 2190008}


def later(platform, **delta) -> None:
    platform.at(START + timedelta(**delta))


def refresh(platform, token: str) -> dict:
    return platform.oauth("oauth_refresh_token", **APP, grant_type="refresh_token", refresh_token=token)


def renew(platform, token: str) -> dict:
    return platform.oauth("oauth_renew_refresh_token", **APP, refresh_token=token)


def client(platform) -> dict:
    return platform.oauth("oauth_client_token", **APP, grant_type="client_credential")["data"]


def user_code(platform, token: str) -> int:
    return code_of(platform.get("user_fans", 0, token=token, date_type=7))


def app_code(platform, token: str) -> int:
    return code_of(platform.get("hotsearch_sentences", token=token))


def test_prefixes_and_lifetimes(platform):
    data = platform.redeem(platform.accounts()[0]["code"])["data"]
    assert data["access_token"].startswith("act.")
    assert data["refresh_token"].startswith("rft.")
    assert (int(data["expires_in"]), int(data["refresh_expires_in"])) == (1_296_000, 2_592_000)
    assert "data.external.item" in data["scope"].split(",")


def test_code_works_once(platform):
    code = platform.accounts()[0]["code"]
    assert code_of(platform.redeem(code)) == 0
    assert code_of(platform.redeem(code)) == 10007


def test_code_expires_after_ten_minutes(platform):
    code = platform.accounts()[0]["code"]
    later(platform, minutes=10)
    assert code_of(platform.redeem(code)) == 10007


def test_new_authorization_voids_the_earlier_code(platform):
    first = platform.accounts()[0]["code"]
    second = platform.accounts()[0]["code"]
    assert code_of(platform.redeem(first)) == 10007
    assert code_of(platform.redeem(second)) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_key": "x"}, 10003),
        ({"client_secret": "x"}, 10013),
        ({"grant_type": "x"}, 10011),
        ({"code": "x"}, 10007),
    ],
)
def test_wrong_app_or_code(platform, change, code):
    params = {**APP, "grant_type": "authorization_code", "code": platform.accounts()[0]["code"]} | change
    assert code_of(platform.oauth("oauth_access_token", **params)) == code


def test_refresh_before_expiry_keeps_the_token_and_the_refresh_token(platform):
    data = platform.redeem(platform.accounts()[0]["code"])["data"]
    later(platform, days=13)
    again = refresh(platform, data["refresh_token"])["data"]
    assert again["access_token"] == data["access_token"]
    assert again["refresh_token"] == data["refresh_token"]
    assert int(again["refresh_expires_in"]) == 17 * 86_400
    later(platform, days=27)
    assert user_code(platform, data["access_token"]) == 0
    later(platform, days=28)
    assert user_code(platform, data["access_token"]) in EXPIRED


def test_refresh_after_expiry_gives_a_new_token(platform):
    data = platform.redeem(platform.accounts()[0]["code"])["data"]
    later(platform, days=15)
    assert user_code(platform, data["access_token"]) in EXPIRED
    again = refresh(platform, data["refresh_token"])["data"]
    assert again["access_token"] != data["access_token"]
    assert user_code(platform, again["access_token"]) == 0


def test_refresh_token_dies_after_thirty_days(platform):
    data = platform.redeem(platform.accounts()[0]["code"])["data"]
    later(platform, days=30)
    assert code_of(refresh(platform, data["refresh_token"])) == 10010
    assert code_of(renew(platform, data["refresh_token"])) == 10010


def test_five_renewals(platform):
    token = platform.redeem(platform.accounts()[0]["code"])["data"]["refresh_token"]
    for n in range(1, 6):
        later(platform, days=25 * n)
        renewed = renew(platform, token)["data"]
        assert int(renewed["expires_in"]) == 2_592_000
        assert code_of(refresh(platform, token)) == 10010
        token = renewed["refresh_token"]
        assert code_of(refresh(platform, token)) == 0
    assert code_of(renew(platform, token)) == 10020
    assert code_of(refresh(platform, token)) == 0


def test_only_the_two_newest_client_tokens_live(platform):
    first, second = client(platform)["access_token"], client(platform)["access_token"]
    assert app_code(platform, first) == app_code(platform, second) == 0
    third = client(platform)["access_token"]
    assert app_code(platform, first) in INVALID
    later(platform, seconds=299)
    assert app_code(platform, second) == 0
    later(platform, seconds=300)
    assert app_code(platform, second) in EXPIRED
    assert app_code(platform, third) == 0
    later(platform, seconds=7_200)
    assert app_code(platform, third) in EXPIRED


def test_stable_client_token_stays_the_same_for_two_hours(make_platform):
    platform = make_platform()
    first = platform.client_token()
    later(platform, seconds=7_199)
    assert platform.client_token() == first
    assert app_code(platform, first) == 0
    later(platform, seconds=7_200)
    assert app_code(platform, first) in EXPIRED
    assert platform.client_token() != first


def test_asking_for_client_tokens_too_often(make_platform):
    platform = make_platform()
    assert {
        code_of(platform.oauth("oauth_client_token", **APP, grant_type="client_credential")) for _ in range(500)
    } == {0}
    assert code_of(platform.oauth("oauth_client_token", **APP, grant_type="client_credential")) == 10020


def test_tokens_survive_a_restart_with_the_same_seed(make_platform):
    tokens = make_platform().redeem(make_platform().accounts()[0]["code"])["data"]
    restarted, foreign = make_platform(), make_platform(seed=2)
    assert user_code(restarted, tokens["access_token"]) == 0
    assert code_of(refresh(restarted, tokens["refresh_token"])) == 0
    assert user_code(foreign, tokens["access_token"]) in INVALID
    assert code_of(refresh(foreign, tokens["refresh_token"])) == 10010


def test_altered_token_is_refused(platform):
    token = platform.tokens(0)["access_token"]
    for wrong in (
        token[:-2],
        token + "A",
        "rft." + token[4:],
        token[:10] + ("A" if token[10] != "A" else "B") + token[11:],
    ):
        assert user_code(platform, wrong) in INVALID


def test_userinfo(platform):
    data = platform.tokens(0)
    body = platform.oauth("oauth_userinfo", access_token=data["access_token"], open_id=data["open_id"])
    assert body["data"]["nickname"] == platform.accounts()[0]["name"]
    assert code_of(platform.oauth("oauth_userinfo", access_token=data["access_token"], open_id="other")) == 28001015


# ---- business tokens


def business_code(platform, token: str) -> int:
    return code_of(platform.get("user_fans_bc", 0, token=token, date_type=7))


def refresh_business(platform, token: str, **change) -> dict:
    return platform.oauth("oauth_refresh_biz_token", **(APP | {"refresh_token": token} | change))


def test_business_tokens_live_thirty_days_and_are_refreshed(platform):
    data = platform.business_token(0)
    assert data["biz_token"].startswith("bus_act.")
    assert data["biz_refresh_token"].startswith("bus_rft.")
    assert int(data["biz_expires_in"]) == 2_592_000
    assert business_code(platform, data["biz_token"]) == 0
    later(platform, days=30)
    assert business_code(platform, data["biz_token"]) in EXPIRED
    again = refresh_business(platform, data["biz_refresh_token"])["data"]
    assert again["biz_refresh_token"] == data["biz_refresh_token"]
    assert business_code(platform, again["biz_token"]) == 0
    later(platform, days=365)
    assert code_of(refresh_business(platform, data["biz_refresh_token"])) == 10010


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_key": "x"}, 10003),
        ({"client_secret": "x"}, 10013),
        ({"refresh_token": "bus_rft.x"}, 10010),
        ({"refresh_token": ""}, 10002),
    ],
)
def test_wrong_business_refresh(platform, change, code):
    body = refresh_business(platform, platform.business_token(0)["biz_refresh_token"], **change)
    assert int(body["error_code"]) == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_key": "x"}, 10003),
        ({"client_secret": "x"}, 10013),
        ({"open_id": "x"}, 10002),
        ({"open_id": ""}, 10002),
    ],
)
def test_wrong_business_request(platform, change, code):
    body = platform.oauth("oauth_business_token", **(APP | {"open_id": platform.tokens(0)["open_id"]} | change))
    assert int(body["error_code"]) == code


def test_an_account_without_business_consent(make_platform):
    accounts = make_platform(accounts=16, videos=1)
    refused = [
        int(accounts.oauth("oauth_business_token", **APP, open_id=a["open_id"])["error_code"])
        for a in accounts.accounts()
    ]
    assert refused == [0] * 15 + [28001012]


def test_business_paths_take_business_tokens_only(platform):
    user, business = platform.tokens(0)["access_token"], platform.business_token(0)["biz_token"]
    assert business_code(platform, user) in INVALID
    assert user_code(platform, business) in INVALID
    assert business_code(platform, platform.business_token(0)["biz_refresh_token"]) in INVALID
    assert code_of(platform.get("user_fans_bc", 1, token=business, date_type=7)) == 28001015


def test_business_paths_answer_as_their_twins(platform):
    item_id = platform.videos(0)[0]["item_id"]
    twin, business = (platform.data(n, 0, item_id=item_id)["result"] for n in ("item_base_apps_v1", "item_base_bc"))
    assert {k: float(v) for k, v in twin.items()} == {k: float(v) for k, v in business.items()}


def test_a_business_token_of_some_scopes(platform):
    data = platform.oauth("oauth_business_token", **APP, open_id=platform.tokens(0)["open_id"], scope="ma.item.data")[
        "data"
    ]
    assert business_code(platform, data["biz_token"]) == 28001012
    platform.fault("item_base_bc", "token_dead")
    item_id = platform.videos(0)[0]["item_id"]
    assert code_of(platform.get("item_base_bc", 0, token=data["biz_token"], item_id=item_id)) == 28001003
    assert code_of(refresh_business(platform, data["biz_refresh_token"])) == 10010
