"""Plain form and terms of comments."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import tries

from services.comments.reading import analyser


def shown(text: str) -> str:
    reader = analyser().reader
    return reader.shown(reader.plain([text])[0])


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("這個多少錢呀", "这个多少钱呀"),
        ("ＢＧＭ是什么？！", "bgm是什么?!"),
        ("求求求求求链接", "求求链接"),
        ("链接链接链接链接", "链接"),
        ("太好看了啊啊啊啊啊", "太好看了啊啊"),
        ("哈哈哈哈哈哈", "哈哈"),
        ("6666666", ""),
        ("66666", "66666"),
        ("好美👍🏽❤️", "好美[赞][爱心]"),
        ("好美[赞][没有这个]🦄", "好美[赞]"),
        ("a\n\tb\u3000c", "a b c"),
        ("看 https://v.example.com/aBc1/ 这个", "看 这个"),
        ("零\u200b宽", "零宽"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_plain_form(text: str, plain: str):
    assert shown(text) == plain


def test_personal_data_is_gone_from_plain_form_and_terms():
    text = "加v: lanto_2026 或者 １３８ 0000 0000，@小鱼干 abc@example.com 问云栖拿铁"
    plain = shown(text)
    assert all(said not in plain for said in ("lanto", "138", "0000", "小鱼干", "abc", "example"))
    assert analyser().terms([text]) == [["云栖拿铁"]]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("兰朵咖啡的云栖拿铁多少钱", ["兰朵咖啡", "云栖拿铁"]),
        ("尺码多少？我说尺码", ["尺码"]),
        ("[赞][玫瑰]👍 123 45.6 a 的 了", []),
        ("求iphone外壳，iphone的", ["iphone", "外壳"]),
    ],
)
def test_terms(text: str, terms: list[str]):
    assert analyser().terms([text]) == [terms]


def test_a_word_in_a_face_is_no_word():
    assert analyser().needs(["地址[可爱]"]) == [["ask_place"]]


_SAID = st.text(alphabet="多少钱求链接好看啊這個0123加v微信:@. \n\x1e[]赞👍🏽ｖＡabc", max_size=30)


@settings(max_examples=tries(30), deadline=None)
@given(st.lists(_SAID, max_size=6))
def test_comments_of_a_batch_do_not_touch_each_other(texts: list[str]):
    """A batch is read in one go; each comment must come out as if alone."""
    read = analyser()
    assert read.reader.plain(texts) == [read.reader.plain([t])[0] for t in texts]
    assert read.terms(texts) == [read.terms([t])[0] for t in texts]


@settings(max_examples=tries(30), deadline=None)
@given(st.one_of(_SAID, st.text(max_size=20)))
def test_plain_form_has_no_breaks_and_no_spaces_at_its_ends(text: str):
    (plain,) = analyser().reader.plain([text])
    assert plain == plain.strip()
    assert "\n" not in plain
    assert "\x1e" not in plain
