"""Provide the texts of the page in both languages: Chinese first, English at a switch.

Names of columns come from the published dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import pyarrow as pa

Language = Literal["zh", "en"]
Say = Callable[[str, str], str]
"""(Chinese, English) -> the one that is shown."""

MOVES = {
    "first": ("首次", "first"),
    "enter": ("进榜", "entered"),
    "unknown": ("无法辨认", "unknown"),
    "leave": ("掉榜", "left"),
    "up": ("上升", "up"),
    "down": ("下降", "down"),
    "stay": ("持平", "same"),
}
LEVELS = {"ok": ("正常", "ok"), "warn": ("注意", "warn"), "bad": ("异常", "bad")}
KINDS = {"usual": ("一般", "usual"), "hit": ("爆款", "outstanding"), "low": ("疑似限流", "abnormally low")}

_OWN = {
    "nickname": ("账号", "Account"),
    "title": ("标题", "Title"),
    "published_date": ("发布日期", "Published"),
    "counted_age_days": ("发布天数", "Age in days"),
    "median_play_count": ("同期中位数", "Median at that age"),
    "ratio_to_median": ("相对中位数", "Against median"),
    "peak_plays": ("单日最高播放", "Best day"),
    "gap_days": ("缺失天数", "Days with gaps"),
    "rank_change": ("名次变化", "Ranks gained"),
    "rank_before": ("上期名次", "Rank before"),
    "days_on_board": ("在榜天数", "Days on board"),
    "best_rank": ("最高名次", "Best rank"),
    "hours_on_board": ("在榜小时", "Hours on list"),
    "re_entries": ("重新上榜", "Re-entries"),
    "first_seen_at": ("首次上榜", "First seen"),
    "last_seen_at": ("最近在榜", "Last seen"),
    "share_change": ("占比周变化", "Change in a week"),
    "person_days": ("互动人次", "Person-days"),
    "lead_days": ("意向人次", "Lead-days"),
    "contact_days": ("留资人次", "Contact-days"),
    "dimension": ("维度", "Dimension"),
    "level": ("等级", "Level"),
    "area": ("类别", "Area"),
    "says": ("说明", "What it says"),
    "subject_name": ("对象", "Subject"),
    "accounts": ("账号数", "Accounts"),
    "account_name": ("账号", "Account"),
    "rank": ("名次", "Rank"),
    "entry": ("上榜者", "Entry"),
    "move": ("变动", "Move"),
    "value": ("指数", "Index"),
    "new_issue": ("发布数", "Published"),
    "is_new": ("新上榜", "New"),
    "is_rising": ("上升", "Rising"),
    "half_life_days": ("半衰期（天）", "Half-life in days"),
    "play_count": ("至今播放", "Plays so far"),
    "contact_ratio": ("留资率", "Contact rate"),
    "peak_hot_level": ("热度峰值", "Highest heat"),
    "bucket": ("区间", "Bucket"),
    "share_ratio": ("占比", "Share"),
    "need": ("需求", "Need"),
    "comments": ("评论", "Comments"),
    "questions": ("提问", "Ask"),
    "likes_of_comments": ("获赞", "Likes"),
    "sentiment_mean": ("情感", "Mood"),
    "examples": ("示例", "Examples"),
    "is_low_play": ("疑似限流", "Abnormally low"),
    "fans": ("粉丝", "Fans"),
    "action_source": ("来源", "Source"),
    "action_type": ("动作", "Action"),
    "action_flag": ("动作子类", "Sub-kind"),
    "actions": ("互动", "Actions"),
}
"""Names of columns that the page computes, and of those whose dictionary name is too long for a table's head."""


def speak(language: Language) -> Say:
    """Return the function that selects the text of a language."""
    return (lambda zh, en: zh) if language == "zh" else (lambda zh, en: en)


class Names:
    """Names of the columns of a mart. ``dictionary``: rows of ``meta.dictionary``."""

    def __init__(self, dictionary: pa.Table, say: Say) -> None:
        self._said: Mapping[tuple[str, str], tuple[str, str]] = {
            (row["table_name"], row["column_name"]): (
                say(row["name_zh"], row["name_en"]),
                say(row["meaning_zh"], row["meaning_en"]),
            )
            for row in dictionary.to_pylist()
        }
        self._say = say

    def column(self, mart: str, column: str) -> str:
        """Return the name of a column, or the column itself where the dictionary has none."""
        if own := _OWN.get(column):
            return self._say(*own)
        return self._said.get((mart, column), (column, ""))[0] or column

    def meaning(self, mart: str, column: str) -> str:
        """Return the dictionary's sentence about a column, empty where it has none."""
        return self._said.get((mart, column), ("", ""))[1] or ""


def account_names(accounts: pa.Table) -> dict[tuple[str, str], str]:
    """Return (client_key, open_id) -> a name that no other account on the page has, in the order given."""
    rows = accounts.to_pylist()
    names = [row["name"] or "" for row in rows]
    return {
        (row["client_key"], row["open_id"]): name
        if name and names.count(name) == 1
        else f"{name or '–'} · {row['open_id'][:8]}"
        for row, name in zip(rows, names, strict=True)
    }
