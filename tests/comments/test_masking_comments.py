"""Personal data in comments that are shown."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from patience import tries

from services.comments.masking import HIDDEN, mask_all


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("打我电话13800000000谢谢", "打我电话***谢谢"),
        ("138 0000 0000", "***"),
        ("138-0000-0000 找我", "*** 找我"),
        ("+86 138 0000 0000", "***"),
        ("１３８００００００００", "***"),
        ("①③⑧⓪⓪⓪⓪⓪⓪⓪⓪", "***"),
        ("一三八零零零零零零零零", "***"),
        ("1三8零00零0〇0幺打这个", "***打这个"),
        ("138😊0000😊0000", "***"),
        ("1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣0️⃣0️⃣0️⃣0️⃣0️⃣", "***️⃣"),
        ("座机0571-88880000", "座机***"),
        ("400-000-0000", "***"),
        ("微信 abc123", "微信 ***"),
        ("微信：abc123，发我", "微信：***，发我"),
        ("微信号abc-1", "微信号***"),
        ("加v: xx", "加v: ***"),
        ("加V xiaoyu_88", "加V ***"),
        ("➕薇 lanto2026", "➕薇 ***"),
        ("＋ｖ：ｌａｎｔｏ２０２６", "＋ｖ：***"),
        ("vx lanto.shop", "vx ***"),
        ("wx:lanto", "wx:***"),
        ("WeChat: Lanto_01", "WeChat: ***"),
        ("加微lanto888", "加微***"),
        ("lanto_888 是我微信", "*** 是我微信"),
        ("qq 12345", "qq ***"),
        ("QQ号：1234567", "QQ号：***"),
        ("扣扣1234567", "扣扣***"),
        ("abc.def@example.com 发我", "*** 发我"),
        ("abc艾特example点com", "***"),
        ("@小鱼干 你看", "@*** 你看"),
        ("＠小鱼干，你看", "＠***，你看"),
        ("身份证330100199001010000", "身份证***"),
        ("33010019900101000X", "***"),
        ("卡号 6222 0000 0000 0000 000", "卡号 ***"),
        ("单号SF1234567890123", "单号***"),
    ],
)
def test_personal_data_is_hidden(text: str, shown: str):
    assert mask_all([text]) == [shown]
    assert mask_all([shown]) == [shown], "what is hidden stays as it is"


@pytest.mark.parametrize(
    "text",
    [
        "多少钱一斤",
        "9.9包邮吗",
        "160 100斤穿什么码",
        "165/120能穿吗",
        "什么时候更新",
        "2026年11月16日",
        "第3集呢",
        "微信支付可以吗",
        "加个微信吧",
        "一二三四五",
        "bgm是什么",
        "iphone15的壳",
        "256够吗",
        "yyds",
        "這個好看👍",
        "",
        "加油",
        "加一份辣",
        "vlog在哪看",
        "3块5块10块",
        "真v5",
        "199 299 399",
    ],
)
def test_other_words_stay_as_they_are(text: str):
    assert mask_all([text]) == [text]


_DIGITS = ("0123456789", "０１２３４５６７８９", "零一二三四五六七八九", "〇壹贰叁肆伍陆柒捌玖")


@settings(max_examples=tries(40), deadline=None)
@given(
    st.integers(13_000_000_000, 19_999_999_999),
    st.lists(st.sampled_from(_DIGITS), min_size=11, max_size=11),
    st.lists(st.sampled_from(["", "", " ", "-", ".", "·", "😊", "  "]), min_size=10, max_size=10),
    st.sampled_from(["", "电话", "打", "我的 "]),
    st.sampled_from(["", "谢谢", " 急", "！"]),
)
def test_no_way_of_writing_a_phone_shows_it(number: int, forms: list[str], gaps: list[str], before: str, after: str):
    written = "".join(forms[n][int(d)] + ([*gaps, ""][n]) for n, d in enumerate(str(number)))
    assert mask_all([before + written + after]) == [before + HIDDEN + after]


@settings(max_examples=tries(40), deadline=None)
@given(st.lists(st.text(alphabet="138零一微信加vqQ:：@ .-_abc0️⃣好，\n\x1e*", max_size=25), max_size=5))
@example(["\x1e138\x1e0000\x1e0000"])
def test_texts_do_not_touch_each_other_and_no_long_number_is_left(texts: list[str]):
    together = mask_all(texts)
    assert together == [mask_all([t])[0] for t in texts]
    assert not any(re.search(r"[0-9]{7}", t) for t in together)
