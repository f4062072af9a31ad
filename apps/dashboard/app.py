"""Define the page as a marimo app, which ``douyin dashboard`` serves.

Cells contain the controls and their dependencies; the work is in sections.py.
"""

import marimo

app = marimo.App(width="full", app_title="抖音数据看板 Douyin dashboard", css_file="dashboard.css")


@app.cell
def _():
    import marimo as mo

    from apps.dashboard import controls, page_context, people_sections, pieces, sections
    from apps.dashboard.questions import Choice
    from apps.dashboard.reading import CannotShow
    from apps.dashboard.serving import shared_reader
    from apps.dashboard.texts import speak

    reader = shared_reader()
    kept = controls.UrlState()
    return CannotShow, Choice, controls, kept, mo, page_context, people_sections, pieces, reader, sections, speak


@app.cell
def _(controls, kept, mo):
    language = controls.language_switch(kept)
    refresh = mo.ui.button(label="刷新 Refresh", value=0, on_click=lambda presses: presses + 1)
    return language, refresh


@app.cell
def _(CannotShow, language, page_context, pieces, reader, refresh, speak):
    _ = refresh.value  # pressed: check again which file is published
    say = speak(language.value)
    try:
        here, _trouble = page_context.open_file(reader, language.value), None
    except CannotShow as error:
        here, _trouble = None, pieces.notice(say(error.zh, error.en), "warn")
    pieces.whole(pieces.page_head(here.as_of() if here else "", say, language, refresh), _trouble)
    return here, say


@app.cell
def _(controls, here, kept, mo, pieces, say):
    mo.stop(here is None)
    accounts, days, section = (
        controls.account_choice(here, kept),
        controls.day_range(here, kept),
        controls.section_tabs(say, kept),
    )
    pieces.bar([accounts, days], section)
    return accounts, days, section


@app.cell
def _(Choice, accounts, controls, days, say, section):
    choice = Choice(tuple(accounts.value), *days.value)
    tab = controls.section_of(say, section.value)
    return choice, tab


@app.cell
def _(controls, here, kept, mo, tab):
    mo.stop(tab != "accounts")
    metric = controls.metric_choice(here, kept)
    return (metric,)


@app.cell
def _(choice, controls, here, metric, say, sections):
    controls.guarded(lambda: sections.accounts_section(here, choice, metric), say)
    return


@app.cell
def _(choice, controls, here, mo, say, sections, tab):
    mo.stop(tab != "videos")
    _found = controls.guarded(lambda: sections.videos_section(here, choice), say)
    video_rows = _found[1] if isinstance(_found, tuple) else None
    videos = sections.video_table(here, video_rows) if video_rows is not None and video_rows.num_rows else None
    _found[0] if isinstance(_found, tuple) else _found
    return video_rows, videos


@app.cell
def _(choice, controls, here, mo, pieces, say, sections, video_rows, videos):
    mo.stop(videos is None)
    controls.guarded(
        lambda: sections.video_panel(here, choice, pieces.chosen(videos, video_rows), videos, video_rows), say
    )
    return


@app.cell
def _(controls, here, kept, mo, tab):
    mo.stop(tab != "words")
    word = controls.word_search(here, kept)
    word
    return (word,)


@app.cell
def _(choice, controls, here, mo, say, sections, word):
    _found = controls.guarded(lambda: sections.words_rows(here, choice, word.value), say)
    word_rows = None if isinstance(_found, mo.Html) else _found
    words = sections.words_table(here, word_rows) if word_rows is not None else None
    _found if word_rows is None else None
    return word_rows, words


@app.cell
def _(choice, controls, here, mo, pieces, say, sections, word, word_rows, words):
    mo.stop(words is None)
    controls.guarded(
        lambda: sections.words_panel(here, choice, word.value, pieces.chosen(words, word_rows), words, word_rows), say
    )
    return


@app.cell
def _(choice, controls, here, kept, mo, say, sections, tab):
    mo.stop(tab != "boards")
    _options = controls.guarded(lambda: sections.board_options(here, choice), say)
    board = controls.board_choice(here, _options, kept) if isinstance(_options, dict) and _options else None
    board if board is not None else (_options if isinstance(_options, mo.Html) else sections.no_boards(here))
    return (board,)


@app.cell
def _(board, choice, controls, here, mo, say, sections):
    mo.stop(board is None)
    controls.guarded(lambda: sections.boards_panel(here, choice, board.value, board.selected_key), say)
    return


@app.cell
def _(choice, controls, here, mo, people_sections, say, sections, tab):
    _sections = {
        "fans": lambda: people_sections.fans_section(here, choice),
        "needs": lambda: people_sections.needs_section(here, choice),
        "leads": lambda: people_sections.leads_section(here, choice),
        "health": lambda: sections.health_section(here),
    }
    mo.stop(tab not in _sections)
    controls.guarded(_sections[tab], say)
    return


if __name__ == "__main__":
    app.run()
