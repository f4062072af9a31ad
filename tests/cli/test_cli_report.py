"""``douyin report``: where the page is written, which days it refuses, and how it is opened."""

from __future__ import annotations

import sys
from datetime import timedelta

from report_rows import DAY, Home, account_days, put_accounts


def test_report_without_a_warehouse(douyin):
    done = douyin("report")
    assert done.exit_code == 1
    assert "nothing was published" in done.stderr


def test_report_of_the_last_day_another_and_none(douyin, tmp_path):
    home = Home(tmp_path / "data")
    home.publish()
    done = douyin("report")
    assert done.exit_code == 1
    assert "no day to report on" in done.stderr

    home.put("hot_words", {"rank": 1, "sentence": "词"})
    put_accounts(home, account_days("a", [None, None]))
    home.publish()
    done = douyin("report")
    written = tmp_path / "data" / "reports" / f"{DAY}.html"
    assert done.exit_code == 0, done.stderr
    assert str(written) in done.stdout
    assert f"<b>{DAY}</b>" in written.read_text(encoding="utf-8")

    before = DAY - timedelta(days=40)
    assert douyin("report", "--date", str(before), "--out", str(tmp_path / "far" / "x.html")).exit_code == 0
    assert f"没有 {before} 的采集数据；仓库中已有 {DAY} 至 {DAY}" in (tmp_path / "far" / "x.html").read_text(
        encoding="utf-8"
    )

    done = douyin("report", "--date", str(DAY + timedelta(days=1)))
    assert done.exit_code == 1
    assert f"reaches to {DAY}" in done.stderr

    (tmp_path / "file").write_text("")
    done = douyin("report", "--out", str(tmp_path / "file" / "x.html"))
    assert done.exit_code == 1
    assert "cannot write the report" in done.stderr


def test_report_is_shown(command, tmp_path):
    home = Home(tmp_path / "data")
    home.put("hot_words", {"rank": 1, "sentence": "词"})
    home.publish()
    browser = tmp_path / "browser"
    browser.write_text(
        f"#!{sys.executable}\nimport sys, pathlib\npathlib.Path({str(tmp_path / 'opened')!r}).write_text(sys.argv[1])\n"
    )
    browser.chmod(0o755)
    done = command("report", "--open", BROWSER=str(browser))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "opened").read_text() == (tmp_path / "data" / "reports" / f"{DAY}.html").as_uri()
