"""Requests for operations that need more than an account: people, given videos, places, weeks.

Their values come from the sandbox.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import catalog
from catalog.records import BEIJING, Endpoint

ENTERPRISE = (0, 1, 4)
"""Accounts of the default sandbox that are enterprise accounts 企业号."""
DAY_S = 86_400


def now(platform) -> int:
    return int(datetime.fromisoformat(platform.http.get("/_sandbox/clock").json()["now"]).timestamp())


def window(platform, days: float = 7, unit: int = 1) -> dict[str, int]:
    """start_time and end_time of the last ``days``, in seconds or (``unit`` 1000) in milliseconds."""
    end = now(platform)
    return {"start_time": int(end - days * DAY_S) * unit, "end_time": end * unit}


def shown(platform, account: int = 0) -> list[dict[str, Any]]:
    """The account's public videos, newest first."""
    return [v for v in platform.videos(account) if int(v["create_time"])]


def pages(platform, name: str, account: int = 0, **params: Any) -> list[dict[str, Any]]:
    """``data`` (mini-apps: the inner one) of all pages of a listing."""
    e, found = catalog.ENDPOINTS[name], []
    cursor_of, cursor = e.paging.cursor.split(".")[-1], e.paging.first
    param = next(p.name for p in e.params if p.fill == "cursor")
    while True:
        data = platform.data(name, account, **params, **{param: cursor})
        found.append(data)
        assert len(found) < 300
        if not data["has_more"]:
            return found
        cursor = data[cursor_of]


def comments(platform, account: int, item_id: str, sort_type: str | None = "time") -> list[dict[str, Any]]:
    """All comments on an own video."""
    found = pages(platform, "item_comment_list", account, item_id=item_id, count=50, sort_type=sort_type)
    return [c for page in found for c in page["list"] or ()]


def leads(platform, account: int = 0, days: float = 7, **params: Any) -> list[str]:
    """open_ids of the leads of the last ``days``, newest first."""
    requested = {"count": 50, "action_type": 0, **window(platform, days), **params}
    return [p for page in pages(platform, "leads_user_list", account, **requested) for p in page["list"] or ()]


def log(platform, account: int = 0, days: float = 3, **params: Any) -> list[dict[str, Any]]:
    """Return rows of the interaction log, oldest first.

    ``webhook`` is the decoded envelope and ``body`` its decoded content.
    """
    requested = {"count": 50, **window(platform, days), **params}
    rows = [
        r
        for page in pages(platform, "intention_log_list", account, **requested)
        for r in page["intention_log_infos"] or ()
    ]
    for row in rows:
        row["webhook"] = json.loads(row["content"])
        content = row["webhook"]["content"]
        row["body"] = json.loads(content) if isinstance(content, str) else content
    return rows


def requests(platform, endpoint: Endpoint) -> list[dict[str, Any]] | None:
    """Return requests that succeed; None for an operation of another kind."""
    make = _MAKERS.get((endpoint.twin_of or endpoint.name).removesuffix("_apps_v1"))
    return make(platform) if make else None


def _commented(platform, account: int) -> list[dict[str, Any]]:
    videos = shown(platform, account)
    return [{"account": account, "item_id": videos[i]["item_id"]} for i in (0, 3)]


def _comment_lists(accounts: tuple[int, ...], sorts: tuple[str | None, ...]):
    def make(platform):
        found = [r for account in accounts for r in _commented(platform, account)]
        return [{**r, "count": n, "sort_type": s} for r in found for n, s in zip((10, 50, 7), sorts, strict=False)]

    return make


def _reply_lists(platform):
    found = []
    for account in ENTERPRISE:
        for r in _commented(platform, account):
            talk = next((c for c in comments(platform, account, r["item_id"]) if c["reply_comment_total"]), None)
            found += [{**r, "comment_id": talk["comment_id"], "count": 20}] if talk else []
    assert found
    return found


def _found(platform) -> list[dict[str, Any]]:
    return platform.data("video_search", 0, keyword="露营", count=20)["list"]


def _searched_replies(platform):
    for v in _found(platform):
        rows = platform.data("video_search_comment_list", 0, sec_item_id=v["sec_item_id"], count=50)["list"] or ()
        if talk := next((c for c in rows if c["reply_comment_total"]), None):
            return [{"sec_item_id": v["sec_item_id"], "comment_id": talk["comment_id"], "count": n} for n in (1, 50)]
    raise AssertionError("no found video has replies")


def _batches(platform):
    found = []
    for account in range(5):
        videos = platform.videos(account)
        found.append({"account": account, "item_ids": [v["item_id"] for v in videos[-20:]]})
        found.append({"account": account, "item_ids": ["@9nonsense"]})
    return found


def _user_lists(platform):
    windows = [{**window(platform, days), "count": n} for days, n in ((1, 50), (30, 10), (0, 5))]
    return [{"account": a, "action_type": t, **w} for a in ENTERPRISE for t, w in zip((0, 1, 3), windows, strict=True)]


def _of_leads(platform):
    return [{"account": a, "user_id": person} for a in ENTERPRISE for person in leads(platform, a)[:4]]


def _logs(platform):
    return [{"account": a, "count": 50, **window(platform, 3, unit)} for a in range(5) for unit in (1, 1_000)]


def _consents(platform):
    return [
        {"account": a, **mode}
        for a in range(5)
        for mode in ({"cursor": "0", "limit": 100}, {"page_num": 1, "page_size": 50})
    ]


def _statuses(platform):
    people = [
        r["target_open_id"] for r in platform.data("im_authorize_user_list", 0, cursor="0", limit=5)["auth_user_list"]
    ]
    return [{"account": 0, "c_open_id": p} for p in (*people, *leads(platform, 0)[:5])]


def media(platform, account: int = 0) -> list[dict[str, Any]]:
    """Ids of messages with a picture or video that people sent."""
    return [
        {
            "account": account,
            "conversation_id": r["body"]["conversation_short_id"],
            "message_id": r["body"]["server_message_id"],
        }
        for r in log(platform, account, days=20, event="im_receive_msg")
        if r["body"]["message_type"] in ("user_local_image", "user_local_video")
    ]


def place_ids(platform) -> list[str]:
    """Places that accounts claim, and the first and last of the heat lists."""
    claimed = [
        p["poi_id"]
        for account in range(5)
        for page in pages(platform, "poi_claim_list", account, **claims_of(platform, account))
        for p in page["list"] or ()
    ]
    return [*claimed, *(platform.data("poi_query", amap_id=f"B0SANDBOX{n:04d}")["poi_id"] for n in (1, 700, 1590))]


def claims_of(platform, account: int, count: int = 20) -> dict[str, Any]:
    return {"open_id": platform.tokens(account)["open_id"], "count": count}


def last_days(platform, days: int = 30, form: str = "%Y-%m-%d") -> tuple[str, str]:
    """The first and the last of the days before today in Beijing."""
    today = (datetime.fromtimestamp(now(platform), BEIJING)).date()
    return (today - timedelta(days=days)).strftime(form), (today - timedelta(days=1)).strftime(form)


def _periods(platform):
    spans = [dict(zip(("begin_date", "end_date"), last_days(platform, days), strict=True)) for days in (1, 7, 30)]
    return [{"poi_id": p, **span} for p, span in zip(place_ids(platform), spans * 6, strict=False)]


def _audiences(platform):
    return [{"poi_id": p, "date_type": days} for p, days in zip(place_ids(platform), (7, 15, 30) * 6, strict=False)]


def versions(platform, kind: int) -> list[dict[str, Any]]:
    """Published weeks of a list, newest first."""
    return [v for page in pages(platform, "ent_rank_version", type=kind, count=50) for v in page["list"] or ()]


def _weeks(platform):
    found = [{"type": kind} for kind in (1, 2, 3)]
    for kind in (1, 2, 3):
        weeks = versions(platform, kind)
        found += [{"type": kind, "version": weeks[i]["version"]} for i in (0, 9, -1)]
    return found


def _monitored(platform):
    span = dict(zip(("begin_time", "end_time"), last_days(platform, 3, "%Y%m%d"), strict=True))
    return [
        {"time_type": "day", **span},
        {"time_type": "day", **span, "scope_list": ["hotsearch"]},
        {"time_type": "day", **span, "interface_list": ["/nowhere/"]},
    ]


_MAKERS = {
    "poi_base": _periods,
    "poi_service_base": lambda p: [*_periods(p), *({**r, "service_type": 40} for r in _periods(p))],
    "poi_user": _audiences,
    "poi_service_user": lambda p: [*_audiences(p), *({**r, "service_type": 40} for r in _audiences(p))],
    "poi_billboard": lambda p: [{"billboard_type": t} for t in (10, 20, 30)],
    "poi_claim_list": lambda p: [claims_of(p, account, n) for account in (0, 1, 2, 3, 4) for n in (1, 20)],
    "poi_search_keyword": lambda p: (
        [{"keyword": k, "count": n} for k, n in (("咖啡", 10), ("民宿", 100), ("没有这个词", 5))]
        + [{"keyword": "古镇", "city": "大理", "count": 5}]
    ),
    "poi_query": lambda p: [{"amap_id": f"B0SANDBOX{n:04d}"} for n in (1, 2, 1590)],
    "poi_base_query_amap": lambda p: [{"amap_id": f"B0SANDBOX{n:04d}"} for n in (1, 700)],
    "ent_rank_version": lambda p: [
        {"type": t, "count": n, "cursor": c} for t in (1, 2, 3) for n, c in ((10, 0), (50, 0), (50, 50), (5, 300))
    ],
    "ent_rank_item": _weeks,
    "devtool_monitor_call": _monitored,
    "item_comment_list": _comment_lists((0, 1, 2, 3, 4), (None, "time", "time_asc")),
    "item_comment_reply_list": _reply_lists,
    "video_comment_list": _comment_lists(ENTERPRISE, (None,)),
    "video_comment_reply_list": _reply_lists,
    "video_search_comment_list": lambda p: [{"sec_item_id": v["sec_item_id"], "count": 50} for v in _found(p)[:6]],
    "video_search_comment_reply_list": _searched_replies,
    "video_data": _batches,
    "video_query": _batches,
    "video_basic_info": _batches,
    "video_search": lambda p: [
        {"keyword": k, "count": n} for k, n in (("露营", 10), ("美食", 50), ("没有人这样说", 1))
    ],
    "leads_user_list": _user_lists,
    "leads_user_detail": _of_leads,
    "leads_user_action_list": lambda p: [{**r, "count": n} for r in _of_leads(p) for n in (1, 20)],
    "leads_tag_list": lambda p: [{"account": a, "count": n} for a in ENTERPRISE for n in (5, 100)],
    "leads_tag_user_list": lambda p: [{"account": a, "tag_id": t, "count": 20} for a in ENTERPRISE for t in (101, 104)],
    "intention_log_list": _logs,
    "im_authorize_user_list": _consents,
    "im_authorize_status": _statuses,
    "im_message_resources": media,
}
OPERATIONS = tuple(n for n, e in catalog.ENDPOINTS.items() if (e.twin_of or n).removesuffix("_apps_v1") in _MAKERS)


def requests_of(platform, endpoint: Endpoint) -> list[dict]:
    """Requests that cover accounts, windows, pages and videos of an endpoint."""
    if (found := requests(platform, endpoint)) is not None:
        return found
    names = {p.name for p in endpoint.params}
    if "open_id" not in names:
        if "hot_sentence" in names:
            words = platform.data("hotsearch_sentences")["list"]
            return [{"hot_sentence": s} for s in (words[0]["sentence"], words[-1]["sentence"], "没有这个词")]
        return [{"cursor": c, "count": n} for c, n in ((0, 20), (40, 50), (100, 10))] if "cursor" in names else [{}]
    requested = []
    for account in range(5):
        if "item_id" in names:
            videos = [v for v in platform.videos(account) if int(v["create_time"])]
            requested += [{"account": account, "item_id": videos[i]["item_id"]} for i in (0, 3)]
        else:
            requested.append({"account": account})
    if "date_type" in names:
        windows = (*endpoint.windows, *endpoint.windows[:2]) * 4
        requested = [{**r, "date_type": window} for r, window in zip(requested, windows, strict=False)]
    if "count" in names:
        requested = [{**r, "count": n} for r in requested for n in (10, 100)]
    return requested
