"""Show the sections about people: fans, needs in comments, leads."""

from __future__ import annotations

from typing import Any

import marimo as mo

from apps.dashboard import charts, questions
from apps.dashboard.page_context import PageContext
from apps.dashboard.pieces import block, card, cards, columns, downloads, heading, notice, table
from apps.dashboard.questions import Choice
from resources.config.settings import Settings
from services.comments.rules import BadNeeds, class_names, needs_dir
from services.reporting.page import BUCKETS, DIMENSIONS, figure, percent


def fans_section(here: PageContext, choice: Choice) -> Any:
    """Build the section of the fan portrait: one chart per dimension, and all buckets."""
    say = here.say
    rows = here.ask({"fans": questions.portrait(choice)})["fans"]
    if not rows.num_rows:
        return notice(
            say(
                "所选账号与日期没有粉丝画像（粉丝较少的账号平台不提供）。",
                "There is no portrait of these accounts on these days; the platform gives none of small accounts.",
            )
        )
    found = rows.to_pylist()
    pictures = []
    for dimension in sorted(
        {r["dimension"] for r in found}, key=lambda d: list(DIMENSIONS).index(d) if d in DIMENSIONS else len(DIMENSIONS)
    ):
        shares = [
            {
                "bucket": BUCKETS.get((dimension, r["bucket"]), r["bucket"]),
                "share": r["share_ratio"],
                "note": None if r["share_change"] is None else f"{round(r['share_change'] * 100, 1) + 0.0:+.1f}",
            }
            for r in found
            if r["dimension"] == dimension
        ]
        pictures.append(
            block(
                heading(say(*DIMENSIONS.get(dimension, (dimension, dimension)))),
                charts.bars(
                    shares,
                    "bucket",
                    "share",
                    say("占比", "Share"),
                    note="note",
                    format=".1%",
                    color=charts.BLUE,
                    most=8,
                ),
            )
        )
    about = say(
        f"{found[0]['dt']}；比例后为一周变化（百分点）。每个维度最多 8 项",
        f"{found[0]['dt']}; after each share its change in a week, in points. Eight of each at most",
    )
    texts = {"dimension": {d: say(*both) for d, both in DIMENSIONS.items()}}
    return mo.vstack(
        [
            heading(say("粉丝画像", "Fan portrait"), about),
            columns(*pictures),
            block(
                heading(say("全部区间", "All buckets")),
                table(rows.drop_columns(["dt"]), "fan_portrait", here.names, texts=texts),
                downloads(lambda: rows, f"fan_portrait_{found[0]['dt']}", say),
            ),
        ]
    )


def needs_section(here: PageContext, choice: Choice) -> Any:
    """Build the section of needs in comments: their sums, their days, and masked examples."""
    say = here.say
    found = here.ask(questions.needs(choice))
    rows = found["rows"]
    if not rows.num_rows:
        return notice(say("所选账号在这些日期没有评论。", "There are no comments of these accounts on these days."))
    trouble = None
    try:
        named = {need: say(*both) for need, both in class_names(needs_dir(Settings())).items()}
    except BadNeeds as error:  # the numbers are right without names, too
        named, trouble = (
            {},
            notice(say(f"需求类别的名称读不出来：{error}", f"The names of needs cannot be read: {error}"), "warn"),
        )
    listed = [
        {
            **r,
            "name": named.get(r["need"], r["need"]),
            "asks": say(f"提问 {r['questions']}", f"{r['questions']} ask") if r["questions"] else "",
        }
        for r in rows.to_pylist()
    ]
    return mo.vstack(
        [
            p
            for p in (
                trouble,
                columns(
                    block(
                        heading(
                            say("评论想要什么", "What comments want"),
                            say("一条评论可有多类", "a comment may have several"),
                        ),
                        charts.bars(listed, "name", "comments", say("评论", "Comments"), note="asks", most=12),
                    ),
                    block(
                        heading(say("按天", "Day by day")),
                        charts.stacked(found["days"], "need", "comments", named, say, height=260),
                    ),
                ),
                block(
                    heading(say("需求与示例", "Needs and examples"), say("示例已脱敏", "examples are masked")),
                    table(rows, "comment_needs", here.names, texts={"need": named}, page_size=15, wrapped=["examples"]),
                    downloads(lambda: rows, f"comment_needs_{choice.first}_{choice.last}", say),
                ),
            )
            if p is not None
        ]
    )


def leads_section(here: PageContext, choice: Choice) -> Any:
    """Build the section of leads: sums, sources, days, and one row per source and action."""
    say = here.say
    found = here.ask(questions.leads(choice))
    rows = found["rows"]
    if not rows.num_rows:
        return notice(
            say("所选账号在这些日期没有意向互动。", "There are no lead actions of these accounts on these days.")
        )
    sums = {
        name: sum(v or 0 for v in rows.column(name).to_pylist())
        for name in ("actions", "person_days", "lead_days", "contact_days")
    }
    repeated = say("同一人按天与方式重复计", "a person counts per day and way")
    top = cards(
        card(say("互动", "Actions"), figure(sums["actions"]), say("可相加", "may be summed")),
        card(say("互动人次", "Person-days"), figure(sums["person_days"]), repeated),
        card(say("意向人次", "Lead-days"), figure(sums["lead_days"]), repeated),
        card(
            say("留资人次", "Contact-days"),
            figure(sums["contact_days"]),
            percent(sums["contact_days"] / sums["person_days"] if sums["person_days"] else None)
            + say(" 留下联系方式", " left a contact"),
        ),
    )
    listed = [
        {**r, "left": say(f"留资 {r['contact_days']}", f"{r['contact_days']} contacts") if r["contact_days"] else ""}
        for r in found["sources"].to_pylist()
    ]
    return mo.vstack(
        [
            top,
            columns(
                block(
                    heading(say("互动来源", "Where actions come from")),
                    charts.bars(
                        listed, "action_source", "actions", say("互动", "Actions"), note="left", color=charts.VIOLET
                    ),
                ),
                block(
                    heading(say("每日互动", "Actions a day")),
                    charts.stacked(found["days"], "action_source", "actions", {}, say),
                ),
            ),
            block(
                heading(say("来源与动作", "Sources and actions"), repeated),
                table(rows, "lead_funnel", here.names),
                downloads(lambda: rows, f"lead_funnel_{choice.first}_{choice.last}", say),
            ),
        ]
    )
