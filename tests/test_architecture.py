"""Importing a package has no side effects, and the repository contains no details of our machines.

Which package may import which is checked by import-linter (``make lint``).
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from resources.config.settings import Settings

ROOT = Path(__file__).resolve().parent.parent

PACKAGES = ("catalog", "sandbox", "resources", "services", "assets", "pipelines", "apps")

CATALOG_MAY_IMPORT = {
    "__future__",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "itertools",
    "re",
    "reprlib",
    "typing",
}
"""The part of the standard library without I/O; the catalogue may import nothing else."""

LONGEST = 400
LONGER = {
    "catalog/fields.py": "a table",
    "catalog/records.py": "the types of all records, which name each other",
    "catalog/tables.py": "a table",
    "sandbox/vocabulary.py": "a table",
}
"""Product modules of more than 400 lines, up to 500, and why."""


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files of the repository, those of the next commit included.

    In an unpacked archive, it returns all files of the packages.
    """
    reported = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if reported.returncode == 0:
        names = reported.stdout.decode().split("\0")
        return tuple(ROOT / name for name in names if name and (ROOT / name).is_file())
    hidden = {".venv", "data", "__pycache__", ".git", ".hypothesis"}
    return tuple(p for p in ROOT.rglob("*") if p.is_file() and not hidden & set(p.relative_to(ROOT).parts))


def modules_of(package: str) -> list[Path]:
    return sorted(p for p in (ROOT / package).rglob("*.py"))


def imported_by(file: Path) -> set[str]:
    """Return top-level names of everything that a module imports, also inside functions and conditions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(file.relative_to(ROOT).parts[0] if node.level else node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called.endswith(("import_module", "__import__")):
                found.add(str(node.args[0].value).partition(".")[0])
    return found


# --------------------------------------------------------------------------- layers


def test_the_wheel_and_the_import_contracts_name_every_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert (
        set(project["hatch"]["build"]["targets"]["wheel"]["packages"])
        == set(PACKAGES)
        == set(project["importlinter"]["root_packages"])
    )
    assert {p.parent.name for p in ROOT.glob("*/__init__.py")} - {"benchmarks"} == set(PACKAGES)


def test_the_catalogue_imports_nothing_that_could_do_io():
    wrong = {
        str(p.relative_to(ROOT)): sorted(imported_by(p) - CATALOG_MAY_IMPORT - {"catalog"})
        for p in modules_of("catalog")
    }
    assert {p: names for p, names in wrong.items() if names} == {}


def test_the_catalogue_opens_nothing():
    for file in modules_of("catalog"):
        names = {
            n.func.id
            for n in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        assert not names & {"open", "exec", "eval", "__import__", "print", "input"}, file


def test_the_parser_sees_imports_in_functions_and_strings(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    file = tmp_path / "resources" / "x.py"
    file.parent.mkdir()
    file.write_text(
        "from . import y\ndef f():\n    import assets.tables\n    from pipelines import "
        "cli\nimportlib.import_module('sandbox.server')\n"
    )
    assert imported_by(file) == {"resources", "assets", "pipelines", "sandbox"}


@pytest.mark.parametrize("file", [pytest.param(p, id=str(p.relative_to(ROOT))) for p in tracked() if p.suffix == ".py"])
def test_no_module_is_too_long(file: Path):
    """Tests and benchmarks may have 500 lines, too."""
    name = str(file.relative_to(ROOT))
    is_longer = name in LONGER or name.startswith(("tests/", "benchmarks/"))
    assert len(file.read_text(encoding="utf-8").splitlines()) <= (500 if is_longer else LONGEST)


# --------------------------------------------------------------------------- importing does nothing

_IMPORT_ALL = """
import json, os, pkgutil, sys
root, done = os.environ["PYTHONPATH"], []
acts = ("socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.mkdir", "os.rename", "os.remove",
        "sqlite3.connect", "os.listdir")
def ours():
    # The innermost frame of a known package: what libraries do on import (looking for a compiler, a temporary link)
    # is theirs.
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if "site-packages" in name:
            return None
        if name.startswith(root + os.sep):
            return name
        if "importlib" in name:
            return None
        frame = frame.f_back
    return None
def hear(event, args):
    if (event in acts or event == "open") and (module := ours()):
        done.append([module, event, str(args[0])])
sys.addaudithook(hear)
for name in sys.argv[1:]:
    package = __import__(name)
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        # What imports marimo makes marimo's own folder.
        if not found.name.endswith((
            "__main__", "dashboard.app", "dashboard.account_figures", "dashboard.controls", "dashboard.firstview",
            "dashboard.people_sections", "dashboard.pieces", "dashboard.saving", "dashboard.sections",
        )):
            __import__(found.name)
print(json.dumps(done))
"""


@pytest.mark.slow
def test_importing_the_packages_writes_and_requests_nothing(tmp_path: Path):
    """Import all packages in one process, from the lowest layer up, so that side effects can be attributed."""
    place = tmp_path / "cwd"
    place.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "DAGSTER_", "PYTEST", "COV"))}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(place), "TMPDIR": str(place)}
    reported = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, *PACKAGES],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert reported.returncode == 0, reported.stderr
    done = json.loads(reported.stdout.splitlines()[-1])
    # Definitions are built from the SELECTs of the repository: an invalid one must fail when they load.
    assert [one for one in done if one[1] != "open" or not one[2].startswith(str(ROOT / "sql" / "marts"))] == []
    assert list(place.iterdir()) == []


# --------------------------------------------------------------------------- what the repository says

# Written in pieces, so that this file passes its own test.
_HOSTS = re.compile(
    "|".join(
        (
            "py" r"pi\.",
            "python" r"hosted\.",
            "registry" r"\.npmjs",
            "crates" r"\.io",
            "(?:extra-)?index" r"-url[= ]+\S*://",
            "proxy" r"\.golang",
        )
    )
)
_PATHS = re.compile(r"(?<![\w.~}])/(?:" + "|".join(("home", "work", "Users", "root", "mnt", "srv")) + r")/\w")


def _lines() -> list[tuple[str, str]]:
    """(place, line) of every text file."""
    found = []
    for file in tracked():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        found += [(f"{file.relative_to(ROOT)}:{n}", line) for n, line in enumerate(text.splitlines(), 1)]
    return found


def test_no_registry_host_stands_in_the_repository():
    assert [f"{place}: {line.strip()[:120]}" for place, line in _lines() if _HOSTS.search(line)] == []


def test_no_path_of_a_machine_stands_in_the_repository():
    assert [f"{place}: {line.strip()[:120]}" for place, line in _lines() if _PATHS.search(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        "cd /{}/me/x".format("home"),
        '"/{}/main"'.format("work"),
        "see /{}/me".format("Users"),
        "url = https://{}.org/simple".format("pypi"),
        "--{}-url https://x.example".format("index"),
    ],
)
def test_the_scan_finds_what_it_looks_for(line: str):
    assert _HOSTS.search(line) or _PATHS.search(line)


@pytest.mark.parametrize(
    "line", ["https://example.com/home/x", "docs/home/plan.md", "~/opt/x", "--no-emit-index" + "-url --group dev"]
)
def test_the_scan_leaves_other_lines_alone(line: str):
    assert not _HOSTS.search(line)
    assert not _PATHS.search(line)


# --------------------------------------------------------------------------- dependencies


@cache
def lock() -> tuple[Requirement, ...]:
    """The pinned requirements, which stand at the margin; one package may have a pin per platform."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return tuple(Requirement(line.rstrip("\\ ")) for line in lines if line and not line.startswith((" ", "#")))


def _pin(requirement: Requirement) -> str:
    (only,) = requirement.specifier
    assert only.operator == "==", f"{requirement} is not pinned"
    return only.version


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [
        Requirement(r)
        for r in (
            *project["project"]["dependencies"],
            *project["dependency-groups"]["dev"],
            *project["build-system"]["requires"],
        )
    ]


def test_everything_in_the_lock_is_pinned_and_hashed():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = [b for b in re.split(r"\n(?=\S)", text) if not b.startswith("#")]
    assert len(blocks) == len(lock()) > 50
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]
    for requirement in lock():
        assert _pin(requirement)
        assert requirement.url is None


@pytest.mark.parametrize("requirement", [pytest.param(r, id=r.name) for r in wanted()])
def test_the_lock_holds_what_pyproject_wants(requirement: Requirement):
    (pinned,) = (r for r in lock() if canonicalize_name(r.name) == canonicalize_name(requirement.name))
    assert requirement.specifier.contains(_pin(pinned), prereleases=True)
    assert requirement.extras <= pinned.extras
    if any(s.operator == "==" for s in requirement.specifier):
        assert pinned.specifier == requirement.specifier


def test_third_party_imports_are_declared():
    """No import may depend on another package that happens to install it."""
    brings = {
        "pyyaml": "yaml",
        "duckdb-cli": None,
        "dagster-webserver": None,
        "pydantic-settings": "pydantic_settings",
        "vl-convert-python": "vl_convert",
    }
    declared = {brings.get(r.name, r.name.replace("-", "_")) for r in wanted()} | {
        "pydantic",
        "uvloop",
    }  # of pydantic-settings, uvicorn[standard]
    used = set().union(*(imported_by(p) for package in PACKAGES for p in modules_of(package)))
    assert used - set(sys.stdlib_module_names) - set(PACKAGES) - declared == set()


# --------------------------------------------------------------------------- configuration


def test_env_example_names_exactly_the_settings():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^#?(DOUYIN_[A-Z_0-9]+)=", text, re.MULTILINE)
    assert len(set(named)) == len(named)
    assert set(named) == {f"DOUYIN_{name.upper()}" for name in Settings.model_fields}


def test_env_example_sets_nothing_and_names_the_defaults(tmp_path: Path, monkeypatch):
    """Copied as it is, it must not send data anywhere else.

    The value behind a name, where no other is needed, is the default.
    """
    for name in list(os.environ):
        if name.startswith("DOUYIN_"):
            monkeypatch.delenv(name)
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.strip() and not line.startswith("#")] == []
    file = tmp_path / "env"
    shown = re.findall(
        r"^#(DOUYIN_(?:HOME|BASE_URL|APP_TYPE|START_DATE|QPS|CONCURRENCY|PER_ACCOUNT|TIMEOUT_S|RETRY_BASE_S|FLUSH_S|CLOCK)=.*)$",
        text,
        re.MULTILINE,
    )
    file.write_text("\n".join(shown), encoding="utf-8")
    assert len(shown) == 11
    assert Settings(_env_file=file) == Settings(_env_file=None)


def test_commented_settings_of_env_example_can_be_read(tmp_path: Path):
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    file = tmp_path / "env"
    file.write_text(re.sub(r"^#(DOUYIN_)", r"\1", text, flags=re.MULTILINE), encoding="utf-8")
    settings = Settings(_env_file=file)
    assert settings.limits["hotsearch"].qps == 10
    assert settings.limit("hotsearch").per_day == 50000
