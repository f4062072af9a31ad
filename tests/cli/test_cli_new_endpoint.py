"""``douyin dev new-endpoint`` refuses what it cannot lay down; ``tests/docs/test_howto_endpoint.py`` lays one down."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from apps.cli import new_endpoint
from apps.cli.main import app
from apps.cli.new_endpoint import Kind
from catalog.records import Token

GIVEN = {
    "name": "hotsearch_challenges",
    "--path": "/hotsearch/challenges/",
    "--table": "hot_challenges",
    "--column": "title:text",
    "--en": "Hot challenges",
    "--zh": "热门挑战",
}


def laid_down(**changed: str):
    """Run the command with some options changed; names of options are given with underscores."""
    options = GIVEN | {(k if k == "name" else "--" + k.replace("_", "-")): v for k, v in changed.items()}
    name = options.pop("name")
    return CliRunner().invoke(app, ["dev", "new-endpoint", name, *(w for pair in options.items() for w in pair)])


@pytest.fixture(autouse=True)
def nothing_is_written(monkeypatch):
    def refuse(*_):
        raise AssertionError("a refused endpoint changes files")

    monkeypatch.setattr(Path, "write_text", refuse)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "hotsearch_videos"}, "exists already"),
        ({"name": "im_send_msg"}, "exists already"),
        ({"name": "Hot-words"}, "lower case"),
        ({"table": "hot_words"}, "exists already"),
        ({"path": "/hotsearch/videos/"}, "no other operation has"),
        ({"path": "hotsearch/challenges"}, "slash at both ends"),
        ({"column": "title:words"}, "text|int|number"),
        ({"column": "title:int"}, "the catalogue has title as VARCHAR"),
        ({"en": 'Hot "challenges"'}, "without quotation marks"),
        ({"name": "weather_now"}, "there is no domain weather"),
        ({"kind": "listing"}, "_id"),
        ({"name": "item_shape"}, "made in a loop"),
    ],
)
def test_what_cannot_be_laid_down_is_refused(changed: dict[str, str], words: str):
    done = laid_down(**changed)
    assert done.exit_code == 1
    assert words in " ".join(done.output.split())


def test_an_installation_without_sources_is_refused(monkeypatch):
    monkeypatch.setattr(new_endpoint, "IS_CHECKOUT", False)
    done = laid_down()
    assert done.exit_code == 1
    assert "clone the repository" in done.output


@pytest.mark.parametrize("domain", ["hotsearch", "fans", "lead", "poi"])
def test_every_kind_is_written_so_that_it_can_be_read(domain: str):
    draft, module, answers = new_endpoint._checked(
        f"{domain}_badges",
        "/badges/",
        "fan_badges",
        ["badge_id:text", "share_ratio:number"],
        "Badges",
        "徽章",
        Kind.LISTING,
        Token.USER,
        None,
        False,
    )
    files = {file.name: text for file, text in new_endpoint._texts(draft, module, answers).items()}
    for name, text in files.items():
        if name.endswith(".py"):
            compile(text, name, "exec")
    added = files["openapi.yaml"].split("\n  schemas:\n")[1].split("    IntOrString:")[0]
    assert yaml.safe_load(added)["".join((domain.capitalize(), "BadgesResponse"))]["required"] == ["data"]
