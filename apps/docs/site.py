"""Build the documentation site, in English and in Chinese.

Each language is built from a tree of its own that repeats the layout of the repository, so that links work in both. In
the Chinese tree ``x.zh-CN.md`` takes the place of ``x.md``; pages without a translation stay English. The generator
checks every internal link and anchor, and the build fails on the first one that leads nowhere.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from os.path import normpath
from pathlib import Path

from resources.config.project import SHIPPED

GENERATOR = Path(".venv-docs/bin/zensical")
STAGED, BUILT = Path("build/site-source"), Path("build/site")
PAGES = ("*.md", "docs/**/*.md", "benchmarks/*.md", "catalog/contract/GUIDE.md")
FILES = ("docs/img/*", "docs/site/*.css", "LICENSE")
LANGUAGES = {"en": Path("zensical.toml"), "zh": Path("zensical.zh-CN.toml")}
_ZH = ".zh-CN.md"
_SWITCH = re.compile(r"\A(.*?^# .*?\n\n)\[[^\n]*\]\([^\n]*\)\n\n", re.MULTILINE | re.DOTALL)
"""The line of links below a title, to the README and to the other language: the site has them in its frame."""


def sources(language: str, root: Path = SHIPPED) -> dict[Path, Path]:
    """Map each path within the tree of a language to the file that it is copied from."""
    pages = {p.relative_to(root) for pattern in PAGES for p in root.glob(pattern)}
    found = {page: root / page for page in pages if not page.name.endswith(_ZH)}
    if language == "zh":
        found |= {p.with_name(p.name.replace(_ZH, ".md")): root / p for p in pages if p.name.endswith(_ZH)}
    return found | {p.relative_to(root): p for pattern in FILES for p in root.glob(pattern)}


def _text(path: Path, source: Path, translated: set[Path]) -> str:
    """Return the text of a page at ``path`` of the tree, with links that fit there."""
    text = _SWITCH.sub(r"\1", source.read_text(encoding="utf-8"), count=1)
    if path in translated:
        return re.sub(r"\.zh-CN\.md(?=[)#])", ".md", text)

    def without_anchor(link: re.Match[str]) -> str:  # headings of a translated page are Chinese
        return f"]({link[1]})" if Path(normpath(path.parent / link[1])) in translated else link[0]

    return re.sub(r"\]\(([^)#\s]+\.md)#[^)]*\)", without_anchor, text)


def stage(language: str, root: Path = SHIPPED) -> None:
    """Write the tree of a language anew."""
    tree = root / STAGED / language
    shutil.rmtree(tree, ignore_errors=True)
    found = sources(language, root)
    translated = {path for path, source in found.items() if source.name.endswith(_ZH)}
    for path, source in found.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            (tree / path).write_text(_text(path, source, translated), encoding="utf-8")
        else:
            shutil.copy(source, tree / path)


def build(root: Path = SHIPPED) -> int:
    """Build both languages into ``build/site``; return the exit code of the generator."""
    shutil.rmtree(root / BUILT, ignore_errors=True)
    for language, config in LANGUAGES.items():
        stage(language, root)
        command = [str(SHIPPED / GENERATOR), "build", "--strict", "--clean", "-f", str(config)]
        if code := subprocess.run(command, cwd=root, check=False).returncode:
            return code
    print(f"wrote {BUILT}/index.html and {BUILT}/zh/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(build())
