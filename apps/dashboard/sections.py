"""Build the sections of the page. Each runs only its own queries, and only when it is shown."""

from __future__ import annotations

from typing import Any

import marimo as mo
import pyarrow as pa

from apps.dashboard import charts, questions
from apps.dashboard.account_figures import account_cards, account_lines
from apps.dashboard.page_context import PageContext
from apps.dashboard.pieces import block, card, cards, downloads, heading, notice, table
from apps.dashboard.questions import Choice
from apps.dashboard.texts import LEVELS, MOVES, Say
from services.reporting.page import AREAS, board_names, figure

SECTIONS = {
    "accounts": ("账号", "Accounts"),
    "videos": ("视频", "Videos"),
    "words": ("热点词", "Hot words"),
    "boards": ("榜单", "Billboards"),
    "fans": ("粉丝画像", "Fans"),
    "needs": ("粉丝需求", "Needs"),
    "leads": ("线索", "Leads"),
    "health": ("数据健康", "Data health"),
}


# --------------------------------------------------------------------------- accounts


def accounts_section(here: PageContext, choice: Choice, figure_choice: mo.ui.dropdown) -> Any:
    """Build the section of accounts: cards, the chart of the chosen metric, one row per account."""
    say, names, metric = here.say, here.names, figure_choice.value
    found = here.ask(questions.overview(choice, metric))
    sums = found["cards"].to_pylist()[0]
    if not sums["accounts"]:
        return notice(say("所选账号在这些日期没有数据。", "The chosen accounts have nothing on these days."))
    picture = charts.lines(
        found["lines"], here.shown_names, names.column("account_daily", metric), say, ratio=metric == "engagement_ratio"
    )
    return mo.vstack(
        [
            account_cards(here, sums),
            block(heading(*account_lines(here, found, metric)), figure_choice, picture),
            block(
                heading(say("账号汇总", "Accounts over these days"), say("空缺不计入合计", "gaps are not in the sums")),
                table(found["accounts"], "account_daily", names, hidden=["open_id"]),
                downloads(
                    lambda: here.ask({"days": questions.account_days(choice)})["days"],
                    f"account_daily_{choice.first}_{choice.last}",
                    say,
                ),
            ),
        ]
    )


# --------------------------------------------------------------------------- videos


def videos_section(here: PageContext, choice: Choice) -> tuple[Any, pa.Table]:
    """Return what is shown above the table of videos, and the table's rows."""
    say = here.say
    found = here.ask(questions.videos(choice))
    counts = found["counts"].to_pylist()[0]
    if not counts["videos"]:
        return notice(
            say("这些日期没有 30 天内发布的视频。", "There is no video of the last 30 days on these days.")
        ), found["rows"]
    note = say("发布 30 天内", "30 days old at most")
    top = cards(
        card(say("视频", "Videos"), figure(counts["videos"]), f"{note} · {counts['day']}"),
        card(
            say("可比较", "Comparable"),
            figure(counts["comparable"]),
            say("同账号至少 5 个同期视频", "five or more of the account to compare with"),
        ),
        card(
            say("爆款", "Outstanding"),
            figure(counts["hits"]),
            say("≥ 同期中位数 3 倍", "three times the median or more"),
        ),
        card(
            say("疑似限流", "Abnormally low"),
            figure(counts["lows"]),
            say("≤ 同期中位数 1/5，仅为提示", "a fifth of the median or less; a hint"),
        ),
    )
    more = (
        say(f"，图中为 {found['points'].num_rows} 个", f"; {found['points'].num_rows} are drawn")
        if found["points"].num_rows < counts["comparable"]
        else ""
    )
    picture = (
        block(
            heading(
                say("相对账号自身", "Against the account's own"),
                say(
                    "虚线：同账号其他视频同天数的中位数", "dashed: median of the account's other videos at the same age"
                )
                + more,
            ),
            charts.against_median(found["points"], say),
        )
        if found["points"].num_rows
        else None
    )
    return mo.vstack([p for p in (top, picture) if p is not None]), found["rows"]


def video_table(here: PageContext, rows: pa.Table) -> mo.ui.table:
    """Build the table of videos, of which one can be chosen."""
    return table(rows, "video_performance", here.names, hidden=["open_id", "item_id"], choose=True, wrapped=["title"])


def video_panel(
    here: PageContext, choice: Choice, row: dict[str, Any] | None, shown: mo.ui.table, rows: pa.Table
) -> Any:
    """Build the curve of the chosen video, if there is one, and the panel of the table."""
    say = here.say
    curve = here.ask({"curve": questions.video_curve(choice, row["open_id"], row["item_id"])})["curve"] if row else None
    picture = None
    if row is not None:
        drawn = curve is not None and curve.num_rows
        title = row["title"] or row["item_id"]
        picture = block(
            heading(say("每日播放", "Plays a day"), title),
            charts.one_line(curve, "plays", say("播放", "Plays"), say)
            if drawn
            else notice(
                say("所选日期没有这个视频的每日播放。", "There are no daily plays of this video on these days.")
            ),
        )
    body = block(
        heading(say("视频", "Videos"), say("选中一行查看曲线", "choose a row for its curve") + _of_all(say, rows)),
        shown,
        downloads(
            lambda: here.ask(questions.videos(choice, most=questions.MOST_SAVED))["rows"],
            f"video_performance_{choice.last}",
            say,
        ),
    )
    return mo.vstack([p for p in (picture, body) if p is not None])


# --------------------------------------------------------------------------- hot words


def words_rows(here: PageContext, choice: Choice, like: str) -> pa.Table:
    """Query the hot words to list."""
    return here.ask({"words": questions.hot_words(choice, like.strip())})["words"]


def words_table(here: PageContext, rows: pa.Table) -> mo.ui.table:
    """Build the table of hot words, of which one can be chosen."""
    return table(rows, "hot_words_now", here.names, hidden=["client_key"], choose=True, search=False)


def words_panel(
    here: PageContext, choice: Choice, like: str, row: dict[str, Any] | None, shown: mo.ui.table, rows: pa.Table
) -> Any:
    """Build the curve of the chosen word, if there is one, and the panel of the table."""
    say = here.say
    if not rows.num_rows:
        return notice(
            say(f"这些日期的榜单里没有含“{like}”的热点词。", f"No hot word of these days contains “{like}”.")
            if like
            else say("这些日期没有热点词榜。", "There is no list of hot words on these days.")
        )
    picture = None
    if row is not None:
        curve = here.ask({"curve": questions.word_curve(choice, row["client_key"], row["sentence"])})["curve"]
        summary = say(
            f"最高第 {figure(row['best_rank'])} 名 · 热度峰值 {figure(row['peak_hot_level'])} · 在榜 "
            f"{figure(row['hours_on_board'])} 小时",
            f"best rank {figure(row['best_rank'])} · highest heat {figure(row['peak_hot_level'])} · "
            f"{figure(row['hours_on_board'])} hours on the list",
        )
        picture = block(
            heading(row["sentence"], summary),
            charts.word_life(curve, say)
            if curve.num_rows
            else notice(say("所选日期没有它的采集。", "It was not observed on these days.")),
        )
    about = say("这些日期出现过的词", "words seen on these days") if like else say("最后一次榜单", "the last list")
    body = block(
        heading(
            say("热点词", "Hot words"),
            f"{about} · {say('选中一行查看曲线', 'choose a row for its curve')}" + _of_all(say, rows),
        ),
        shown,
        downloads(
            lambda: here.ask({"w": questions.hot_words(choice, like.strip(), most=questions.MOST_SAVED)})["w"],
            f"hot_words_{choice.last}",
            say,
        ),
    )
    return mo.vstack([p for p in (picture, body) if p is not None])


# --------------------------------------------------------------------------- billboards


def board_options(here: PageContext, choice: Choice) -> dict[str, str]:
    """Return shown name -> board, for the boards of the range."""
    known = board_names()
    found = here.ask({"boards": questions.boards(choice)})["boards"].column("board").to_pylist()
    order = {board: n for n, board in enumerate(known)}
    return {
        here.say(*known.get(board, (board, board))): board
        for board in sorted(found, key=lambda b: (order.get(b, len(order)), b))
    }


def no_boards(here: PageContext) -> Any:
    """Build the notice that the range has no billboards."""
    return notice(here.say("这些日期没有榜单。", "There are no billboards on these days."))


def boards_panel(here: PageContext, choice: Choice, board: str, name: str) -> Any:
    """Build the section of a billboard: the ranks day by day, and the last list with its moves."""
    say = here.say
    found = here.ask(questions.billboard(choice, board))
    rows = found["rows"]
    day, before = rows.column("dt")[0].as_py(), rows.column("compared_with")[0].as_py()
    moves = {move: say(*both) for move, both in MOVES.items()}
    about = (
        say(f"{day}，对比 {before}", f"{day} against {before}")
        if before
        else say(f"{day}，没有可比榜单", f"{day}, with no list before")
    )
    shown = table(
        rows.drop_columns(["compared_with", "dt"]), "billboard_moves", here.names, texts={"move": moves}, page_size=15
    )
    return mo.vstack(
        [
            block(
                heading(
                    say("名次走势", "Ranks day by day"),
                    say("现居前列者；不在榜的日子断开", "those now on top; off the board is a hole"),
                ),
                charts.ranks(found["ranks"], say),
            ),
            block(
                heading(name, about),
                shown,
                downloads(
                    lambda: here.ask(questions.billboard(choice, board, most=questions.MOST_SAVED))["rows"],
                    f"billboard_{board}_{day}",
                    say,
                ),
            ),
        ]
    )


# --------------------------------------------------------------------------- people


# --------------------------------------------------------------------------- the data itself


def health_section(here: PageContext) -> Any:
    """Build the section of data health: one card per area, and all findings."""
    say = here.say
    found = here.ask(questions.health())
    counted: dict[str, dict[str, int]] = {}
    for r in found["areas"].to_pylist():
        counted.setdefault(r["area"], {})[r["level"]] = r["matters"]
    if not counted:
        return notice(
            say("还没有可判断的内容：运行一次 `douyin run`。", "There is nothing to judge yet: `douyin run` once.")
        )
    as_of = max((r["as_of"] for r in found["areas"].to_pylist() if r["as_of"]), default=None)
    shown = []
    for area in sorted(counted, key=lambda a: list(AREAS).index(a) if a in AREAS else len(AREAS)):
        levels = counted[area]
        troubled = [
            say(f"{levels[level]} 项{LEVELS[level][0]}", f"{levels[level]} {LEVELS[level][1]}")
            for level in ("bad", "warn")
            if levels.get(level)
        ]
        total = sum(levels.values())
        shown.append(
            card(
                say(*AREAS.get(area, (area, area))),
                " · ".join(troubled) or say("全部正常", "all well"),
                say(f"共 {total} 项", f"of {total}"),
            )
        )
    rows = found["rows"].drop_columns(["says_en" if here.language == "zh" else "says_zh"])
    rows = rows.rename_columns(["says" if name.startswith("says_") else name for name in rows.column_names])
    texts = {"level": {k: say(*v) for k, v in LEVELS.items()}, "area": {k: say(*v) for k, v in AREAS.items()}}
    judged = say(f"判定于 {as_of:%Y-%m-%d %H:%M}", f"judged {as_of:%Y-%m-%d %H:%M}") if as_of else ""
    return mo.vstack(
        [
            cards(*shown),
            block(
                heading(say("检查项", "Matters"), judged),
                table(rows, "data_health", here.names, texts=texts, page_size=15, wrapped=["says"]),
                downloads(lambda: found["rows"], "data_health", say),
            ),
        ]
    )


def _of_all(say: Say, rows: pa.Table) -> str:
    """Return the note that a table is cut, empty if it is not."""
    return (
        say(f" · 只显示前 {rows.num_rows:,} 行", f" · the first {rows.num_rows:,} rows")
        if rows.num_rows >= questions.MOST_SHOWN
        else ""
    )
