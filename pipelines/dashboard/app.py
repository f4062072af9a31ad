"""The page itself; `douyin dashboard` serves it."""

import marimo

app = marimo.App(width="medium", app_title="抖音数据 Douyin warehouse")


@app.cell
def _():
    import marimo as mo

    from pipelines.dashboard import charts
    from pipelines.dashboard.data import Choice, Data, NotThere, thirty_days
    from resources.settings import Settings

    data = Data(Settings().warehouse_path)
    return Choice, NotThere, charts, data, mo, thirty_days


@app.cell
def _(mo):
    refresh = mo.ui.run_button(label="刷新 Refresh")
    return (refresh,)


@app.cell
def _(NotThere, data, mo, refresh, thirty_days):
    _ = refresh.value  # asked again when somebody wants to see the newest file
    try:
        days, names, boards = data.days(), data.accounts(), data.boards()
        trouble = None
    except NotThere as error:
        trouble = str(error)
    mo.stop(trouble is not None, mo.callout(mo.md(trouble or ""), kind="warn"))
    first, last = thirty_days(*days)
    accounts = mo.ui.multiselect(options=names, label="账号 Accounts（空为全部 none: all）", full_width=True)
    span = mo.ui.date_range(start=days[0], stop=days[1], value=(first, last), label="日期 Days")
    return accounts, boards, names, span


@app.cell
def _(accounts, data, mo, refresh, span):
    mo.vstack(
        [
            mo.hstack(
                [mo.md("# 抖音数据 Douyin"), mo.hstack([mo.md(f"<small>发布于 published {data.published_at():%Y-%m-%d %H:%M}</small>"), refresh], justify="end", align="center")],
                justify="space-between", align="center", wrap=True,
            ),
            mo.hstack([accounts, span], widths=[2, 1], wrap=True, align="end"),
        ]
    )  # fmt: skip
    return


@app.cell
def _(Choice, accounts, span):
    choice = Choice(tuple(accounts.value), *span.value)
    return (choice,)


@app.cell
def _(charts, choice, data, mo):
    figures = data.figures(choice)

    def _number(name: str, column: str):
        known = figures.dropna(subset=[column])
        if known.empty:
            return mo.stat("–", label=name, bordered=True)
        before = known[column].iloc[-8:-1].median()
        return mo.stat(f"{known[column].iloc[-1]:,.0f}", label=name, caption=f"7 日中位数 median {before:,.0f}" if before == before else "", bordered=True)

    mo.vstack(
        [
            mo.hstack([_number("播放 Plays", "plays"), _number("净增粉丝 Net fans", "net_fans"), _number("互动 Interactions", "interactions"), _number("总粉丝 Fans", "fans")], widths="equal", wrap=True),
            mo.md("**每日播放 Plays a day**" + ("　<small>红色竖条：有账号缺数据 red marks: days with gaps</small>" if (figures["gaps"] > 0).any() else "")),
            charts.days(figures, "plays"),
        ]
    )  # fmt: skip
    return (figures,)


@app.cell
def _(boards, mo):
    board = mo.ui.dropdown(options=boards, value="hot_video" if "hot_video" in boards else (boards[0] if boards else None), label="榜单 Board", searchable=True)
    word = mo.ui.text(placeholder="热点词包含 contains …", label="热点词 Word", debounce=300)
    return board, word


@app.cell
def _(board, charts, choice, data, figures, mo, names, word):
    def _table(rows, size: int = 10):
        return mo.ui.table(rows, selection=None, page_size=size, show_column_summaries=False, show_data_types=False)

    def _named(rows):
        shown = rows.copy()
        if "open_id" in shown:
            shown.insert(0, "account", shown["open_id"].map({v: k for k, v in names.items()}).fillna(shown["open_id"].str[:8]))
        return shown

    def _accounts():
        return mo.vstack([mo.md("**净增粉丝 Net fans a day**"), charts.days(figures, "net_fans", height=120), _table(_named(data.account_rows(choice)).drop(columns=["open_id", "nickname"]))])

    def _videos():
        rows = _named(data.videos(choice))
        low, hits = rows[rows["is_low_play"]], rows[rows["is_hit"]]
        told = f"可比较 {rows['ratio_to_median'].notna().sum()} 个；爆款 outstanding {len(hits)}；播放异常低 low {len(low)}"
        return mo.vstack([mo.md(f"**相对账号同天数中位数 Against the account's median at the same age**　<small>{told}</small>"), charts.against_median(rows), _table(rows.drop(columns=["open_id"]))])

    def _words():
        rows = data.words(choice, word.value or "")
        rising = rows[rows["is_rising"]]["sentence"].head(5) if not word.value else rows["sentence"].head(5)
        curve = data.word_curve(rising, choice)
        return mo.vstack([word, charts.curves(curve) if len(curve) else mo.md("没有曲线 no curve"), _table(rows)])

    def _boards():
        return mo.vstack([board, _table(data.moves(board.value, choice), 30) if board.value else mo.md("没有榜单 no boards")])

    def _people():
        portrait, needs, leads = data.portrait(choice), data.needs(choice), data.leads(choice)
        pictures = [mo.vstack([mo.md(f"**{name}**"), charts.bars(rows, "bucket", "share", format=".1%", most=8)]) for name, rows in portrait.groupby("dimension", sort=False)]
        grid = [mo.hstack(pictures[n : n + 2], widths="equal", wrap=True) for n in range(0, len(pictures), 2)]
        return mo.vstack(
            [
                mo.md("### 粉丝需求 What fans want"), charts.bars(needs, "need", "comments") if len(needs) else mo.md("没有评论 no comments"), _table(needs),
                mo.md("### 线索 Leads"), _table(leads), mo.md("### 粉丝画像 Fan portrait"), *(grid or [mo.md("没有画像 no portrait")]),
            ]
        )  # fmt: skip

    mo.ui.tabs(
        {
            "账号 Accounts": mo.lazy(_accounts), "视频 Videos": mo.lazy(_videos), "热点 Words": mo.lazy(_words), "榜单 Boards": mo.lazy(_boards), "粉丝 Fans": mo.lazy(_people),
            "数据 Data": mo.lazy(lambda: _table(data.health(), 20)),
        }
    )  # fmt: skip
    return


@app.cell
def _(choice, data, mo):
    mo.hstack(
        [
            mo.download(lambda: data.account_rows(choice).to_csv(index=False).encode("utf-8-sig"), filename="account_daily.csv", mimetype="text/csv", label="账号日报 CSV"),
            mo.download(lambda: data.videos(choice).to_csv(index=False).encode("utf-8-sig"), filename="video_performance.csv", mimetype="text/csv", label="视频表现 CSV"),
        ],
        justify="start", wrap=True,
    )  # fmt: skip
    return


if __name__ == "__main__":
    app.run()
