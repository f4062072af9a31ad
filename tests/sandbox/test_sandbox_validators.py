"""The validators that the other tests depend on detect departures from the contract."""

from __future__ import annotations

from sandbox_platform import problems


def test_undeclared_missing_and_mistyped_members_are_found(platform):
    body = platform.get("billboard_sport_overall")
    assert problems("billboard_sport_overall", body) == []
    row = body["data"]["list"][0]
    for change in ({"surprise": 1}, {"rank": "1"}, {"effect_value": "many"}, {"rank_change": 2}):
        row_before = dict(row)
        row.update(change)
        assert problems("billboard_sport_overall", body) != []
        row.clear()
        row.update(row_before)
    del row["nickname"]
    assert problems("billboard_sport_overall", body) != []


def test_a_refusal_is_no_success(platform):
    body = platform.get("hotsearch_sentences", token="clt.x")
    assert problems("hotsearch_sentences", body) != []
    assert problems("hotsearch_sentences", body, success=False) == []
