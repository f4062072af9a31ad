"""Patterns that were combined for speed find what each of them finds alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import tries

from services.comments.evaluate import load_examples
from services.comments.reading import analyser
from services.comments.rules import SHIPPED, load_rules
from services.comments.seeking import any_of, by_first_character, seeker


@pytest.mark.parametrize(
    ("pattern", "firsts"),
    [
        ("ab|cd", ["a", "c"]),
        ("(a|b)c", ["a", "b"]),
        ("(?:a|b)?c", ["a", "b", "c"]),
        ("[ab]c", ["a", "b"]),
        ("((a|b)c|d)?e", ["a", "b", "d", "e"]),
        (r"\?x", [r"\?"]),
        ("a?b", ["a", "b"]),
        ("(a?b)c", ["a", "b"]),
        (".a", None),
        ("a*b", None),
        ("a+b", None),
        ("a{2}", None),
        ("[^a]b", None),
        ("[a-c]d", None),
        (r"\da", None),
        ("(?=a)b", None),
        ("^a", None),
        ("(^a|b)c", None),
        ("(a|)", None),
    ],
)
def test_first_characters(pattern: str, firsts: list[str] | None):
    found = by_first_character(pattern)
    assert (found and [first for first, _ in found]) == firsts


_PIECE = st.recursive(
    st.sampled_from(["a", "b", "c", "ab", "[ab]", "a?", ".", r"\?", "[^a]", "b{1,2}", "c+"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join).map("({})".format),
        inner.map("({})?".format),
    ),
    max_leaves=6,
)
_PATTERN = st.lists(_PIECE, min_size=1, max_size=3).map("|".join)


@settings(max_examples=tries(40), deadline=None)
@given(
    st.lists(_PATTERN, min_size=1, max_size=3),
    st.lists(st.text("abc", min_size=1, max_size=3), max_size=3),
    st.lists(st.text("abc?d", max_size=7), min_size=1, max_size=8),
)
def test_together_they_find_what_each_finds(patterns: list[str], words: list[str], texts: list[str]):
    together = seeker(words, patterns)
    for text in texts:
        assert together.fits(text) == (
            any(w in text for w in words) or any(re.search(p, text) is not None for p in patterns)
        ), text


@settings(max_examples=tries(40), deadline=None)
@given(st.lists(st.text("ab.?", min_size=1, max_size=4), min_size=1, max_size=8), st.text("ab.?", max_size=10))
def test_the_longest_word_is_found(words: list[str], text: str):
    found = re.compile(any_of(words)).search(text)
    first = min((text.find(w) for w in words if w in text), default=None)
    assert (found and found.start()) == first
    if found:
        assert found[0] == max((w for w in words if text.startswith(w, first)), key=len)


def test_exceptions_are_cut_out_and_the_rest_counts():
    said = seeker(["链接"], [], ["不用发链接"])
    assert [said.fits(t) for t in ("求链接", "不用发链接", "不用发链接, 给我店铺链接")] == [True, False, True]


def test_the_rules_of_the_repository_are_read_as_written():
    read, folder = analyser(), SHIPPED / "needs"
    texts = read.reader.plain([e.text for e in load_examples(folder, [n.id for n in read.classes])])
    for need in load_rules(folder).needs:
        words, patterns, excepted = (
            [of(w) for w in said]
            for of, said in (
                (read.reader.word, need.words),
                (read.reader.pattern, need.patterns),
                (read.reader.pattern, need.except_),
            )
        )
        wanted = seeker(words, patterns, excepted)
        for text in texts:
            fits = any(w in text for w in words) or any(re.search(p, text) for p in patterns)
            if fits and excepted:
                left = re.sub("|".join(f"(?:{e})" for e in excepted), " ", text)
                fits = any(w in left for w in words) or any(re.search(p, left) for p in patterns)
            assert wanted.fits(text) == fits, (need.id, text)
