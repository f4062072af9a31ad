#!/usr/bin/env python3
"""Add up the closing lines of pytest in a log, and say how many tests ran: ``count.py LOG``."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

_CLOSING = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", re.MULTILINE)


def counts(log: str) -> Counter[str]:
    """Tests by outcome, over all runs in the log; errors count as failures."""
    found: Counter[str] = Counter()
    for closing in _CLOSING.findall(log):
        for number, word in re.findall(r"(\d+) ([a-z]+)", closing):
            found[word.removesuffix("s") if word == "errors" else word] += int(number)
    return found


def main(path: Path) -> None:
    found = counts(path.read_text(errors="replace"))
    print(f"{found['passed']} passed, {found['failed'] + found['error']} failed, {found['skipped']} skipped")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
