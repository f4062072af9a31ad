"""Sentiment by the lexicon: negation, degree, contrast, irony, courtesy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import tries

from services.comments.reading import analyser


def of(text: str) -> float | None:
    return analyser().sentiments([text])[0]


@pytest.mark.parametrize("text", ["多少钱", "", "哈哈哈哈", "[捂脸]", "求地址[赞]", "求鏈接🌹🌹", "来自湖南"])
def test_nothing_said_is_null(text: str):
    assert of(text) is None


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("难喝", "好喝"),
        ("不好喝", "好喝"),
        ("难喝", "不难喝"),
        ("不是很好看", "很好看"),
        ("好看", "特别好看"),
        ("特别失望", "失望"),
        ("失望", "有点失望"),
        ("好看但是太贵了", "太贵了但是好看"),
        ("服务真好[微笑]", "服务真好"),
        ("绝了，呵呵", "绝了"),
        ("好看👎", "好看"),
        ("好看", "好看👍"),
        ("难看", "一般"),
        ("还可以", "绝绝子"),
    ],
)
def test_order(less: str, more: str):
    assert of(less) < of(more)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("一点都不油腻", 1),
        ("没踩雷", 1),
        ("不要太好看！", 1),
        ("👍", 1),
        ("学到了，谢谢[赞]", 1),
        ("不推荐", -1),
        ("太贵了", -1),
        ("[吐]", -1),
        ("真行[微笑] 好看", -1),
    ],
)
def test_sign(text: str, sign: int):
    assert math.copysign(1, of(text)) == sign


def test_a_negation_reaches_four_characters_and_no_mark():
    assert of("不，好看") == of("好看")
    assert of("不知道为什么就好看") == of("好看")


@settings(max_examples=tries(40), deadline=None)
@given(
    st.lists(
        st.sampled_from(["好看", "不", "太", "但是", "难喝", "[微笑]", "👍", "求", "，", "垃圾", "绝了", "这个"]),
        max_size=12,
    )
)
def test_it_is_a_number_between_with_four_digits(pieces: list[str]):
    value = of("".join(pieces))
    if value is not None:
        assert -1 <= value <= 1
        assert value == round(value, 4)
        assert math.copysign(1, value) == 1 or value < 0, "no -0.0, which Parquet would keep"
