"""Explain why a section is empty or incomplete: no table, no day, or outcomes of the collection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from catalog import TABLES
from resources.state.load_status import Outcome
from resources.warehouse.mart_files import DATASET
from services.reporting.questions import ReportData

Both = tuple[str, str]
"""A text in Chinese and English."""

_SERIES = ("user_item", "user_fans", "user_like", "user_comment", "user_share", "user_profile")


@dataclass(frozen=True)
class Section:
    """The source of a section: its question, its mart, and the core tables of the mart."""

    question: str
    mart: str
    tables: tuple[str, ...]


SECTIONS = {
    "figures": Section("figures", "account_daily", _SERIES),
    "words": Section("words", "hot_words_now", ("hot_words", "hot_words_rising")),
    "topics": Section("topics", "topic_opportunity", ("hot_words", "videos", "comments")),
    "boards": Section(
        "boards",
        "billboard_moves",
        (
            "billboard_creators",
            "billboard_videos",
            "billboard_stars",
            "billboard_live",
            "billboard_topics",
            "billboard_props",
            "billboard_music",
        ),
    ),
    "accounts": Section("accounts", "account_daily", _SERIES),
    "videos": Section("videos", "video_performance", ("videos", "video_totals", "item_play")),
    "rhythm": Section("rhythm", "publishing_rhythm", ("videos",)),
    "portrait": Section("portrait", "fan_portrait", ("fans_distributions",)),
    "needs": Section("needs", "comment_labels", ("comments", "comment_replies")),
    "keywords": Section("keywords", "comment_keywords", ("comments",)),
    "leads": Section("leads", "lead_funnel", ("leads", "lead_actions")),
    "places": Section("places", "poi_daily", ("poi_views", "poi_services")),
    "health": Section("areas", "data_health", ()),
    "tokens": Section("tokens", "", ()),
}

OUTCOMES: dict[Outcome, Both] = {
    Outcome.EMPTY: ("平台没有数据", "the platform has nothing"),
    Outcome.BELOW_THRESHOLD: ("账号未达平台门槛", "the account is too small for this"),
    Outcome.SKIPPED: ("对象不适用（如非企业号）", "not for this kind of account"),
    Outcome.NOT_ASKED: ("无需采集", "nothing to ask"),
    Outcome.NOT_READY: ("平台尚未产出", "not produced yet"),
    Outcome.PARTIAL: ("部分对象失败", "some objects failed"),
    Outcome.GONE: ("平台已不再提供", "the platform no longer shows it"),
    Outcome.UNAVAILABLE: ("应用没有该能力，或能力已下线", "the app lacks the capability, or it was withdrawn"),
    Outcome.QUOTA: ("当日配额用尽", "the day's quota was used up"),
    Outcome.NEEDS_CONSENT: ("需账号重新授权", "the account's consent is needed again"),
    Outcome.STOPPED: ("账号已注销或封禁", "the account was deregistered or banned"),
    Outcome.FAILED: ("采集失败", "the collection failed"),
}


def why_empty(answers: ReportData, section: str) -> list[Both]:
    """Explain why a section is empty; no sentence if data exists and only the section's subject is absent."""
    about = SECTIONS[section]
    days = {row["name"]: row for row in answers.many("partitions")}
    # A mart without days has no table yet.
    has_no_day = (
        about.mart in {row["name"] for row in answers.many("known_marts")} and f"{DATASET}/{about.mart}" not in days
    )
    if about.question in answers.missing and not has_no_day:
        return [
            (
                "仓库中还没有这张表，或版本较旧：请运行 douyin publish。",
                "The warehouse lacks this table, or is of an earlier version: run douyin publish.",
            )
        ]
    reasons = []
    behind = [days[table] for table in about.tables if table in days]
    # Marts have days without rows; the days of their core tables show whether data was collected.
    if behind and not any(table["has_day"] for table in behind):
        first, last = min(table["first_day"] for table in behind), max(table["last_day"] for table in behind)
        reasons.append(
            (
                f"没有 {answers.day} 的采集数据；仓库中已有 {first} 至 {last}。",
                f"Nothing was seen on {answers.day}; the warehouse has {first} to {last}.",
            )
        )
    loads = _loads(answers, about.tables)
    if about.tables and not loads and not reasons and "loads" not in answers.missing:
        since = answers.day - timedelta(days=6)
        reasons.append(
            (f"{since} 至 {answers.day} 没有采集记录。", f"Nothing was collected from {since} to {answers.day}.")
        )
    return reasons + [_said(*load) for load in loads if load[1] is not Outcome.LOADED]


def what_lacks(answers: ReportData, section: str) -> list[Both]:
    """Say what was not loaded in the last seven days for a section that is not empty, but may be incomplete."""
    return [_said(*load) for load in _loads(answers, SECTIONS[section].tables) if load[1].is_missing]


def _loads(answers: ReportData, tables: tuple[str, ...]) -> list[tuple[str, Outcome, int]]:
    found = [
        (row["table_name"], Outcome(row["status"]), row["accounts"])
        for row in answers.many("loads")
        if row["table_name"] in tables
    ]
    return sorted(found, key=lambda load: (list(Outcome).index(load[1]), tables.index(load[0])), reverse=True)


def _said(table: str, outcome: Outcome, accounts: int) -> Both:
    names, said = TABLES[table], OUTCOMES[outcome]
    return (
        f"{names.zh}：{said[0]}（{accounts} 个账号）。",
        f"{names.en}: {said[1]} ({accounts} account{'s' if accounts != 1 else ''}).",
    )
