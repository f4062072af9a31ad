"""The repository's files in ``needs/`` are valid, and each error names file, line, entry and remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from resources.config.settings import Settings
from services.comments.reading import analyser
from services.comments.rules import (
    SHIPPED,
    BadNeeds,
    fingerprint,
    load_lexicon,
    load_rules,
    load_stop_words,
    load_user_words,
    needs_dir,
)

OURS = SHIPPED / "needs"
READ = ("rules.yaml", "sentiment.yaml", "user_words.txt", "stop_words.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the repository's files."""
    return Path(shutil.copytree(OURS, tmp_path / "needs"))


def replaced(path: Path, old: str, new: str) -> int:
    """Replace ``old`` by ``new`` and return its line number."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_folder_is_a_setting(tmp_path: Path):
    assert needs_dir(Settings(_env_file=None)) == OURS
    assert needs_dir(Settings(_env_file=None, needs_dir=tmp_path)) == tmp_path


@pytest.mark.parametrize("name", [*READ, "evaluation.tsv"])
def test_files_say_what_they_are_for(name: str):
    assert (OURS / name).read_text(encoding="utf-8").startswith("# ")


def test_every_class_has_both_names():
    needs = load_rules(OURS).needs
    assert len(needs) >= 15
    assert {
        "ask_price",
        "ask_link",
        "ask_tutorial",
        "ask_stock",
        "ask_place",
        "ask_time",
        "complain",
        "praise",
        "after_sales",
        "request_content",
    } <= {n.id for n in needs}


MISTAKES = {
    "unknown member": (
        "rules.yaml",
        "    zh: 询价",
        "    zh: 询价\n    zn: 询价",
        "needs.ask_price.zn",
        "not permitted",
    ),
    "bad id": ("rules.yaml", "- id: ask_price", "- id: Ask-Price", "needs.Ask-Price.id", "pattern"),
    "id twice": ("rules.yaml", "- id: ask_link", "- id: ask_price", "two needs are called ask_price", ""),
    "beside no need": (
        "rules.yaml",
        "[complain]",
        "[complains]",
        "words_beside names complains",
        "write one of ask_price",
    ),
    "bad expression": ("rules.yaml", "'没多少钱'", "'没(多少钱'", "needs.ask_price.except", "is no regular expression"),
    "upper case": ("rules.yaml", "'没多少钱'", "'没多少钱|BGM'", "needs.ask_price.except", "lower case; write it so"),
    "fits all": ("rules.yaml", "'没多少钱'", "'(没多少钱)?'", "needs.ask_price.except", "fits every comment"),
    "back-reference": (
        "rules.yaml",
        "'没多少钱'",
        "'([没不])多少钱\\1'",
        "needs.ask_price.except",
        "write the repetition out",
    ),
    "empty word": ("rules.yaml", "[多少钱, 多钱,", "['', 多少钱, 多钱,", "needs.ask_price.words", "empty word"),
    "said twice": ("rules.yaml", "[多少钱, 多钱,", "[多少钱, 多少钱, 多钱,", "needs.ask_price.words", "take one out"),
    "traditional": ("rules.yaml", "[多少钱, 多钱,", "[多少錢, 多钱,", "'多少錢' is never found", "write '多少钱'"),
    "traditional irony": (
        "sentiment.yaml",
        "ironies: ['[微笑]',",
        "ironies: ['[微笑]', 真厲害,",
        "'真厲害' is never found",
        "write '真厉害'",
    ),
    "full-width": ("rules.yaml", "[多少钱, 多钱,", "[ＡＢＣ, 多钱,", "'ＡＢＣ' is never found", "write 'abc'"),
    "key twice": (
        "rules.yaml",
        "    en: asks for the price",
        "    en: asks for the price\n    en: price",
        "en is said twice",
        "put both together",
    ),
    "no number": ("sentiment.yaml", "weight: 0.6", "weight: much", "degrees.1.weight", "number"),
    "two meanings": (
        "sentiment.yaml",
        "contrasts: [但是,",
        "contrasts: [但是, 好看,",
        "好看",
        "a word has one meaning",
    ),
    "two faces": ("sentiment.yaml", "emoji: [👎]", "emoji: [👍]", "👍", "two faces share it"),
    "long emoji": ("sentiment.yaml", "emoji: [👎]", "emoji: [👎🏽]", "👎🏽", "one character"),
    "word with spaces": ("user_words.txt", "青柚杯\n", "青柚 杯\n", "'青柚 杯'", "without spaces"),
    "user word twice": ("user_words.txt", "小黄车\n", "小黄车\n小黄车\n", "小黄车 stands above", "take one out"),
    "stop word twice": ("stop_words.txt", "一下\n", "一下\n一下\n", "一下 stands in line 2", "take one out"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_with_file_line_and_what_to_do(folder: Path, mistake: str):
    name, old, new, entry, todo = MISTAKES[mistake]
    line = replaced(folder / name, old, new)
    with pytest.raises(BadNeeds) as reported:
        analyser(folder)
    text = str(reported.value)
    assert text.startswith(f"{folder / name}:")
    assert entry in text
    assert todo in text
    if mistake not in (
        "id twice",
        "beside no need",
        "two meanings",
        "two faces",
        "long emoji",
    ):  # these errors lie between entries: the message names the file and the words
        at = int(text.removeprefix(f"{folder / name}:").split(":")[0])
        assert 0 <= at - line <= 1, text


@pytest.mark.parametrize("name", READ)
def test_a_missing_file_is_reported(folder: Path, name: str):
    (folder / name).unlink()
    with pytest.raises(BadNeeds, match=f"{name}: cannot be read .*DOUYIN_NEEDS_DIR"):
        analyser(folder)


@pytest.mark.parametrize("name", READ)
def test_a_file_in_another_encoding_is_reported(folder: Path, name: str):
    (folder / name).write_bytes("多少钱".encode("gb18030"))
    with pytest.raises(BadNeeds, match=f"{name}: is not UTF-8"):
        analyser(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [("- a\n", "must hold names and values"), ("a: [b\n", "is no YAML"), ("", "must hold names and values")],
)
def test_invalid_yaml_is_reported(folder: Path, content: str, reason: str):
    (folder / "rules.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(BadNeeds, match=reason):
        load_rules(folder)


def test_scalars_are_words(folder: Path):
    replaced(folder / "rules.yaml", "[多少钱, 多钱,", "[多少钱, 666, on, no, 1.50, 多钱,")
    assert {"666", "on", "no", "1.50"} <= set(load_rules(folder).needs[0].words)


def test_user_words_have_frequency_and_tag(folder: Path):
    (folder / "user_words.txt").write_text("# remark\n\n青柚杯 200 nz\n云栖拿铁 30\nPro杯\n", encoding="utf-8")
    assert [(w.word, w.frequency, w.tag) for w in load_user_words(folder)] == [
        ("青柚杯", 200, "nz"),
        ("云栖拿铁", 30, None),
        ("pro杯", None, None),
    ]
    assert load_stop_words(folder)[:2] == ["一下", "一个"]
    assert load_lexicon(folder).faces


def test_the_fingerprint_follows_every_file_that_is_read(folder: Path):
    before = fingerprint(folder)
    assert before == fingerprint(OURS) == fingerprint()
    seen = {before}
    for name in READ:
        with open(folder / name, "a", encoding="utf-8") as file:
            file.write("# another remark\n")
        seen.add(fingerprint(folder))
    assert len(seen) == len(READ) + 1
    last = fingerprint(folder)
    (folder / "evaluation.tsv").unlink()
    assert fingerprint(folder) == last, "the evaluation changes no answer"


def test_a_changed_file_is_read_again(folder: Path):
    before = analyser(folder)
    assert before is analyser(folder)
    assert before.needs(["求个暗号"]) == [[]]
    replaced(folder / "rules.yaml", "[多少钱, 多钱,", "[暗号, 多少钱, 多钱,")
    assert analyser(folder).needs(["求个暗号"]) == [["ask_price"]]
