"""Comments are read: needs, questions, mood, words and masking, by files that people edit, as functions of DuckDB."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.needs.evaluate import evaluate, read_lines
from assets.needs.files import NEEDS_DIR, BadNeeds, read_files
from assets.needs.functions import FUNCTIONS, class_names, fingerprint, register
from assets.needs.masking import mask_personal
from assets.needs.reading import Reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(read_files(NEEDS_DIR))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(NEEDS_DIR, tmp_path / "needs"))


def test_rules_read_the_evaluation_set_as_well_as_they_did(reader):
    lines = read_lines(NEEDS_DIR)
    classes = [n.id for n in read_files(NEEDS_DIR).rules.classes]
    held_out = evaluate(reader, [x for x in lines if x.is_held_out], classes)
    assert len(lines) > 250
    assert len({x.text for x in lines}) == len(lines)
    assert {need for x in lines for need in x.needs} == set(classes)
    assert held_out.macro_f1(classes) > 0.9
    assert held_out.scores["question"].f1 > 0.9
    assert held_out.scores["mood -"].precision > 0.9


def test_a_comment_is_normalised_before_it_is_read(reader):
    assert reader.normal("這個多少錢啊啊啊啊啊？？[捂脸]😂 @隔壁同学　ＯＫ") == "这个多少钱啊啊?? ok"
    assert reader.read("這個多少錢").needs == reader.read("这个多少钱").needs == ("ask_price",)


def test_faces_and_negations_count_for_the_mood(reader):
    mood = lambda text: reader.read(text).sentiment  # noqa: E731
    assert mood("[赞]") > 0 > mood("[发怒]")
    assert mood("好看") > 0 > mood("不好看")
    assert mood("非常失望") < mood("有点失望") < 0
    assert mood("明天去") is None


def test_words_are_cut_without_what_says_nothing(reader, folder):
    assert reader.read("空气炸锅做的手擀面真的很好吃，我的微信 abc12345").terms[:3] == ("空气炸锅", "手擀面", "好吃")
    assert "abc12345" not in reader.read("加微信abc12345").terms
    (folder / "user_words.txt").write_text("好吃的手擀面\n", encoding="utf-8")
    assert "好吃的手擀面" in Reader(read_files(folder)).read("这个好吃的手擀面不错").terms


@pytest.mark.parametrize(
    "secret",
    [
        "13800138000", "138 0013 8000", "138-0013-8000", "１３８００１３８０００", "一三八零零一三八零零零", "+86 13800138000", "0571-88888888", "abc@example.com", "@小明同学", "https://example.com/x?y=1",
        "320102199003071234", "32010219900307123X",
    ],
)  # fmt: skip
def test_what_leads_to_a_person_is_taken_out(secret: str):
    masked = mask_personal(f"你好，{secret} 联系")
    assert secret not in masked
    assert masked.startswith("你好，")
    assert masked.endswith(" 联系")


@pytest.mark.parametrize("text", ["加我微信abc12345", "微信号：wx_12-3456", "vx: zhang2000", "加v abc12345", "QQ 123456789", "加薇 lovecat99", "威信aaaaa1"])
def test_accounts_elsewhere_are_taken_out(text: str):
    masked = mask_personal(text)
    assert not any(word in masked for word in ("abc12345", "12-3456", "zhang2000", "123456789", "lovecat99", "aaaaa1"))


@pytest.mark.parametrize("text", ["一共 199 元，5 个", "2026 年 11 月", "第 12 集", "iPhone15 拍的", "看了 100000 遍"])
def test_other_numbers_stay(text: str):
    assert mask_personal(text) == text


@given(st.text(max_size=200))
def test_masking_ends_and_never_shows_a_phone(text: str):
    assert "13800138000" not in mask_personal(text + " 13800138000 ")


def test_functions_answer_in_sql_and_nothing_gives_nothing():
    with duckdb.connect() as connection:
        register(connection)
        found = connection.execute(
            "SELECT zh_terms(t), comment_needs(t), comment_sentiment(t), is_question(t), mask_personal(t) FROM (VALUES ('太好看了，求链接'), (''), (NULL)) AS v(t)"
        ).fetchall()
    assert found[0][1] == ["ask_link", "praise"]
    assert found[0][2] > 0
    assert found[1] == ([], [], None, False, "")
    assert found[2] == (None,) * 5
    assert len(FUNCTIONS) == 5


def test_the_fingerprint_tells_of_every_change(folder):
    before = fingerprint(folder)
    assert before == fingerprint(folder) == fingerprint(NEEDS_DIR)
    (folder / "stop_words.txt").write_text("的\n", encoding="utf-8")
    assert fingerprint(folder) != before
    assert class_names(folder)["ask_price"] == ("询价", "Asks for the price")
    assert "other" in class_names(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("rules.yaml", "id: ask_price", "id: Ask Price", "classes.0.id"),
        ("rules.yaml", "id: ask_link", "id: ask_price", "ask_price"),
        ("rules.yaml", '"求(?:个)?(?:地址', '"求((?:个)?(?:地址', "no regular expression"),
        ("rules.yaml", "    zh: 询价\n", "", "classes.0.zh"),
        ("sentiment.yaml", "失望: 1.5", "失望: much", "negative.失望"),
        ("user_words.txt", "小黄车", "小黄车 often", "user_words.txt:3"),
    ],
)
def test_a_bad_file_is_told_with_its_place(folder, name: str, old: str, new: str, told: str):
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadNeeds) as error:
        read_files(folder)
    assert str(path) in str(error.value)
    assert told in str(error.value)


def test_a_missing_file_is_told(folder):
    (folder / "stop_words.txt").unlink()
    with pytest.raises(BadNeeds, match="stop_words"):
        read_files(folder)
