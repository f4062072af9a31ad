"""Texts with places for names: ``{live_title}``. Nothing but names is looked up in them."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

_FORMATTER = Formatter()


class BadTemplate(ValueError):
    """A text that cannot be filled in; the message says which name is wrong."""


def names_in(text: str) -> set[str]:
    """Names that the text needs.

    Raises:
        BadTemplate: a brace is open, or something other than a plain name stands in braces.
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
    """Names that a message, a list of them, or a text needs."""
    if isinstance(value, str):
        return names_in(value)
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return set().union(*(needed_by(part) for part in parts))


def fill(value: Any, names: Mapping[str, object]) -> Any:
    """A message, or a part of it, with its texts filled in; a name that is missing or empty raises BadTemplate."""
    if isinstance(value, str):
        if lacking := sorted(n for n in names_in(value) if names.get(n) in (None, "")):
            raise BadTemplate(f"nothing to put in for {', '.join(lacking)}")
        return value.format_map({n: str(v) for n, v in names.items()})
    if isinstance(value, Mapping):
        return {k: fill(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [fill(v, names) for v in value]
    return value
