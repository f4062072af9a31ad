"""Serve the public profile (账号) of the account whose token is in the body."""

from __future__ import annotations

from typing import Any

from sandbox.answers.call import Call


def userinfo(call: Call) -> dict[str, Any]:
    """Return the profile.

    Older members are present in every other response, union_id in most; persons have an empty role.
    """
    account, form = call.account, call.form
    profile: dict[str, Any] = {
        "open_id": account.open_id,
        "nickname": account.nickname,
        "avatar": account.avatar,
        "e_account_role": "EAccountS" if account.enterprise else "",
    }
    if not form.rare(24, 3):
        profile["union_id"] = account.union_id
    if form.flag(26):
        profile |= {"gender": 0, "city": "", "province": "", "country": ""}
    return profile


ANSWERS = {"oauth_userinfo": userinfo}
