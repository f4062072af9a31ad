"""Serve the published weeks of 影视综榜单, newest first, and the list of a week.

Where the contract is silent: 60 weeks can be requested; the running week has no version yet. A version that is not
published, or is too old, is refused with 2100005. Pages contain at most 50 weeks.
"""

from __future__ import annotations

from typing import Any

from sandbox import errors
from sandbox.answers.call import Call
from sandbox.answers.pages import integer, offset, page
from sandbox.clock import beijing_text, day_of, day_start
from sandbox.errors import Refusal
from sandbox.world.ent_ranks import WEEKS_BACK, Title, final_at, has_short_heat, monday_of, part_of


def versions(call: Call) -> dict[str, Any]:
    """Return the published weeks of a list."""
    newest, whole = call.world.ent_ranks.newest(call.instant, day_of(call.instant)), call.form.whole
    at, count = offset(call)
    rows = []
    for version in range(newest, newest - WEEKS_BACK, -1)[at : at + count]:
        monday = monday_of(version)
        rows.append(
            {
                "version": whole(version),
                "type": whole(call.params["type"]),
                "start_time": beijing_text(day_start(monday)),
                "end_time": beijing_text(day_start(monday + 6)),
                "active_time": beijing_text(final_at(version)),
            }
        )
    following = at + len(rows)
    return page(call, rows, following, following < WEEKS_BACK and bool(rows))


def items(call: Call) -> dict[str, Any]:
    """Return the final list of a version, or the running week as last refreshed.

    Now and then ``active_time`` is a bare day.
    """
    ent_ranks, kind, today = call.world.ent_ranks, call.params["type"], day_of(call.instant)
    if call.params.get("version") is None:
        at, ranked = ent_ranks.running(kind, call.instant, today)
    else:
        version, newest = integer(call, "version", 0, 2**31), ent_ranks.newest(call.instant, today)
        if not newest - WEEKS_BACK < version <= newest:
            raise Refusal(errors.PARAM_WRONG, "version is unknown")
        at, ranked = final_at(version), ent_ranks.final(kind, version)
    active = beijing_text(at)
    return {
        "active_time": active[:10] if call.form.rare(30) else active,
        "list": [_row(call, title, heat) for title, heat in ranked],
    }


def _row(call: Call, title: Title, heat: int) -> dict[str, Any]:
    """Return a title; the members that it lacks are fixed per title."""
    form, key = call.form, title.key
    row: dict[str, Any] = {
        "id": title.id,
        "type": form.whole(title.kind),
        "name": title.title,
        "hot": _heat(call, title, heat),
    }
    if key % 6:
        row["maoyan_id"] = str(1_000_000 + key % 999_999) if key % 4 else ""
    if key % 3 == 0:
        row["name_en"] = f"Screen {key % 9_973}"
    if key % 11:
        row["release_date"] = "" if key % 7 == 0 else title.released_text
    if key % 13:
        row["actors"] = _people(title.actors, key % 5 == 1)
    row["directors"] = None if key % 8 == 0 else _people(title.directors, key % 5 == 1)
    if key % 10:
        row["areas"], row["tags"] = list(title.areas), list(title.tags)
    if key % 17:
        row["poster"] = f"https://p{1 + key % 9}-poster.example.cn/obj/screen-{key % 10**10:010d}.jpeg"
    for part in ("discussion", "influence", "search", "topic"):
        row[f"{part}_hot"] = form.number(part_of(title, heat, part))
    return row


def _heat(call: Call, title: Title, heat: int) -> int | str:
    """Return the heat as number, as text, or as text with an exponent where that loses nothing."""
    return f"{heat:.3e}" if has_short_heat(title) and call.form.below(2) else call.form.whole(heat)


def _people(names: tuple[str, ...], in_one: bool) -> list[str]:
    """Return a list of names; older responses have one text ``[a b c]``."""
    return [f"[{' '.join(names)}]"] if in_one else list(names)


ANSWERS = {"ent_rank_version": versions, "ent_rank_item": items}
