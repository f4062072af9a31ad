"""Fill in texts with placeholders such as ``{live_title}``; only plain names are looked up."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

_FORMATTER = Formatter()


class BadTemplate(ValueError):
    """A text that cannot be filled in; the message says which name is wrong."""


def names_in(text: str) -> set[str]:
    """Return the names that the text needs.

    Raises:
        BadTemplate: a brace is unclosed, or braces contain something other than a plain name.
    """
    try:
        parts = list(_FORMATTER.parse(text))
    except ValueError as error:
        raise BadTemplate(f"{text[:40]!r}: {error}; write {{{{ for a brace") from error
    found = set()
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise BadTemplate(f"{text[:40]!r}: {{{name}}} is no plain name")
        found.add(name)
    return found


def needed_by(value: Any) -> set[str]:
    """Return the names that a message, a list of messages, or a text needs."""
    if isinstance(value, str):
        return names_in(value)
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return set().union(*(needed_by(part) for part in parts))


def fill(value: Any, names: Mapping[str, object]) -> Any:
    """Fill in the texts of a message, or of a part of it.

    Raises:
        BadTemplate: a name is missing or empty.
    """
    if isinstance(value, str):
        if lacking := sorted(n for n in names_in(value) if names.get(n) in (None, "")):
            raise BadTemplate(f"nothing to put in for {', '.join(lacking)}")
        return value.format_map({n: str(v) for n, v in names.items()})
    if isinstance(value, Mapping):
        return {k: fill(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [fill(v, names) for v in value]
    return value
