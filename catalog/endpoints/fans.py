"""Describe the endpoints of the fan portrait (粉丝画像): per account, daily, without a date parameter."""

from __future__ import annotations

from catalog.cadences import DAILY_SNAPSHOT
from catalog.endpoints._columns import ACCOUNT, OPEN_ID, PERCENT, RANK, RANK_BY_ORDER, const, count, index, member
from catalog.iterations import IterateBy
from catalog.records import EmptyMeaning, Endpoint, Output, Parse, Status, Token

_DIMENSIONS = {
    "gender": "gender_distributions",
    "age": "age_distributions",
    "province": "geographical_distributions",
    "active_days": "active_days_distributions",
    "device": "device_distributions",
    "interest": "interest_distributions",
}


def _fans(
    name: str, path: str, scope: str, empty: EmptyMeaning, en: str, zh: str, doc_en: str, doc_zh: str, *outputs: Output
) -> Endpoint:
    return Endpoint(
        name=f"fans_{name}", domain="fans", method="GET", path=path, scope=scope, token=Token.USER, status=Status.ACTIVE,
        en=en, zh=zh, doc_en=doc_en, doc_zh=doc_zh, cadence=DAILY_SNAPSHOT, over=IterateBy.ACCOUNTS, params=(OPEN_ID,),
        empty=empty, outputs=outputs,
    )  # fmt: skip


ENDPOINTS = (
    _fans(
        "data", "/api/douyin/v1/user/fans_data/", "fans.data.bind", EmptyMeaning.BELOW_THRESHOLD,
        "Fan portrait", "获取用户粉丝数据",
        "Fan total, distributions and traffic. Accounts above 100 fans; first data two days after consent. Includes Douyin Lite and Huoshan.",
        "粉丝总数、分布与流量贡献。账号需超过 100 粉丝，授权两天后开始产出；含极速版与火山版。",
        Output("fans_profile", "data.fans_data", (ACCOUNT, count("all_fans_num")), single=True),
        *(
            Output(
                "fans_distributions", f"data.fans_data.{path}",
                (ACCOUNT, const("dimension", dimension), member("bucket_raw", "item"), member("bucket", "item", Parse.BUCKET), count("fans", "value")),
            )
            for dimension, path in _DIMENSIONS.items()
        ),
        Output(
            "fans_flow", "data.fans_data.flow_contributions",
            (ACCOUNT, member("flow"), count("fans_sum"), count("all_sum")),
        ),
    ),
    _fans(
        "source", "/data/extern/fans/source/", "data.external.fans_source", EmptyMeaning.LEGAL,
        "Fan sources", "获取用户粉丝来源分布",
        "Where the fans of the last 30 days came from, as percent text.", "近 30 天粉丝来源分布，百分比文本。",
        Output("fans_sources", "data.list", (ACCOUNT, member("fan_source", "source"), member("share_ratio", "percent", PERCENT))),
    ),
    _fans(
        "favourite", "/data/extern/fans/favourite/", "data.external.fans_favourite", EmptyMeaning.BELOW_THRESHOLD,
        "Fan interests", "获取用户粉丝喜好",
        "Interests of fans; null below the platform's threshold (3,000 or 10,000 fans: its pages disagree).",
        "粉丝喜好；低于门槛（文档分别写 3,000 与 10,000 粉丝）时返回 null。",
        Output("fans_interests", "data.list", (ACCOUNT, RANK, member("keyword"), index("hot_value"))),
    ),
    _fans(
        "comment", "/data/extern/fans/comment/", "data.external.fans_favourite", EmptyMeaning.BELOW_THRESHOLD,
        "Hot words in fan comments", "获取用户粉丝热评",
        "Hot keywords in the comments of fans, not comment texts; null below 3,000 fans.",
        "粉丝评论热词（不是评论原文）；不足 3,000 粉丝返回 null。",
        Output("fans_comment_words", "data.list", (ACCOUNT, RANK_BY_ORDER, member("keyword"), index("hot_value"))),
    ),
)  # fmt: skip
