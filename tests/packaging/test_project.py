"""Files of a project folder add to the shipped ones, or take the place of those of the same name."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from test_wheel import AUDIENCE, CAMPAIGN, MART
from typer.testing import CliRunner

from apps.cli.main import app
from pipelines.definitions import build_definitions
from resources.config.settings import Settings
from resources.delivery.routes import alerts_path, load_alerts
from resources.runtime import Runtime
from resources.warehouse.mart_files import load_marts, mart_folders
from services.marts.build import Marts
from services.outreach.audiences import audience_files
from services.outreach.campaigns import campaign_files, load_campaigns, load_tags


@pytest.fixture
def project(tmp_path) -> Path:
    done = CliRunner().invoke(app, ["init", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    return tmp_path / "mine"


def settings_in(project: Path, **more) -> Settings:
    return Settings(_env_file=None, project=project, home=project / "data", **more)


def test_a_new_project_changes_nothing(project):
    """The folders are empty, and alerts have no channel; the files are readable by their owner only."""
    without = Settings(_env_file=None)
    settings = settings_in(project)
    assert campaign_files(settings) == campaign_files(without)
    assert audience_files(settings) == audience_files(without)
    assert load_marts(*mart_folders(project)) == load_marts()
    assert load_alerts(settings).channels == {}
    assert {oct(p.stat().st_mode & 0o077) for p in project.iterdir() if p.is_file()} == {"0o0"}


def test_settings_find_the_project_from_its_folder(project, monkeypatch):
    monkeypatch.chdir(project)
    assert Settings().project == project.resolve()


def test_own_files_add_to_the_shipped_ones(project):
    (project / "sql" / "marts" / "my_words.sql").write_text(MART, encoding="utf-8")
    (project / "sql" / "audiences" / "my_people.sql").write_text(AUDIENCE, encoding="utf-8")
    (project / "campaigns" / "hello.yaml").write_text(CAMPAIGN, encoding="utf-8")
    settings = settings_in(project)
    assert set(load_marts(*mart_folders(project))) == {*load_marts(), "my_words"}
    assert "my_people.sql" in audience_files(settings)
    assert {"hello", "benefits"} <= set(load_campaigns(settings))
    runtime = Runtime(settings)
    try:
        assert "my_words" in Marts(runtime).bound
        keys = {key.path[-1] for key in build_definitions(runtime, settings).resolve_asset_graph().get_all_asset_keys()}
        assert {"my_words", "video_daily", "warehouse"} <= keys
    finally:
        runtime.close()


def test_own_files_take_the_place_of_the_shipped_ones(project):
    (project / "sql" / "marts" / "publishing_rhythm.sql").write_text(MART, encoding="utf-8")
    (project / "campaigns" / "tags.yaml").write_text("owner: us\ntags: []\n", encoding="utf-8")
    assert load_marts(*mart_folders(project))["publishing_rhythm"].path.is_relative_to(project)
    assert load_tags(settings_in(project)).tags == []
    assert load_tags(Settings(_env_file=None)).tags != []


def test_a_configured_folder_counts_before_the_project(project, tmp_path):
    (tmp_path / "others").mkdir()
    settings = settings_in(project, campaigns_dir=tmp_path / "others", audiences_dir=tmp_path / "others")
    assert campaign_files(settings) == audience_files(settings) == {}
    named = tmp_path / "named.yaml"
    named.write_text("channels: {}\n", encoding="utf-8")
    assert alerts_path(settings_in(project, alerts_file=named)) == named
    assert alerts_path(settings_in(project)) == project / "alerts.yaml"


def test_a_project_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ValidationError, match="douyin init"):
        Settings(_env_file=None, project=tmp_path / "none")


def test_init_leaves_what_is_there(project):
    (project / ".env").write_text("DOUYIN_QPS=3\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["init", str(project)])
    assert (project / ".env").read_text(encoding="utf-8") == "DOUYIN_QPS=3\n"
    assert "DOUYIN_PROJECT=." in done.output
