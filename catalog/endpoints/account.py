"""Describe the endpoint of each account's public profile (账号)."""

from __future__ import annotations

from dataclasses import replace

from catalog.cadences import DAILY_SNAPSHOT
from catalog.endpoints._columns import OPEN_ID, count, member
from catalog.iterations import IterateBy
from catalog.records import Endpoint, Envelope, Output, Status, Token
from catalog.requests import Param, ParamLocation, ParamSource

ENDPOINTS = (
    Endpoint(
        name="oauth_userinfo", domain="account", method="POST", path="/oauth/userinfo/",
        scope="user_info", token=Token.USER, status=Status.ACTIVE,
        en="Public profile of the account", zh="获取用户公开信息",
        doc_en="Nickname, avatar and role of the account; people may show a substitute identity. The one operation whose token travels in the body.",
        doc_zh="账号的昵称、头像与企业号类型，可能为虚拟身份；唯一在请求体中携带 access_token 的接口。",
        cadence=DAILY_SNAPSHOT, over=IterateBy.ACCOUNTS, envelope=Envelope.OAUTH, form=True,
        params=(Param("access_token", ParamSource.TOKEN, place=ParamLocation.BODY), replace(OPEN_ID, place=ParamLocation.BODY)),
        outputs=(
            Output(
                "account_profiles", "data",
                (
                    member("open_id"), member("union_id"), member("nickname"), member("avatar_url", "avatar"), count("gender"),
                    member("city"), member("province"), member("country"), member("account_role", "e_account_role"),
                    member("encrypted_mobile", "encrypt_mobile"),
                ),
                single=True,
            ),
        ),
    ),
)  # fmt: skip
