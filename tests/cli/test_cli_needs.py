"""``douyin needs``: a comment as the rules read it, and the quality of the rules."""

from __future__ import annotations

import shutil
from pathlib import Path

from services.comments.rules import SHIPPED


def test_try_shows_what_is_read(douyin):
    reported = douyin("needs", "try", "雲棲拿鐵多少錢呀？加v: lanto_2026")
    assert reported.exit_code == 0, reported.output
    for words in ("云栖拿铁多少钱呀?加v:", "ask_price 询价", "yes", "nothing said", "雲棲拿鐵多少錢呀？加v: ***"):
        assert words in reported.stdout
    assert "lanto_2026" not in reported.stdout


def test_evaluate_shows_both_halves_and_errors_of_the_first(douyin, tmp_path: Path):
    folder = Path(shutil.copytree(SHIPPED / "needs", tmp_path / "mine"))
    # No rule matches them; the hash of 乙 belongs to the tuning half, that of 甲 to the held-out half.
    wrong = {"tune": "暗号乙", "held-out": "暗号甲"}
    (folder / "evaluation.tsv").write_text(
        "多少钱\task_price\t1\tnone\n求链接\task_link\t0\tnone\n"
        + "".join(f"{t}\task_place\t0\tnone\n" for t in wrong.values()),
        encoding="utf-8",
    )
    reported = douyin("needs", "evaluate", DOUYIN_NEEDS_DIR=str(folder))
    assert reported.exit_code == 0, reported.output
    assert "4 invented comments" in reported.stdout
    assert "held-out: " in reported.stdout
    assert not any(t in reported.stdout for t in wrong.values())
    shown = douyin("needs", "evaluate", "--errors", DOUYIN_NEEDS_DIR=str(folder)).stdout
    assert f"{wrong['tune']}  missed: ask_place  made up: –" in shown
    assert wrong["held-out"] not in shown
    assert all(
        t in douyin("needs", "evaluate", "--all-errors", DOUYIN_NEEDS_DIR=str(folder)).stdout for t in wrong.values()
    )


def test_a_bad_file_ends_the_command_with_its_line(douyin, tmp_path: Path):
    folder = Path(shutil.copytree(SHIPPED / "needs", tmp_path / "mine"))
    (folder / "user_words.txt").write_text("青柚 杯\n", encoding="utf-8")
    for arguments in (("try", "多少钱"), ("evaluate",)):
        reported = douyin("needs", *arguments, DOUYIN_NEEDS_DIR=str(folder))
        assert reported.exit_code == 2
        assert "user_words.txt:1: '青柚 杯': write a word without spaces" in reported.output
        assert "Traceback" not in reported.output
