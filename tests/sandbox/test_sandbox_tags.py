"""Tags 标签 are created, renamed, deleted and given to people, and everything that reads shows it at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from people_requests import leads, pages
from sandbox_platform import NOW

START = datetime.fromisoformat(NOW)
NOT_ENTERPRISE = 2


def tags(platform, account: int = 0) -> dict[int, str]:
    return {
        int(t["tag_id"]): t["tag_name"]
        for page in pages(platform, "leads_tag_list", account, count=50)
        for t in page["list"] or ()
    }


def tagged(platform, tag: int, account: int = 0) -> list[str]:
    return [
        p for page in pages(platform, "leads_tag_user_list", account, tag_id=tag, count=50) for p in page["list"] or ()
    ]


def tags_of(platform, person: str) -> dict[int, str]:
    """Return the tags of a person's detail, which must agree with the list."""
    detail = platform.data("leads_user_detail", user_id=person)
    return {int(t["tag_id"]): t["tag_name"] for t in detail["tag_list"] or ()}


def listed_tags_of(platform, person: str) -> dict[int, str] | None:
    """Return the tags in ``leads_user_list``; None if it has no ``users``."""
    end = int(datetime.fromisoformat(platform.http.get("/_sandbox/clock").json()["now"]).timestamp())
    found = pages(platform, "leads_user_list", count=50, action_type=0, start_time=end - 90 * 86_400, end_time=end)
    users = {u["open_id"]: u for page in found for u in page["users"] or ()}
    return {int(t["tag_id"]): t["tag_name"] for t in users[person]["tag_list"] or ()} if person in users else None


def create(platform, name: str, account: int = 0) -> int:
    return int(platform.write("leads_tag_create", account, tag_name=name)["data"]["tag_id"])


def plain_person(platform) -> str:
    """A lead without tags."""
    return next(p for p in leads(platform, days=14) if not tags_of(platform, p))


def test_tags_are_created_renamed_and_deleted(fresh):
    before = tags(fresh)
    new = create(fresh, "样品已寄")
    assert new not in before
    assert tags(fresh) == before | {new: "样品已寄"}
    assert int(fresh.write("leads_tag_update", tag_id=new, tag_name="样品已收")["data"]["tag_id"]) == new
    fresh.write("leads_tag_update", tag_id=new, tag_name="样品已收")
    old = next(iter(before))
    fresh.write("leads_tag_update", tag_id=old, tag_name="改名")
    assert tags(fresh) == before | {new: "样品已收", old: "改名"}
    for tag in (new, old):
        fresh.write("leads_tag_delete", tag_id=tag)
    assert tags(fresh) == {t: n for t, n in before.items() if t != old}
    for name, more in (
        ("leads_tag_update", {"tag_name": "又来"}),
        ("leads_tag_delete", {}),
        ("leads_tag_user_update", {"user_id": fresh.people()[-1]["person"], "bind": True}),
    ):
        assert fresh.refusal(name, tag_id=new, **more) == 2100006
    assert fresh.refusal("leads_tag_user_list", tag_id=new, count=10, cursor=0) == 2100006
    assert create(fresh, "样品已寄") not in {new, *before}


def test_tags_are_bound_and_unbound(fresh):
    person, new = plain_person(fresh), create(fresh, "样品已寄")
    bind = {"tag_id": new, "user_id": person, "bind": True}
    for _ in range(2):
        fresh.write("leads_tag_user_update", **bind)
        assert tags_of(fresh, person) == {new: "样品已寄"}
        assert tagged(fresh, new) == [person]
    assert listed_tags_of(fresh, person) in ({new: "样品已寄"}, None)
    fresh.write("leads_tag_update", tag_id=new, tag_name="样品已收")
    assert tags_of(fresh, person) == {new: "样品已收"}
    for _ in range(2):
        fresh.write("leads_tag_user_update", **bind | {"bind": False})
        assert tags_of(fresh, person) == {}
        assert tagged(fresh, new) == []
    fresh.write("leads_tag_user_update", **bind)
    fresh.at(START + timedelta(days=1))
    assert tags_of(fresh, person)[new] == "样品已收"
    fresh.write("leads_tag_delete", tag_id=new)
    assert new not in tags_of(fresh, person)


def test_a_tag_that_a_person_has_in_the_worlds_own_course_is_taken_off(fresh):
    tag = next(t for t in tags(fresh) if len(tagged(fresh, t)) > 1)
    person, *others = tagged(fresh, tag)
    fresh.write("leads_tag_user_update", tag_id=tag, user_id=person, bind=False)
    assert tagged(fresh, tag) == others
    fresh.at(START + timedelta(hours=1))
    fresh.write("leads_tag_user_update", tag_id=tag, user_id=person, bind=True)
    assert tagged(fresh, tag)[0] == person


def test_a_person_has_five_tags_and_an_account_a_hundred(fresh):
    person = plain_person(fresh)
    new = [create(fresh, f"标签{n}") for n in range(100 - len(tags(fresh)))]
    assert fresh.refusal("leads_tag_create", tag_name="一百零一") == 2100005
    for tag in new[:5]:
        fresh.write("leads_tag_user_update", tag_id=tag, user_id=person, bind=True)
    assert fresh.refusal("leads_tag_user_update", tag_id=new[5], user_id=person, bind=True) == 2100005
    fresh.write("leads_tag_user_update", tag_id=new[4], user_id=person, bind=True)
    fresh.write("leads_tag_delete", tag_id=new[0])
    fresh.write("leads_tag_user_update", tag_id=new[5], user_id=person, bind=True)
    assert set(tags_of(fresh, person)) == set(new[1:6])
    assert create(fresh, "一百零一") not in new


def test_each_account_has_tags_of_its_own(fresh):
    before, new = tags(fresh, 1), create(fresh, "样品已寄")
    assert tags(fresh, 1) == before
    assert fresh.refusal("leads_tag_delete", 1, tag_id=new) == 2100006
    foreign = fresh.people(account=1)[-1]["person"]
    assert fresh.refusal("leads_tag_user_update", tag_id=new, user_id=foreign, bind=True) == 2100007
    assert fresh.refusal("leads_tag_user_update", tag_id=new, user_id="unknown", bind=True) == 2100006


def test_wrong_requests_change_nothing(fresh):
    before = tags(fresh)
    tag, name = next(iter(before.items()))
    person = fresh.people()[-1]["person"]
    for operation, params, code in (
        ("leads_tag_create", {}, 28001007),
        ("leads_tag_create", {"tag_name": ""}, 28001007),
        ("leads_tag_create", {"tag_name": 5}, 2100005),
        ("leads_tag_create", {"tag_name": name}, 2100005),
        ("leads_tag_update", {"tag_id": tag}, 28001007),
        ("leads_tag_update", {"tag_id": "x", "tag_name": "新"}, 2100005),
        ("leads_tag_update", {"tag_id": tag, "tag_name": list(before.values())[1]}, 2100005),
        ("leads_tag_update", {"tag_id": tag, "tag_name": ["新"]}, 2100005),
        ("leads_tag_delete", {"tag_id": [tag]}, 2100005),
        ("leads_tag_user_update", {"tag_id": tag, "user_id": person, "bind": 1}, 2100005),
        ("leads_tag_user_update", {"tag_id": tag, "user_id": person}, 28001007),
        ("leads_tag_user_update", {"tag_id": tag, "user_id": 5, "bind": True}, 2100005),
    ):
        assert fresh.refusal(operation, **params) == code, (operation, params)
    assert tags(fresh) == before


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("leads_tag_create", {"tag_name": "新"}),
        ("leads_tag_update", {"tag_id": 101, "tag_name": "新"}),
        ("leads_tag_delete", {"tag_id": 101}),
        ("leads_tag_user_update", {"tag_id": 101, "user_id": "x", "bind": True}),
    ],
)
def test_only_enterprise_accounts_have_tags(fresh, operation, params):
    assert fresh.refusal(operation, NOT_ENTERPRISE, **params) == 2112001
